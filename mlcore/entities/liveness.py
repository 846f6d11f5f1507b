"""Whether a run's process lives: heartbeats, and the state that follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from mlcore.entities.lifecycle import RunStatus

HEARTBEAT = "mlcore.heartbeat"  # ms since the epoch at which the run's process was seen, a space, the period in seconds
LOST = "mlcore.lost"  # of a FAILED run whose process was not seen any more: its last heartbeat

_MISSED = 5  # periods without a heartbeat after which a run counts as lost
_LEAST_S = 60  # a loaded machine or network must not look like a dead one


class RunState(StrEnum):
    """What a run is doing, or how it ended: the stored status, and LOST for a run whose process is gone."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    LOST = "LOST"


@frozen
class Heartbeat:
    """A sign of life of the process that records a run.

    at_ms: when it was given, by the clock of the run's machine, ms since the epoch, UTC.
    period_s: how often the process gives one.
    """

    at_ms: int
    period_s: float

    @classmethod
    def parse(cls, text: str) -> Heartbeat | None:
        """Read the value of the tag; None when it is none, as people can set tags."""
        at, _, period = text.partition(" ")
        try:
            found = cls(int(at), float(period))
        except ValueError:
            return None
        return found if 0 < found.period_s < float("inf") else None

    def __str__(self) -> str:
        return f"{self.at_ms} {self.period_s:g}"

    @property
    def window_ms(self) -> int:
        """How long after it the process still counts as alive: five periods, and at least a minute.

        Periods below a second, which are for trying things out, count sixty times.
        """
        return int(1000 * max(_MISSED * self.period_s, _LEAST_S * min(1.0, self.period_s)))

    def is_stale(self, now_ms: int) -> bool:
        """Whether a living process would have given another one by now."""
        return now_ms - self.at_ms > self.window_ms


def state(status: RunStatus, tags: Mapping[str, str], now_ms: int) -> RunState:
    """Return what a run is doing at *now_ms*, as far as its status and its heartbeat tell.

    A run that was marked as lost is LOST only while it has a heartbeat: a process that ends its run removes that.
    """
    beat = Heartbeat.parse(tags.get(HEARTBEAT, ""))
    if beat is not None:
        if status is RunStatus.RUNNING and beat.is_stale(now_ms):
            return RunState.LOST
        if status is RunStatus.FAILED and LOST in tags:
            return RunState.LOST if beat.is_stale(now_ms) else RunState.RUNNING
    return RunState(status.value)
