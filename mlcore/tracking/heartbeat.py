"""Heartbeats: one thread of the process tells the stores of its runs, now and then, that it lives.

Its runs are those that it has open, and those of another process that it got by fork or pickle and records into.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from mlcore.entities import Heartbeat, Recorded
from mlcore.errors import MlcoreError
from mlcore.tracking import active, tags
from mlcore.tracking.names import now_ms
from mlcore.tracking.recorder import NOT_QUICK

if TYPE_CHECKING:
    from mlcore.tracking.recorder import Mark, Writer
    from mlcore.tracking.run_handle import RunHandle

logger: logging.Logger = logging.getLogger(__name__)


def first(period_s: float) -> dict[str, str]:
    """Return the tag that a new run begins with; none when heartbeats are switched off."""
    return {tags.HEARTBEAT: str(Heartbeat(now_ms(), period_s))} if period_s > 0 else {}


class _Beating:
    """A run that gets heartbeats from this process."""

    def __init__(self, run: RunHandle, *, is_open: bool) -> None:
        self.run = run
        self.is_open = is_open  # here; others get heartbeats only while something is recorded
        self.given_ms = now_ms()  # when one was recorded
        self.tried_ms = self.given_ms if is_open else 0
        self._seen: Mark = ("", -1)

    def due_ms(self) -> int:
        # the clock may have been set back: then at once
        return self.tried_ms + int(self.run.heartbeat_s * 1000) if self.tried_ms <= now_ms() else 0

    def beat(self) -> None:
        at = Heartbeat(now_ms(), self.run.heartbeat_s)
        before = Heartbeat(self.given_ms, self.run.heartbeat_s)
        self.tried_ms = at.at_ms
        if not self.is_open and not self._has_recorded():
            return
        try:
            if self.run.give_heartbeat(at):
                self.given_ms = at.at_ms
                self._seen = self.run.recorded_until()
                if before.is_stale(at.at_ms):  # asleep, or cut off: others may have marked the run
                    self.run.come_back()
        except MlcoreError as err:
            logger.debug("run %s: no heartbeat could be given: %s", self.run.run_id, err)

    def _has_recorded(self) -> bool:
        now = self.run.recorded_until()
        return now != self._seen or now[0] == ""  # without a journal nobody can tell


class Heart:
    """The thread, which is there while runs want heartbeats. Safe to use from any thread."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child, which has none of its parent's threads."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._beating: dict[str, _Beating] = {}

    def watch(self, run: RunHandle, *, is_open: bool = True) -> None:
        """Give heartbeats for *run* as long as it is open; for one that another process has, while this one records."""
        if run.heartbeat_s <= 0 or (not is_open and run.run_id in _open_ids()):
            return
        with self._changed:
            self._beating[run.run_id] = _Beating(run, is_open=is_open)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_on, name="mlcore-heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _beat_on(self) -> None:
        while True:
            with self._changed:
                ids = _open_ids()
                self._beating = {k: v for k, v in self._beating.items() if not v.is_open or k in ids}
                if not self._beating:
                    self._thread = None
                    return
                wait_ms = min(each.due_ms() for each in self._beating.values()) - now_ms()
                if wait_ms > 0 and self._changed.wait(wait_ms / 1000):
                    continue  # another run, perhaps with a shorter period
                due = [each for each in self._beating.values() if each.due_ms() <= now_ms()]
            for each in due:
                if not each.is_open or each.run.run_id in _open_ids():
                    each.beat()


class _FirstRecord:
    """Stands for a run's writer until something is recorded: who only inherited a run does not keep it alive."""

    journal = NOT_QUICK  # the long way comes by here

    def __init__(self, run: RunHandle, writer: Writer) -> None:
        self._run = run
        self._writer = writer

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        self._begin().point(key, value, timestamp, step)

    def write(self, recorded: Recorded) -> None:
        self._begin().write(recorded)

    def end(self) -> Mark:
        return self._writer.end()

    def _begin(self) -> Writer:
        self._run.use_writer(self._writer)
        heart.watch(self._run, is_open=False)
        return self._writer


def when_recorded(run: RunHandle, writer: Writer) -> Writer:
    """Return a writer that lets this process keep *run*, which another one has open, alive from its first record on."""
    return _FirstRecord(run, writer)


heart: Heart = Heart()


def _open_ids() -> set[str]:
    return {run.run_id for run in active.open_runs.all() if not run.is_ended}


def _in_child() -> None:
    heart.reset()
    for run in active.open_runs.inherited():
        run.keep_alive()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
