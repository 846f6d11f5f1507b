"""The hooks of mlcore-artifacts-s3."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.uris import scheme


@hookimpl
def artifact_repo(uri: str) -> ArtifactRepo | None:
    """Open `s3:` and `s3a:` URIs."""
    if scheme(uri) not in ("s3", "s3a"):
        return None
    from mlcore_artifacts_s3.repo import S3Repo  # boto3 costs a quarter of a second; pay it here

    return S3Repo.open(uri)
