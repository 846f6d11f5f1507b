"""The hooks of mlcore-artifacts-http."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.uris import scheme


@hookimpl
def artifact_repo(uri: str) -> ArtifactRepo | None:
    """Open `mlflow-artifacts:`, `http:` and `https:` URIs; connects at the first call."""
    if scheme(uri) not in ("http", "https", "mlflow-artifacts"):
        return None
    from mlcore_artifacts_http.opening import open_repo

    return open_repo(uri)
