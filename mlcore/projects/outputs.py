"""A digest of what a run has made: another one when an artifact came, went or changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlcore.errors import ArtifactNotFoundError
from mlcore.interfaces import SupportsFingerprint
from mlcore.uris import local_path, scheme

if TYPE_CHECKING:
    from mlcore.entities import FileInfo
    from mlcore.interfaces import ArtifactRepo
    from mlcore.tracking.run_artifacts import RunArtifacts
    from mlcore.tracking.session import Session

MAX_READ_BYTES: int = 256 << 20  # half a second or so; a step that makes more is not to pay for it at each look
MAX_ASKED = 200  # files of which a place is asked, one by one


def digest(run: RunArtifacts, session: Session) -> str:
    """Return a digest of the paths, sizes and content of all artifacts of a run.

    On this machine files are read, until `MAX_READ_BYTES` have been; of the others the time of modification stands for
    the content. Elsewhere it is what the place tells without reading (a checksum, an ETag), of `MAX_ASKED` files; where
    it tells nothing, path and size are all.
    Raises StoreUnavailableError, ArtifactNotFoundError: they can't be looked at.
    """
    files = sorted(_files(run, ""), key=lambda info: info.path)
    uri = run.artifact_uri
    if not files:
        marks: list[str | None] = []
    elif scheme(uri) == "file":
        marks = _here(uri, files)
    else:
        marks = _elsewhere(session.repo(uri, run.tracking_uri), files)
    listed = [(info.path, info.file_size, mark) for info, mark in zip(files, marks, strict=True)]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:32]


def _files(run: RunArtifacts, folder: str) -> Iterator[FileInfo]:
    for info in run.list_artifacts(folder or None):
        if info.is_dir:
            yield from _files(run, info.path)
        else:
            yield info


def _here(uri: str, files: list[FileInfo]) -> list[str | None]:
    root, left = local_path(uri), MAX_READ_BYTES
    found: list[str | None] = []
    for info in files:
        path = root / info.path
        left -= info.file_size or 0
        try:
            if left < 0:
                found.append(f"time {path.stat().st_mtime_ns}")
                continue
            with path.open("rb") as file:
                found.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as err:
            raise ArtifactNotFoundError(f"artifact {info.path!r} can't be read: {err.strerror or err}") from err
    return found


def _elsewhere(repo: ArtifactRepo, files: list[FileInfo]) -> list[str | None]:
    if not isinstance(repo, SupportsFingerprint):
        return [None] * len(files)
    return [repo.fingerprint(info.path) if at < MAX_ASKED else None for at, info in enumerate(files)]
