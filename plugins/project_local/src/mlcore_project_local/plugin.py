"""The hooks of mlcore-project-local."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ProjectBackend


@hookimpl
def project_backend(name: str) -> ProjectBackend | None:
    """Return the backend that runs jobs as processes of this machine."""
    if name != "local":
        return None
    from mlcore_project_local.backend import LocalBackend

    return LocalBackend()
