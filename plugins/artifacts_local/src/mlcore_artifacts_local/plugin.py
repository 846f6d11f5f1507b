"""The hooks of mlcore-artifacts-local."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.uris import scheme


@hookimpl
def artifact_repo(uri: str) -> ArtifactRepo | None:
    """Open `file:` URIs and plain paths."""
    if scheme(uri) != "file":
        return None
    from mlcore_artifacts_local.repo import LocalRepo

    return LocalRepo.open(uri)
