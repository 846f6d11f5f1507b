"""The hooks of mlcore-project-ray."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ProjectBackend


@hookimpl
def project_backend(name: str) -> ProjectBackend | None:
    """Open the Ray backend; no cluster is asked before the first job."""
    if name != "ray":
        return None
    from mlcore_project_ray.backend import RayBackend

    return RayBackend()
