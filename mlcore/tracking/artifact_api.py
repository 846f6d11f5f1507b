"""Artifacts by URI, under the names of `mlflow.artifacts`. Reached as `mlcore.artifacts`."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import PurePosixPath

from mlcore.artifacts.resolve import Location
from mlcore.entities import FileInfo
from mlcore.errors import InvalidParameterError, MissingDependencyError
from mlcore.tracking.locating import download, find
from mlcore.tracking.session import current_session
from mlcore.uris import relative_path


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | PathLike[str] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Fetch a file or directory by URI, or by run and path, and return its local path.

    artifact_uri: `runs:/<run id>/<path>`, a local path, or any URI that an artifact plugin opens.
    dst_path: directory to put it into; when not given, what is on this machine already is returned in place, anything
    else goes to a new temporary directory.
    Raises ArtifactNotFoundError: nothing is there.
    """
    uri = _chosen(artifact_uri, run_id, artifact_path)
    return str(download(current_session(), uri, dst_path, tracking_uri))


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """Return the direct children of a directory of artifacts, sorted by path; empty for a file."""
    session = current_session()
    found = find(session, _chosen(artifact_uri, run_id, artifact_path), tracking_uri)
    return list(session.repo(found.root_uri, tracking_uri).list(found.path))


def load_text(artifact_uri: str) -> str:
    """Return a text artifact, decoded as UTF-8."""
    return _read(artifact_uri).decode("utf-8")


def load_dict(artifact_uri: str) -> object:
    """Return the content of a JSON or YAML artifact, as its name says."""
    text = load_text(artifact_uri)
    if PurePosixPath(artifact_uri).suffix.lower() in (".yml", ".yaml"):
        from mlcore.wire.yaml_text import load_yaml

        return load_yaml(text, artifact_uri)
    try:
        return json.loads(text)
    except json.JSONDecodeError as err:
        raise InvalidParameterError(f"artifact {artifact_uri!r} is not JSON: {err}") from err


def load_image(artifact_uri: str) -> object:
    """Return an image artifact as a PIL image."""
    try:
        from PIL import Image
    except ImportError as err:
        raise MissingDependencyError("load_image needs Pillow: pip install pillow") from err
    import io

    return Image.open(io.BytesIO(_read(artifact_uri)))


def _read(uri: str) -> bytes:
    session = current_session()
    found = find(session, uri)
    if not found.path:
        parent, _, name = found.root_uri.rstrip("/").rpartition("/")
        found = Location(parent or "/", name)
    with session.repo(found.root_uri).read(relative_path(found.path)) as file:
        return file.read()


def _chosen(artifact_uri: str | None, run_id: str | None, artifact_path: str | None) -> str:
    if (artifact_uri is None) == (run_id is None):
        raise InvalidParameterError(
            f"expected either artifact_uri or run_id, got artifact_uri={artifact_uri!r} and run_id={run_id!r}"
        )
    if artifact_uri is not None and (not isinstance(artifact_uri, str) or not artifact_uri):
        raise InvalidParameterError(
            f"invalid artifact URI {artifact_uri!r}: expected one such as 'runs:/<run id>/<path>'"
        )
    return artifact_uri if artifact_uri is not None else f"runs:/{run_id}/{artifact_path or ''}"
