"""The contract of a project backend: where project code is executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    from mlcore.interfaces.environment import EnvironmentSpec


class JobStatus(StrEnum):
    """What a submitted job is doing, or how it ended."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


@frozen
class Job:
    """A command to run.

    argv: never passed through a shell.
    directory: the project's, in which the command is started.
    env: added to the backend's own environment; holds the run id and tracking URI.
    config: the user's backend configuration, plain JSON values.
    name: the project's, for people.
    environment: what the job needs; None where `argv` brings it, which is so for all backends but those that
        provide environments themselves (`SupportsEnvironments`).
    inputs: local files and directories that are words of `argv`, absolute: values of parameters of type `path`. What
        runs the job where this machine's files are not seen brings them there.
    """

    run_id: str
    argv: tuple[str, ...]
    directory: Path
    env: Mapping[str, str] = field(factory=dict)
    config: Mapping[str, object] = field(factory=dict)
    name: str = ""
    environment: EnvironmentSpec | None = None
    inputs: tuple[Path, ...] = ()


@runtime_checkable
class ProjectBackend(Protocol):
    """Run commands somewhere and say how they went.

    To write one, make two files: `plugin.py` with the hook `project_backend`, and `backend.py` with a class that
    has these methods.
    """

    def submit(self, job: Job) -> str:
        """Start the job and return its id at once."""
        ...

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state as the backend knows it. Raises NotFoundError: no such job."""
        ...

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the job's output line by line until it ends."""
        ...

    def cancel(self, job_id: str) -> None:
        """Stop the job; nothing happens when it has ended."""
        ...

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        ...


@runtime_checkable
class SupportsEnvironments(Protocol):
    """A backend whose jobs run on other machines, and which makes the project's environment there itself.

    environment_kinds: those that it can provide, of `local` (what is there), `python` (requirements of pip), `conda` and
        `docker`. A project that needs another one is refused with their names.
    """

    environment_kinds: tuple[str, ...]


@runtime_checkable
class SupportsChecking(Protocol):
    """A backend that can tell before a run begins that it will not take a job."""

    def check(self, job: Job) -> None:
        """Do nothing when the job can be submitted; it has no run yet, and its variables name none.

        Raises ProjectError: its configuration, its inputs or what it needs is not as it should be.
        """
        ...


@frozen
class JobEnd:
    """How a job ended, as far as its backend can tell.

    exit_code: of its command; None where it is not known, or where a signal ended it.
    signal: the name of the signal that ended it, such as `SIGKILL`; else empty.
    reason: for people, such as `out of memory` or `the pod was evicted`; may be empty.
    """

    exit_code: int | None = None
    signal: str = ""
    reason: str = ""


@runtime_checkable
class SupportsEnds(Protocol):
    """A backend that knows why a job ended."""

    def ended(self, job_id: str) -> JobEnd:
        """Return how a job ended; an empty record while it goes on. Raises NotFoundError: no such job."""
        ...


@runtime_checkable
class SupportsOutput(Protocol):
    """A backend that has a job's output as it was written, and not as lines only."""

    def output(self, job_id: str) -> Iterator[bytes]:
        """Yield the output in pieces as it comes, from its begin, until the job ends; the pieces are small.

        Raises NotFoundError: no such job.
        """
        ...


@runtime_checkable
class SupportsSignals(Protocol):
    """A backend that can hand a signal on to a job, which may then end in its own way."""

    def signal(self, job_id: str, number: int) -> None:
        """Send a signal to all processes of the job; nothing happens when it has ended."""
        ...


@runtime_checkable
class SupportsForgetting(Protocol):
    """A backend that keeps something of a job, such as its output, until it is told that nobody needs it any more."""

    def forget(self, job_id: str) -> None:
        """Delete what is kept of a job that has ended; nothing happens when there is none."""
        ...
