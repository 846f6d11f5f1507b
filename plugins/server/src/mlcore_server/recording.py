"""The way of small writes: what many clients send at a time is committed together."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence

from mlcore.entities import Batch
from mlcore.errors import LimitExceededError, MlcoreError
from mlcore.interfaces import SupportsGroupCommit, TrackingStore
from mlcore_server.stores import Stores

_MOST_TOGETHER = 256
_MOST_POINTS = 20_000

Item = tuple[str, Batch, "asyncio.Future[None]"]


class GroupWriter:
    """One thread that takes whatever has arrived and commits it in one transaction.

    Nobody is told that a batch is stored before it is. While a transaction runs the next group gathers, so that
    the group grows with the load and a lonely request does not wait for company.
    """

    def __init__(self, stores: Stores, most_waiting: int) -> None:
        """Write into the tracking store of *stores*; hold at most *most_waiting* batches."""
        self._stores = stores
        self._most_waiting = most_waiting
        self._waiting: deque[Item] = deque()
        self._points = 0
        self._wake = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="mlcore-group-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end."""
        with self._wake:
            self._ended = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    async def log_batch(self, run_id: str, batch: Batch) -> None:
        """Return when the batch is stored.

        Raises what the store raises for this batch. LimitExceededError: too many wait already; try again.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._wake:
            if len(self._waiting) >= self._most_waiting:
                raise LimitExceededError(
                    f"the server has {len(self._waiting)} batches waiting to be stored: try again in a second"
                )
            self._waiting.append((run_id, batch, done))
            self._wake.notify()
        await done

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._ended:
                    self._wake.wait()
                group = self._take()
            if not group:
                return
            self._settle(group, self._store(group))

    def _take(self) -> list[Item]:
        group: list[Item] = []
        points = 0
        while self._waiting and len(group) < _MOST_TOGETHER and points < _MOST_POINTS:
            group.append(self._waiting.popleft())
            points += len(group[-1][1].metrics)
        return group

    def _store(self, group: Sequence[Item]) -> Sequence[BaseException | None]:
        try:
            store = self._stores.tracking
            if isinstance(store, SupportsGroupCommit):
                return store.log_batches([(run_id, batch) for run_id, batch, _ in group])
            return [_single(store, run_id, batch) for run_id, batch, _ in group]
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as err:  # noqa: BLE001  # whoever waits has to hear of it, and the thread has to live on
            return [err] * len(group)

    def _settle(self, group: Sequence[Item], outcomes: Sequence[BaseException | None]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], BaseException | None]]] = {}
        for (_, _, done), outcome in zip(group, outcomes, strict=True):
            by_loop.setdefault(done.get_loop(), []).append((done, outcome))
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, settled)


def _tell(settled: list[tuple[asyncio.Future[None], BaseException | None]]) -> None:
    for done, outcome in settled:
        if done.done():  # the client has gone
            continue
        if outcome is None:
            done.set_result(None)
        else:
            done.set_exception(outcome)


def _single(store: TrackingStore, run_id: str, batch: Batch) -> MlcoreError | None:
    try:
        store.log_batch(run_id, batch)
    except MlcoreError as err:
        return err
    return None
