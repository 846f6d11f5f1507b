"""Mark runs whose process is gone, and bring back those whose process gives heartbeats again.

Whoever searches or shows runs looks first. What cannot be written, as in a store that is read-only, is told to the
reader all the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

from mlcore.entities import (
    And,
    Batch,
    Comparison,
    Field,
    Filter,
    Heartbeat,
    Not,
    Or,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
)
from mlcore.entities.liveness import HEARTBEAT, LOST
from mlcore.errors import MlcoreError, NotFoundError, StoreUnavailableError
from mlcore.interfaces import TrackingStore
from mlcore.tracking import active
from mlcore.tracking.names import now_ms
from mlcore.wire.filter_parser import IS_LOST

_EVERY_S = 3.0  # a search is answered from what was found so long ago
_AFTER_REFUSAL_S = 60.0
_COMES_BACK_MS = 24 * 3600 * 1000  # who was lost for longer is brought back by its own process only
_PAGE = 1000
_SHOWN = 1000  # lost runs that a reader is told of when they cannot be marked
_KEYS = 1000

_STATUS, _BEAT, _LOST = Field("attribute", "status"), Field("tag", HEARTBEAT), Field("tag", LOST)
_END = Field("attribute", "end_time")
_RUNNING = Comparison(_STATUS, "=", "RUNNING")

logger: logging.Logger = logging.getLogger(__name__)


class Watch:
    """What a process knows of lost runs, and when it looked last. Safe to use from any thread."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._looked: dict[tuple[str, tuple[str, ...]], tuple[float, tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    def reset_lock(self) -> None:
        """Make the watch usable in a forked child; another thread may have held the lock."""
        self._lock = threading.Lock()

    def look(self, uri: str, store: TrackingStore, experiment_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Mark lost runs of the experiments, unless somebody has looked a moment ago.

        Returns the ids of lost runs that could not be marked. Raises StoreUnavailableError: the store does not answer.
        """
        if not experiment_ids:
            return ()
        key = uri, experiment_ids
        with self._lock:
            at, found = self._looked.get(key, (0.0, ()))
            if time.monotonic() < at:
                return found
            if len(self._looked) >= _KEYS:
                self._looked.clear()
            self._looked[key] = time.monotonic() + _EVERY_S, found  # others need not wait for this one
        found = mark(store, experiment_ids)
        with self._lock:
            self._looked[key] = time.monotonic() + (_AFTER_REFUSAL_S if found else _EVERY_S), found
        return found

    def seen(self, store: TrackingStore, run: Run) -> Run:
        """Return a run that was just read, marked or brought back if its heartbeat says so."""
        try:
            return store.get_run(run.info.run_id) if settle(store, run) else run
        except MlcoreError as err:
            logger.debug("run %s could not be marked: %s", run.info.run_id, err)
            return run


def mark(store: TrackingStore, experiment_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Look at the runs of experiments; return the ids of lost ones that could not be marked.

    Raises StoreUnavailableError: the store does not answer.
    """
    recent = Comparison(_END, ">", float(now_ms() - _COMES_BACK_MS))
    left: list[str] = []
    for tree in (
        And((_RUNNING, Comparison(_BEAT, "IS NOT NULL"))),
        And((Comparison(_LOST, "LIKE", "%"), recent)),
    ):
        for run in _found(store, experiment_ids, tree):
            try:
                if _verdict(run, now_ms()) is not None:
                    settle(store, store.get_run(run.info.run_id))  # it may have ended in the meantime
            except MlcoreError as err:
                logger.debug("run %s could not be marked: %s", run.info.run_id, err)
                left.append(run.info.run_id)
    return tuple(left[:_SHOWN])


def settle(store: TrackingStore, run: Run) -> bool:
    """Write to the store what the heartbeat of *run* tells; return whether anything had to be."""
    verdict = _verdict(run, now_ms())
    run_id = run.info.run_id
    if verdict is None:
        return False
    if verdict is RunStatus.FAILED:
        beat = Heartbeat.parse(run.data.tags[HEARTBEAT])
        assert beat is not None  # noqa: S101  # else there is no such verdict
        store.log_batch(run_id, Batch(tags=(RunTag(LOST, str(beat)),)))
        store.update_run(run_id, RunChange(status=RunStatus.FAILED, end_time=max(beat.at_ms, run.info.start_time)))
        return True
    if verdict is RunStatus.RUNNING and run.info.status is not RunStatus.RUNNING:
        store.update_run(run_id, RunChange(status=RunStatus.RUNNING))
    try:
        store.delete_tag(run_id, LOST)
    except NotFoundError:
        logger.debug("somebody else brought run %s back", run_id)
    return True


def as_seen(tree: Filter | None, lost: tuple[str, ...]) -> Filter | None:
    """Return a filter that finds runs by their state although those in *lost* could not be marked."""
    if not lost or tree is None:
        return tree
    if tree == IS_LOST:
        return Or((tree, _among(lost)))
    if isinstance(tree, Not):
        return Not(as_seen(tree.part, lost) or tree.part)
    if not isinstance(tree, Comparison):
        return type(tree)(tuple(as_seen(part, lost) or part for part in tree.parts))
    if tree == _RUNNING:
        return And((tree, Not(_among(lost))))
    return tree


def _verdict(run: Run, now: int) -> RunStatus | None:
    """Return what has to become of a run: FAILED, RUNNING, or its own status without the mark; None for nothing."""
    beat = Heartbeat.parse(run.data.tags.get(HEARTBEAT, ""))
    status, is_marked = run.info.status, LOST in run.data.tags
    if beat is not None and status is RunStatus.RUNNING and beat.is_stale(now):
        mine = any(open_.run_id == run.info.run_id for open_ in active.open_runs.all())
        return None if mine else RunStatus.FAILED
    if not is_marked:
        return None
    if beat is None or status is not RunStatus.FAILED:
        return status  # it has ended, or goes on: the mark is out of date
    return None if beat.is_stale(now) else RunStatus.RUNNING


def _among(ids: tuple[str, ...]) -> Comparison:
    return Comparison(Field("attribute", "run_id"), "IN", ids)


def _found(store: TrackingStore, experiment_ids: tuple[str, ...], tree: Filter) -> Iterator[Run]:
    """Return the runs that fit; none when the store cannot tell."""
    token: str | None = None
    while True:
        query = RunQuery(experiment_ids, tree, max_results=_PAGE, page_token=token, columns=(_BEAT, _LOST))
        try:
            page = store.search_runs(query)
        except StoreUnavailableError:
            raise
        except MlcoreError as err:
            logger.debug("lost runs could not be looked for: %s", err)
            return
        yield from page.items
        token = page.next_token
        if token is None:
            return
