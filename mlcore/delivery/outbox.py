"""What one process has recorded for one store and not delivered yet."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from mlcore.delivery.budget import Budget
from mlcore.delivery.exits import watch
from mlcore.delivery.lanes import Lane, Refusal, named
from mlcore.delivery.locks import hold
from mlcore.delivery.outgoing import Outgoing
from mlcore.delivery.replaying import apply
from mlcore.delivery.shipper import Shipper
from mlcore.delivery.spool import RunFolder, Spool
from mlcore.delivery.telling import Ending, report
from mlcore.delivery.writing import RunWriter, new_journal
from mlcore.entities import Batch, Recorded
from mlcore.errors import MlcoreError, StoreUnavailableError
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.journal import Journal, JournalReader

logger: logging.Logger = logging.getLogger(__name__)

_STOP_S = 1.0


@frozen
class Policy:
    """How an outbox works; see the settings of the same names.

    fsync: never, always, or a number of milliseconds.
    """

    patience_s: float = 10.0
    spool_limit_mb: int = 4096
    fsync: str = "never"
    is_offline: bool = False


class Outbox:
    """Journals of this process for one store, and the thread that delivers them. Safe to use from any thread."""

    def __init__(
        self,
        spool: Spool,
        open_store: Callable[[], TrackingStore],
        policy: Policy,
        open_repo: Callable[[str], ArtifactRepo] | None = None,
    ) -> None:
        """Make and start nothing before something is recorded.

        open_repo: opens the repository at an artifact URI; without it files stay in the spool.
        """
        self.spool: Spool = spool
        self.policy: Policy = policy
        self.shipper: Shipper = Shipper(self, open_store, open_repo)
        self._open_store = open_store
        self._budget = Budget(spool.root, policy.spool_limit_mb * 2**20)
        self._lanes: dict[str, Lane] = {}
        self._writers: weakref.WeakValueDictionary[str, RunWriter] = weakref.WeakValueDictionary()
        self._mine: set[str] = set()
        self.has_recorded: bool = False
        self._lock = threading.RLock()
        self._syncer: threading.Thread | None = None
        _outboxes.add(self)
        watch(_at_exit)

    # Recording

    def writer(self, run_id: str) -> RunWriter:
        """Return what records into a run; of each run there is one."""
        with self._lock:
            found = self._writers.get(run_id)
            if found is None:
                found = self._writers[run_id] = RunWriter(self, run_id)
            return found

    def open_journal(self, writer: RunWriter, created: int) -> Journal:
        """Make a journal of a run and see to its delivery; for `RunWriter`. Raises OSError: it cannot be made."""
        watch(_at_exit)  # a forked child is another process than the one in which the outbox was made
        folder = self.spool.run(writer.run_id)
        journal: Journal | None = None
        for attempt in range(3):
            self.spool.make()
            folder.make()
            try:
                journal = self._journal_in(folder, created)
                break
            except FileNotFoundError:  # somebody tidied up at this very moment
                if attempt == 2:
                    raise
        assert journal is not None  # noqa: S101  # the loop ends by break or raise
        with self._lock:
            self._mine.add(journal.path.name)
            lane = self.lane(folder)
            lane.writer = writer  # it lives as long as something of it waits
            lane.add(Outgoing(folder, JournalReader(journal.path, journal.header, journal.end), journal))
        self.has_recorded = True
        self.shipper.tell_outage()
        if not self.policy.is_offline:
            self.shipper.start()
        self._start_syncer()
        return journal

    def _journal_in(self, folder: RunFolder, created: int) -> Journal:
        self._budget.check()
        journal = new_journal(folder.path, folder.run_id, created, fsync=self.policy.fsync)
        journal.reserve = self._budget.check
        hold(journal.fileno())
        return journal

    def close_journal(self, run_id: str, journal: Journal) -> None:
        """Close a journal, so that its run goes on in another one."""
        writer = self._writers.get(run_id)
        if writer is not None:
            writer.close(journal)
        journal.close()

    def overflow(self, run_id: str, recorded: Recorded, why: OSError) -> None:
        """Take what no journal can hold: give it to the store at once if that is well, else count it as lost."""
        # points may be lost at once, the end of a run only when the store still does not answer
        may_ask = not self.is_down or not (isinstance(recorded, Batch) or self.policy.is_offline)
        if may_ask and self.flush(run_id) and self._store_now(run_id, recorded):
            return
        lane = self.lane(self.spool.run(run_id))
        lane.dropped += 1
        lane.untold = True
        self._budget.warn(run_id, why)

    def _store_now(self, run_id: str, recorded: Recorded) -> bool:
        try:
            apply(self._open_store(), self.spool.run(run_id).facts().server_run_id or run_id, recorded)
        except StoreUnavailableError as err:
            self.report_down(err)
            return False
        except MlcoreError as err:
            logger.warning("run %s: the store did not take %s: %s", run_id, named(recorded), err.message)
            return False
        return True

    # What is known of the store

    @property
    def is_down(self) -> bool:
        """Whether the store did not answer when it was last asked."""
        return self.policy.is_offline or self.shipper.down is not None

    def report_down(self, error: MlcoreError) -> None:
        """Tell that the store did not answer a call of somebody else's."""
        self.shipper.turned(error)

    # Lanes

    def lanes(self) -> tuple[Lane, ...]:
        """Return what is delivered, run by run."""
        with self._lock:
            return tuple(self._lanes.values())

    def lane(self, folder: RunFolder) -> Lane:
        """Return the lane of a run, made when it is missing."""
        with self._lock:
            found = self._lanes.get(folder.run_id)
            if found is None:
                found = self._lanes[folder.run_id] = Lane(folder)
            return found

    def drop_lane(self, lane: Lane) -> None:
        """Forget a run of which nothing waits and nothing has to be told."""
        with self._lock:
            if not (lane.outgoing or lane.refusals or lane.dropped or lane.untold):
                self._lanes.pop(lane.run_id, None)

    def is_mine(self, path: Path) -> bool:
        """Return whether this process writes, or delivers, a journal."""
        return path.name in self._mine

    def is_pending(self, run_id: str) -> bool:
        """Return whether a run has to be created in the store still."""
        return self.spool.run(run_id).facts().is_pending

    # Waiting

    def flush(
        self, run_id: str | None = None, patience_s: float | None = None, *, with_leftovers: bool = False
    ) -> bool:
        """Wait until what is recorded so far, of one run or of all, is in the store; return whether it is.

        Waits as long as delivery makes progress, and at most *patience_s* (of the policy when not given) without. A
        store that is known to be down is asked once more.
        with_leftovers: wait for what dead processes have left, too, as far as this one delivers it.
        """
        goals = [
            (outgoing, outgoing.end)
            for lane in self.lanes()
            if run_id in (None, lane.run_id)
            for outgoing in lane.outgoing
            if (outgoing.journal is not None or with_leftovers) and outgoing.is_waiting
        ]
        if not goals and not self._untold(run_id):
            return True
        if self.policy.is_offline:
            return not goals
        if not self.shipper.start():
            while self.shipper.round():
                pass
            return all(outgoing.sent >= end for outgoing, end in goals)
        return self._wait(goals, run_id, self.policy.patience_s if patience_s is None else patience_s)

    def _untold(self, run_id: str | None) -> bool:
        """Whether the store has to be told still of something that it refused, or that was lost."""
        return any(lane.untold and lane.held is None for lane in self.lanes() if run_id in (None, lane.run_id))

    def _wait(self, goals: list[tuple[Outgoing, int]], run_id: str | None, patience_s: float) -> bool:
        shipper = self.shipper
        runs = {outgoing.folder.run_id for outgoing, _ in goals}
        held = {lane.run_id for lane in self.lanes() if lane.held is not None and lane.run_id in runs}
        with shipper.moved:
            was_stuck = shipper.down is not None or (bool(runs) and held == runs)
            last_chance = shipper.attempts + 1
            seen, deadline = shipper.deliveries, time.monotonic() + patience_s
            for lane in self.lanes():
                lane.backoff.until = 0.0
            shipper.wake()
            while True:
                goals = [(outgoing, end) for outgoing, end in goals if outgoing.sent < end]
                if not goals and not self._untold(run_id):
                    return True
                if shipper.deliveries != seen:
                    seen, deadline = shipper.deliveries, time.monotonic() + patience_s
                    was_stuck = False
                left = deadline - time.monotonic()
                if left <= 0 or (was_stuck and shipper.attempts >= last_chance) or not shipper.start():
                    return not goals
                shipper.moved.wait(min(left, 0.2))

    def finish(self, run_id: str) -> Ending:
        """Close the journal of a run that this process is done with, wait for its delivery, and say how it stands."""
        writer = self._writers.get(run_id)
        self.shipper.adopt(self.spool.run(run_id))
        done = self.flush(run_id, with_leftovers=True)
        if writer is not None:
            writer.close()
        self.shipper.wake()
        ending = self._ending(run_id, done)
        report(ending)
        return ending

    def _ending(self, run_id: str, done: bool) -> Ending:
        lane = self._lanes.get(run_id)
        folder = self.spool.run(run_id).path
        if lane is None:
            return Ending(run_id, done, folder, why=self.why(run_id))
        untold, dropped = lane.refusals[lane.reported :], lane.dropped - lane.dropped_reported
        lane.reported, lane.dropped_reported, lane.undelivered_reported = len(lane.refusals), lane.dropped, not done
        return Ending(run_id, done, folder, tuple(untold), dropped, self.why(run_id))

    def refusals(self, run_id: str) -> tuple[Refusal, ...]:
        """Return what the store did not take of what this process delivered for a run."""
        lane = self._lanes.get(run_id)
        return tuple(lane.refusals) if lane is not None else ()

    def why(self, run_id: str) -> MlcoreError | None:
        """Return what keeps the records of a run from being delivered at the moment."""
        lane = self._lanes.get(run_id)
        return (lane.held if lane is not None else None) or self.shipper.down

    # The end

    def close(self) -> bool:
        """Deliver what can be delivered in bounded time, close all journals; return whether nothing waits."""
        for writer in tuple(self._writers.values()):
            writer.close()
        done = self.flush(patience_s=self._exit_patience_s())
        for lane in self.lanes():
            if not (lane.is_waiting and lane.undelivered_reported):
                report(self._ending(lane.run_id, not lane.is_waiting))
        if done and not self.policy.is_offline and self.lanes():
            self._settle()
        self.shipper.stop(_STOP_S)
        self.release()
        self.spool.tidy()
        return done

    def _exit_patience_s(self) -> float:
        """How long the exit waits: shortly for a store that is down when the ends of all runs have waited for it."""
        is_told = all(lane.undelivered_reported for lane in self.lanes() if lane.is_waiting)
        return min(_STOP_S, self.policy.patience_s) if self.is_down and is_told else self.policy.patience_s

    def release(self) -> None:
        """Let others deliver what waits."""
        for lane in self.lanes():
            for outgoing in lane.outgoing:
                outgoing.release()
        with self._lock:
            self._lanes.clear()
            self._writers.clear()
        _outboxes.discard(self)

    def _settle(self) -> None:
        """Let the shipper remove what is delivered and tell what was refused."""
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline and any(lane.outgoing or lane.untold for lane in self.lanes()):
            if not self.shipper.start() or self.is_down:
                return
            self.shipper.wake()
            time.sleep(0.002)

    def in_child(self) -> None:
        """Begin anew in a forked child: the parent's journals are the parent's to write and to deliver."""
        self._lock = threading.RLock()
        for writer in self._writers.values():
            writer.abandon()
        for lane in self._lanes.values():
            for outgoing in lane.outgoing:
                outgoing.release()
        self._lanes = {}
        self._syncer = None
        self.shipper.in_child()

    # Forcing to the disk

    def _start_syncer(self) -> None:
        if self.policy.fsync.isdigit() and self._syncer is None:
            self._syncer = threading.Thread(target=self._sync_often, name="mlcore-syncer", daemon=True)
            self._syncer.start()

    def _sync_often(self) -> None:
        pause_s = int(self.policy.fsync) / 1000
        ends: dict[str, tuple[str, int]] = {}
        while self in _outboxes:
            time.sleep(pause_s)
            for run_id, writer in tuple(self._writers.items()):
                end = writer.end()
                if ends.get(run_id) != end:
                    writer.sync()
                    ends[run_id] = end


_outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()


def _at_exit() -> None:
    for outbox in tuple(_outboxes):
        outbox.close()


def _in_child() -> None:
    for outbox in tuple(_outboxes):
        outbox.in_child()


os.register_at_fork(after_in_child=_in_child)
