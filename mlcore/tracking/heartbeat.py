"""Heartbeats: one thread of the process tells the stores of its open runs, now and then, that it lives."""

from __future__ import annotations

import logging
import os
import threading

from mlcore.entities import Heartbeat
from mlcore.errors import MlcoreError
from mlcore.tracking import active, tags
from mlcore.tracking.names import now_ms
from mlcore.tracking.run_handle import ActiveRun

logger: logging.Logger = logging.getLogger(__name__)


def first(period_s: float) -> dict[str, str]:
    """Return the tag that a new run begins with; none when heartbeats are switched off."""
    return {tags.HEARTBEAT: str(Heartbeat(now_ms(), period_s))} if period_s > 0 else {}


class Heart:
    """The thread, which is there while runs are open that want heartbeats. Safe to use from any thread."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child, which has none of its parent's threads."""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._last_ms: dict[str, int] = {}  # when one was tried
        self._given_ms: dict[str, int] = {}  # when one was recorded

    def watch(self, run: ActiveRun) -> None:
        """Give heartbeats for *run* as long as it is open."""
        if run.heartbeat_s <= 0:
            return
        with self._changed:
            self._last_ms[run.run_id] = self._given_ms[run.run_id] = now_ms()
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_on, name="mlcore-heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def _beat_on(self) -> None:
        while True:
            with self._changed:
                runs = [run for run in active.open_runs.all() if run.heartbeat_s > 0]
                if not runs:
                    self._thread = None
                    self._last_ms.clear()
                    self._given_ms.clear()
                    return
                due = min(self._due_ms(run) for run in runs) - now_ms()
                if due > 0 and self._changed.wait(due / 1000):
                    continue  # another run, perhaps with a shorter period
            for run in runs:
                if self._due_ms(run) <= now_ms() and not run.is_ended:
                    self._beat(run)

    def _due_ms(self, run: ActiveRun) -> int:
        # the clock may have been set back: then at once
        last = self._last_ms.get(run.run_id, 0)
        return last + int(run.heartbeat_s * 1000) if last <= now_ms() else 0

    def _beat(self, run: ActiveRun) -> None:
        beat = Heartbeat(now_ms(), run.heartbeat_s)
        before = Heartbeat(self._given_ms.get(run.run_id, 0), run.heartbeat_s)
        self._last_ms[run.run_id] = beat.at_ms
        try:
            if run.give_heartbeat(beat):
                self._given_ms[run.run_id] = beat.at_ms
                if before.is_stale(beat.at_ms):  # asleep, or cut off: others may have marked the run
                    run.come_back()
        except MlcoreError as err:
            logger.debug("run %s: no heartbeat could be given: %s", run.run_id, err)


heart: Heart = Heart()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=heart.reset)
