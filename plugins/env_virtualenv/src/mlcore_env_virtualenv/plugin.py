"""The hooks of mlcore-env-virtualenv."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager


@hookimpl
def environment(name: str) -> EnvironmentManager | None:
    """Answer to `virtualenv`."""
    if name != "virtualenv":
        return None
    from mlcore_env_virtualenv.manager import VirtualenvManager  # what it stands on costs some milliseconds

    return VirtualenvManager()
