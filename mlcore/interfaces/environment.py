"""The contract of an environment manager: what provides the interpreter and libraries of a project or model."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from attrs import frozen


@frozen
class EnvironmentSpec:
    """What an environment has to hold.

    python: version such as `3.11`; None for the running one.
    requirements: lines of a requirements file.
    source: the conda.yaml, python_env.yaml or requirements.txt they come from, if any.
    """

    python: str | None = None
    requirements: tuple[str, ...] = ()
    source: Path | None = None


@runtime_checkable
class EnvironmentManager(Protocol):
    """Make environments once and find them again.

    To write one, make two files: `plugin.py` with the hook `environment`, and `manager.py` with a class that has
    these methods.
    """

    def create(self, spec: EnvironmentSpec) -> str:
        """Make the environment unless it is there, safe against other processes; return its id."""
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
        """Delete an environment. Raises NotFoundError: no such environment."""
        ...
