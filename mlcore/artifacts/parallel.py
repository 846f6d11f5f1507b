"""Move several files at once, where a repository can."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from mlcore.artifacts.progress import Progress
from mlcore.interfaces import ArtifactRepo, SupportsFileTransfer

Item = TypeVar("Item")
Done = TypeVar("Done")


class Counted:
    """Progress that many threads may tell."""

    def __init__(self, inner: Progress) -> None:
        """Hand on to *inner*, one call at a time."""
        self._inner = inner
        self._lock = threading.Lock()

    def start(self, total_bytes: int | None, total_files: int) -> None:
        """Hear that it begins."""
        self._inner.start(total_bytes, total_files)

    def advance(self, size_bytes: int) -> None:
        """Hear that so many more bytes went over."""
        with self._lock:
            self._inner.advance(size_bytes)

    def done(self) -> None:
        """Hear that it ended."""
        self._inner.done()


def is_large(repo: SupportsFileTransfer, size_bytes: int) -> bool:
    """Whether a file of this size has the repository for itself."""
    return size_bytes >= repo.large_file_bytes


def each(
    repo: ArtifactRepo, move: Callable[[Item], Done], items: Sequence[Item], sizes: Sequence[int]
) -> Iterator[Done]:
    """Return what *move* makes of the *items*, as they are done; large files come last, one by one.

    After the first error nothing new is begun; what was under way is waited for and comes out before the error.
    sizes: bytes of the items.
    """
    if not isinstance(repo, SupportsFileTransfer) or len(items) < 2:
        yield from map(move, items)
        return
    pairs = list(zip(items, sizes, strict=True))
    yield from _at_once(move, [item for item, size in pairs if not is_large(repo, size)], repo.parallel_files)
    yield from map(move, [item for item, size in pairs if is_large(repo, size)])


def _at_once(move: Callable[[Item], Done], items: Sequence[Item], workers: int) -> Iterator[Done]:
    left, lock = iter(items), threading.Lock()
    finished: queue.SimpleQueue[tuple[bool, Done] | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                with lock:
                    item = next(left, _END)
                if isinstance(item, _End):
                    return
                finished.put((True, move(item)))
        except BaseException as err:  # noqa: BLE001  # raised again in the thread that waits
            stop.set()
            finished.put(err)
        finally:
            finished.put(None)

    count = min(workers, len(items))
    threads = [threading.Thread(target=work, name="mlcore-transfer", daemon=True) for _ in range(count)]
    failed: BaseException | None = None
    try:
        for thread in threads:
            thread.start()
        while count:
            heard = finished.get()
            if heard is None:
                count -= 1
            elif isinstance(heard, BaseException):
                failed = failed or heard
            else:
                yield heard[1]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failed is not None:
        raise failed


class _End:
    """What stands behind the last item."""


_END = _End()
