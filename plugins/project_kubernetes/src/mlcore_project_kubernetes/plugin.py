"""The hooks of mlcore-project-kubernetes."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ProjectBackend


@hookimpl
def project_backend(name: str) -> ProjectBackend | None:
    """Open the backend; clusters are asked at the first job."""
    if name != "kubernetes":
        return None
    from mlcore_project_kubernetes.backend import KubernetesBackend

    return KubernetesBackend()
