"""The closed sets of words that records use; values are those of the MLflow REST protocol."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    """What a run is doing, or how it ended."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    def is_terminated(self) -> bool:
        """Whether the run has ended."""
        return self in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    def to_string(self) -> str:
        """Return the status's name; MLflow's spelling is `RunStatus.to_string(status)`."""
        return self.value

    @classmethod
    def from_string(cls, name: str) -> RunStatus:
        """Return the status called *name*."""
        return cls(name)


class LifecycleStage(StrEnum):
    """Whether an experiment or run is in use or in the bin."""

    ACTIVE = "active"
    DELETED = "deleted"


class ViewType(StrEnum):
    """Which lifecycle stages a search shows."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    def to_string(self) -> str:
        """Return the view's name in MLflow's lower case: `active_only`."""
        return self.value.lower()

    @classmethod
    def from_string(cls, name: str) -> ViewType:
        """Return the view called *name*, in upper or lower case."""
        return cls(name.upper())

    def shows(self, stage: str) -> bool:
        """Whether objects of lifecycle *stage* are in the view."""
        if self is ViewType.ALL:
            return True
        return (stage == LifecycleStage.ACTIVE) == (self is ViewType.ACTIVE_ONLY)


class SourceType(StrEnum):
    """What kind of program made a run."""

    NOTEBOOK = "NOTEBOOK"
    JOB = "JOB"
    PROJECT = "PROJECT"
    LOCAL = "LOCAL"
    UNKNOWN = "UNKNOWN"
