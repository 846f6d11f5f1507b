"""The contract of an environment manager: what provides the interpreter and libraries of a project or model."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import frozen

from mlcore.interfaces.project_backend import Job


@frozen
class ImageSpec:
    """A container image that a project's commands run in, from the key `docker_env` of an MLproject file.

    name: with registry and tag, such as `python:3.11-slim`.
    volumes: `HOST:CONTAINER` each, for an engine's `--volume`.
    environment: variables by name; None stands for the value on the machine that submits.
    options: further words for the engine's `run`, such as `--gpus=all`; a lone flag has the value True.
    build: whether an image that has the project in it is to be built from this one first.
    """

    name: str
    volumes: tuple[str, ...] = ()
    environment: tuple[tuple[str, str | None], ...] = ()
    options: tuple[tuple[str, str | bool], ...] = ()
    build: bool = False


@frozen
class EnvironmentSpec:
    """What an environment has to hold.

    python: version such as `3.11`; None for the running one.
    requirements: lines of a requirements file; paths in them are absolute.
    source: the conda.yaml, python_env.yaml or requirements.txt they come from, if any.
    build_requirements: what is installed before the requirements, such as `setuptools<70`.
    conda_packages: match specifications of conda, without python; only a manager that knows conda can hold them.
    channels: of the conda packages, by name or URL, the preferred one first.
    image: a container image in place of all the above.
    locked: the requirements are all there is, in exact versions; nothing is to be resolved.
    """

    python: str | None = None
    requirements: tuple[str, ...] = ()
    source: Path | None = None
    build_requirements: tuple[str, ...] = ()
    conda_packages: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    image: ImageSpec | None = None
    locked: bool = False


@frozen
class EnvironmentRecord:
    """An environment that was made.

    created_ms, used_ms: ms since the epoch, UTC; used_ms is when a command was last asked for.
    size_bytes: on the disk, files shared with a cache included.
    python: its version; empty where it has none.
    requirements: as they were asked for.
    """

    env_id: str
    created_ms: int
    used_ms: int
    size_bytes: int
    python: str = ""
    requirements: tuple[str, ...] = ()


@runtime_checkable
class EnvironmentManager(Protocol):
    """Make environments once and find them again.

    To write one, make two files: `plugin.py` with the hook `environment`, and `manager.py` with a class that has
    these methods.
    """

    def create(self, spec: EnvironmentSpec) -> str:
        """Make the environment unless it is there, safe against other processes; return its id.

        Raises InvalidParameterError: it cannot be made; the message has the installer's own words.
        """
        ...

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the argv that runs *argv* inside the environment."""
        ...

    def lock(self, env_id: str) -> tuple[str, ...]:
        """Return exact requirement lines of what is installed."""
        ...

    def list(self) -> tuple[str, ...]:
        """Return the ids of all environments that this manager made."""
        ...

    def remove(self, env_id: str) -> None:
        """Delete an environment.

        Raises NotFoundError: no such environment. InvalidStateError: somebody else uses it.
        """
        ...


@runtime_checkable
class SupportsPlacing(Protocol):
    """A manager for which a command line is not enough, as it needs the job's directory and variables too."""

    def place(self, env_id: str, job: Job) -> Job:
        """Return the job that runs *job* inside the environment; used in place of `command`."""
        ...


@runtime_checkable
class SupportsJobChecks(Protocol):
    """A manager that can tell before a run begins that it will not take a job."""

    def check_job(self, spec: EnvironmentSpec, job: Job) -> None:
        """Do nothing when the environment can be asked for and the job put into it; it has no run yet.

        Nothing is made, and nobody else is asked. Raises ProjectError: an option or variable is not as it should be.
        """
        ...


@runtime_checkable
class SupportsDescribing(Protocol):
    """A manager that can tell about its environments, for `mlcore env list` and `mlcore env prune`."""

    def describe(self, env_id: str) -> EnvironmentRecord:
        """Return what is known of an environment. Raises NotFoundError: no such environment."""
        ...
