"""The hooks of mlcore-env-uv."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager


@hookimpl
def environment(name: str) -> EnvironmentManager | None:
    """Answer to `uv`."""
    if name != "uv":
        return None
    from mlcore_env_uv.manager import UvManager  # what it stands on costs some milliseconds

    return UvManager()
