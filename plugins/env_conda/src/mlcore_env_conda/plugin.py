"""The hooks of mlcore-env-conda."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager


@hookimpl
def environment(name: str) -> EnvironmentManager | None:
    """Answer to `conda`."""
    if name != "conda":
        return None
    from mlcore_env_conda.manager import CondaManager  # what it stands on costs some milliseconds

    return CondaManager()
