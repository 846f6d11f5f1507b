"""Hash a file from its start while it arrives in pieces, in any order."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_CHUNK_BYTES = 256 << 10  # stays in the processor's cache between reading and hashing


class Follower:
    """Reads what has arrived, in a thread of its own; a context that ends the thread."""

    def __init__(self, local: Path, advance: Callable[[int], object]) -> None:
        """Follow the file *local*; *advance* is told of the bytes that arrive, one call at a time."""
        self._local = local
        self._advance = advance
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._reached = 0  # all before it has arrived
        self._pieces: dict[int, int] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._failed: OSError | None = None
        self._thread = threading.Thread(target=self._follow, name="mlcore-hash", daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def arrived(self, start: int, size_bytes: int) -> None:
        """Hear that a piece lies in the file."""
        with self._changed:
            self._advance(size_bytes)
            self._pieces[start] = size_bytes
            while (length := self._pieces.pop(self._reached, 0)) > 0:
                self._reached += length
            self._changed.notify()

    def finish(self) -> tuple[int, str]:
        """Return size and SHA-256 of the whole file, once nothing more arrives. Raises OSError: it cannot be read."""
        self.__exit__(None, None, None)
        if self._failed is not None:
            raise self._failed
        self._hash(None)
        return self._hashed, self._digest.hexdigest()

    def _follow(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._ended or self._reached > self._hashed)
                    if self._ended:
                        return
                    end = self._reached
                self._hash(end)
        except OSError as err:
            self._failed = err

    def _hash(self, end: int | None) -> None:
        """Go on to *end*, or to the end of the file."""
        view = memoryview(bytearray(_CHUNK_BYTES))
        with self._local.open("rb", buffering=0) as file:
            file.seek(self._hashed)
            while end is None or self._hashed < end:
                wanted = len(view) if end is None else min(len(view), end - self._hashed)
                got = file.readinto(view[:wanted])
                if not got:
                    return
                self._digest.update(view[:got])
                self._hashed += got
