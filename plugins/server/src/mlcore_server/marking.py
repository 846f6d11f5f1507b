"""Mark runs whose process is gone, now and then, so that every reader of the store finds them so."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from mlcore.entities import ExperimentQuery
from mlcore.errors import MlcoreError
from mlcore.tracking.lost import mark
from mlcore_server.stores import Stores

_LONGEST_S = 10.0
_AT_ONCE = 500  # experiments in one search

logger: logging.Logger = logging.getLogger(__name__)


class Marker:
    """A thread that looks through the tracking store; of the workers of one server one does it."""

    def __init__(self, stores: Stores, lock: Path, period_s: float) -> None:
        """Start nothing yet.

        lock: a file that whoever marks holds.
        period_s: of the heartbeats of usual runs. For so long after the start nobody is marked, as processes that
        could not reach the server before have to tell that they live.
        """
        self._stores = stores
        self._lock = lock
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mlcore-marking", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the thread no longer uses the store."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        wait_s = self._period_s
        while not self._stop.wait(wait_s):
            wait_s = min(_LONGEST_S, self._period_s)
            with _held(self._lock) as is_mine:
                while is_mine and not self._stop.wait(0):
                    self._look()
                    self._stop.wait(wait_s)

    def _look(self) -> None:
        try:
            for ids in self._experiments():
                mark(self._stores.tracking, ids)
                if self._stop.is_set():
                    return
        except MlcoreError as err:
            logger.warning("lost runs could not be looked for: %s", err)

    def _experiments(self) -> Iterator[tuple[str, ...]]:
        token: str | None = None
        while True:
            page = self._stores.tracking.search_experiments(ExperimentQuery(max_results=_AT_ONCE, page_token=token))
            yield tuple(each.experiment_id for each in page.items)
            token = page.next_token
            if token is None:
                return


@contextlib.contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Hold the lock in the block, which is told whether it was free."""
    try:
        import fcntl
    except ImportError:  # a system without such locks: to mark twice does no harm
        yield True
        return
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        logger.warning("%s cannot be opened, so that lost runs are not looked for: %s", path, err)
        yield False
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_mine = True
        except OSError:  # another worker's, or the file system has no locks
            is_mine = False
        yield is_mine
    finally:
        os.close(lock)
