"""How a project's run ended, from what its backend tells."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.interfaces import JobEnd, JobStatus, ProjectBackend, SupportsEnds
from mlcore.tracking.endings import Ending

_STATUS = {
    JobStatus.FINISHED: RunStatus.FINISHED,
    JobStatus.FAILED: RunStatus.FAILED,
    JobStatus.KILLED: RunStatus.KILLED,
}


@frozen
class Outcome:
    """The end of a run.

    message: why it did not end well, for people. exit_code, signal: of its command, where they are known.
    """

    status: RunStatus
    message: str = ""
    exit_code: int | None = None
    signal: str = ""

    @property
    def ending(self) -> Ending:
        """What is kept with the run."""
        return Ending(
            self.status,
            message=self.message,
            exit_code="" if self.exit_code is None or self.status is RunStatus.FINISHED else str(self.exit_code),
            signal=self.signal,
        )


def of_job(status: JobStatus, end: JobEnd) -> Outcome:
    """Return the outcome of a job that has ended: its command's exit code decides, whatever the code said of the run."""
    final = _STATUS[status]
    if final is RunStatus.FINISHED:
        return Outcome(final, exit_code=0 if end.exit_code is None else end.exit_code)
    if end.signal:
        how = f"the command was ended by {end.signal}"
    elif end.exit_code is not None:
        how = f"the command ended with exit code {end.exit_code}"
    else:
        how = "the command was stopped" if final is RunStatus.KILLED else "the command failed"
    return Outcome(final, f"{how}: {end.reason}" if end.reason else how, end.exit_code, end.signal)


def end_of(backend: ProjectBackend, job_id: str) -> JobEnd:
    """Return what a backend knows of a job's end; nothing when it cannot tell."""
    if not isinstance(backend, SupportsEnds):
        return JobEnd()
    try:
        return backend.ended(job_id)
    except MlcoreError as err:
        return JobEnd(reason=f"why is not known: {err.message}")
