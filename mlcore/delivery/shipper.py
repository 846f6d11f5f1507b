"""The thread that delivers what one process has recorded for one store."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlcore.delivery import leftovers
from mlcore.delivery.lanes import Backoff, Lane
from mlcore.delivery.locks import take
from mlcore.delivery.outgoing import Outgoing
from mlcore.delivery.replaying import Target, tell
from mlcore.delivery.spool import RunFolder
from mlcore.delivery.spooled_files import Files
from mlcore.entities import RunCreation
from mlcore.errors import LimitExceededError, MlcoreError, StoreUnavailableError
from mlcore.interfaces import ArtifactRepo, TrackingStore

if TYPE_CHECKING:
    from mlcore.delivery.outbox import Outbox

logger: logging.Logger = logging.getLogger(__name__)

REFUSED, DROPPED = "mlcore.refused", "mlcore.dropped"
_POLL_S, _QUIET_S = 0.05, 0.4
_LEFTOVERS_S = 60.0
_IDLE_S = 60.0
_AGAIN_S = 30.0
_ADOPTION_S = 1.0
_ROTATE_BYTES = 32 * 2**20


class Shipper:
    """Deliver lanes, a piece of each in turn; a store that is down is asked again for as long as the process lives."""

    def __init__(
        self,
        outbox: Outbox,
        open_store: Callable[[], TrackingStore],
        open_repo: Callable[[str], ArtifactRepo] | None = None,
    ) -> None:
        """Begin nothing; see `start`.

        open_repo: opens the repository at an artifact URI; without it files stay in the spool.
        """
        self._outbox = outbox
        self._files = Files(open_repo, self._move_on) if open_repo is not None else None
        self._open_store = open_store
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._turn = threading.Lock()
        self._next_look = 0.0
        self._started = 0.0
        self._asked: list[RunFolder] = []
        self._stopped = False
        self.moved: threading.Condition = threading.Condition()
        self.attempts: int = 0
        self.deliveries: int = 0
        self.is_quiet: bool = False
        self._is_told = False
        self.down: MlcoreError | None = None
        self.backoff: Backoff = Backoff()

    def start(self) -> bool:
        """See to it that the thread runs; return False when it cannot, as at the very end of the interpreter."""
        if self._thread is not None and self._thread.is_alive():
            return True
        if self._stopped or (self._thread is not None and time.monotonic() - self._started < _AGAIN_S):
            return False  # the last one died of an error that was printed; not at once again
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="mlcore-shipper", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._thread = None
        return self._thread is not None

    def wake(self) -> None:
        """Let the thread look at once."""
        self._wake.set()

    def stop(self, within_s: float) -> None:
        """End the thread; when it hangs in a store, leave it behind."""
        self._stopped = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(within_s)

    def _run(self) -> None:
        quiet_s = _POLL_S
        while not self._stopped:
            if self.round():
                quiet_s = _POLL_S
                continue
            pause = quiet_s
            if self.down is not None:
                pause = max(pause, self.backoff.left_s)
            if self._wake.wait(pause):
                self._wake.clear()
                self.backoff.until = 0.0
                quiet_s = _POLL_S
            else:
                quiet_s = min(quiet_s * 1.5, _QUIET_S)

    def round(self) -> bool:
        """Deliver one piece of each lane; return whether anything was delivered."""
        with self._turn:
            self._adopt_asked()
            self._look_for_leftovers()
            done = False
            for lane in self._outbox.lanes():
                if self.backoff.left_s or (self._stopped and threading.current_thread() is self._thread):
                    break
                done = self._ship(lane) or done
            return done

    def _look_for_leftovers(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LEFTOVERS_S
        for folder, outgoing in leftovers.claim(self._outbox.spool, self._outbox.is_mine):
            self._outbox.lane(folder).add(outgoing)

    def adopt(self, folder: RunFolder) -> None:
        """Deliver what dead processes have left of one run, such as workers that were forked and killed, from now on."""
        others = [path for path in folder.journals() if not self._outbox.is_mine(path)]
        if not others or self._outbox.policy.is_offline or not self.start():
            return
        with self.moved:
            self._asked.append(folder)
            self._wake.set()
            # when the thread hangs in a store, leftovers wait for their next chance
            self.moved.wait_for(lambda: folder not in self._asked, _ADOPTION_S)

    def _adopt_asked(self) -> None:
        """Not in the thread that asks: what Ctrl-C breaks off there must leave nothing locked."""
        while self._asked:
            folder = self._asked[0]
            for found, outgoing in leftovers.claim(self._outbox.spool, self._outbox.is_mine, only=folder):
                self._outbox.lane(found).add(outgoing)
            with self.moved:
                self._asked.remove(folder)
                self.moved.notify_all()

    def _ship(self, lane: Lane) -> bool:
        if lane.backoff.left_s:
            return False
        for outgoing in tuple(lane.outgoing):
            try:
                if not outgoing.is_waiting:
                    self._settle(lane, outgoing)
                    continue
                return self._is_ready(lane, outgoing) and self._attempt(lane, outgoing)
            except FileNotFoundError:  # somebody else has delivered it, or removed it
                outgoing.release()
                lane.outgoing.remove(outgoing)
            except OSError as err:  # the disk of the spool: it may be mended while the process lives
                lane.held = MlcoreError(f"{outgoing.reader.path} cannot be delivered: {err}")
                lane.backoff.failed()
                return False
        if lane.untold and lane.held is None:
            self._tell(lane)
        if not lane.outgoing:
            self._outbox.drop_lane(lane)
        return False

    def _attempt(self, lane: Lane, outgoing: Outgoing) -> bool:
        try:
            self._deliver(lane, outgoing)
        except (StoreUnavailableError, LimitExceededError) as err:
            self._note(down=err)
            return False
        except MlcoreError as err:  # not the store's last word: permissions and servers get repaired
            lane.held = err
            lane.backoff.failed()
            self._note(down=None)
            return False
        lane.held = None
        lane.backoff.worked()
        self._note(down=None, delivered=True)
        return True

    def _deliver(self, lane: Lane, outgoing: Outgoing) -> None:
        stretches, end = outgoing.read()
        for fault in outgoing.faults:
            logger.warning("%s", fault)
        outgoing.is_damaged = outgoing.is_damaged or bool(outgoing.faults)
        outgoing.faults.clear()
        if stretches:
            target = Target(self._open_store(), lane.folder, lane.run_id, self._files)
            for stretch, error in target.deliver(outgoing.writer, stretches):
                lane.refuse(outgoing.writer, stretch, error)
        outgoing.advance(end)

    def _is_ready(self, lane: Lane, outgoing: Outgoing) -> bool:
        facts = lane.folder.facts()
        if any(self._outbox.spool.run(run_id).facts().is_pending for run_id in facts.after):
            return False
        if facts.is_pending and outgoing.sent == outgoing.reader.start:
            stretches, _ = outgoing.read()
            if not (stretches and isinstance(stretches[0].entry.recorded, RunCreation)):
                return False
        if outgoing.lock is None and lane.folder.path.exists():
            with contextlib.suppress(OSError):
                outgoing.lock = take(lane.folder.path / f"{outgoing.writer}.lock")
                if outgoing.lock is None:
                    return False
                outgoing.sent = max(outgoing.sent, lane.folder.sent(outgoing.writer))  # by who had it before
        return True

    def _settle(self, lane: Lane, outgoing: Outgoing) -> None:
        """See what becomes of a journal that is delivered: it goes when it is closed, and is closed when it rests."""
        journal = outgoing.journal
        if journal is not None and not journal.is_closed:
            if outgoing.rests(_IDLE_S) or journal.end > _ROTATE_BYTES:
                self._outbox.close_journal(lane.run_id, journal)
            return
        if outgoing.is_waiting:
            return
        if outgoing.is_living:
            outgoing.release()  # its process writes on
        else:
            outgoing.finish()
        lane.outgoing.remove(outgoing)

    def _tell(self, lane: Lane) -> None:
        """Let the run itself say what of it is not there."""
        run_id = lane.folder.facts().server_run_id or lane.run_id
        lane.untold = False
        try:
            tell(self._open_store(), run_id, {REFUSED: lane.told(), DROPPED: lane.lost()})
        except (StoreUnavailableError, LimitExceededError) as err:
            lane.untold = True
            self._note(down=err)
        else:
            self._note(down=None)

    def _move_on(self) -> None:
        """Tell those who wait that a part of something large went over."""
        with self.moved:
            self.deliveries += 1
            self.moved.notify_all()

    def _note(self, *, down: MlcoreError | None, delivered: bool = False) -> None:
        if down is None:
            self.backoff.worked()
        else:
            self.backoff.failed()
        with self.moved:
            self.attempts += 1
            self.deliveries += delivered
            self.moved.notify_all()
        self.turned(down)

    def turned(self, down: MlcoreError | None) -> None:
        """Remember whether the store answers; tell the user when that changes."""
        self.down = down
        self.tell_outage()

    def tell_outage(self) -> None:
        """Tell the user that the store does not answer, or answers again, if that is new and something is recorded."""
        down, spool = self.down, self._outbox.spool
        if (down is not None) == self._is_told or self._outbox.policy.is_offline or self.is_quiet:
            return
        if down is not None and not self._outbox.has_recorded:
            return  # who only reads gets the error itself
        self._is_told = down is not None
        if down is None:
            logger.warning("%s answers again: what waited in the spool is being delivered", spool.uri)
        else:
            logger.warning(
                "recording goes on without %s (%s): it waits in %s, and is delivered when the store answers, by this "
                "process or by `mlcore sync`",
                spool.uri,
                down.message,
                spool.path,
            )

    def in_child(self) -> None:
        """Begin anew in a forked child; the thread stayed in the parent."""
        self._thread = None
        self._wake = threading.Event()
        self._turn = threading.Lock()
        self._asked = []
        self.moved = threading.Condition()
        self._next_look = time.monotonic() + _LEFTOVERS_S
