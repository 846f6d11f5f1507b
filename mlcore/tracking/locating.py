"""Find what an artifact URI names, and bring it to this machine."""

from __future__ import annotations

import tempfile
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mlcore.artifacts.resolve import Location, LoggedModelName, ModelName, locate
from mlcore.artifacts.transfer import download_file, download_tree
from mlcore.errors import ArtifactNotFoundError, InvalidParameterError, NotFoundError
from mlcore.interfaces import SupportsLoggedModels
from mlcore.registry.finding import find_version
from mlcore.tracking.offline import artifact_root
from mlcore.tracking.session import Session
from mlcore.uris import local_path, redacted, scheme


def find(session: Session, uri: str, tracking_uri: str | None = None) -> Location:
    """Follow *uri* to a root that an artifact plugin opens, and a path below it."""

    def run_root(run_id: str) -> str:
        return artifact_root(session, run_id, tracking_uri)

    def model_source(named: ModelName) -> str:
        if isinstance(named, LoggedModelName):
            store = session.store(tracking_uri)
            if isinstance(store, SupportsLoggedModels):
                return _logged(store, named.model_id)
        return find_version(session.registry(), named).source

    return locate(uri, run_root=run_root, model_source=model_source)


def _logged(store: SupportsLoggedModels, model_id: str) -> str:
    try:
        return store.get_logged_model(model_id).artifact_uri
    except NotFoundError as err:
        if model_id.startswith("m-"):
            raise
        raise NotFoundError(
            f"{err}; if {model_id!r} is a registered model, say which version: models:/{model_id}/VERSION, "
            f"models:/{model_id}/STAGE, models:/{model_id}@ALIAS or models:/{model_id}/latest"
        ) from err


def download(
    session: Session, uri: str, dst_path: str | PathLike[str] | None = None, tracking_uri: str | None = None
) -> Path:
    """Bring what *uri* names to this machine and return its path; see `artifact_api.download_artifacts`."""
    return download_from(session, located(session, uri, tracking_uri), uri, dst_path, tracking_uri)


def located(session: Session, uri: str, tracking_uri: str | None = None) -> Location:
    """Return the root and path of the file or folder that *uri* names.

    Raises ArtifactNotFoundError: it names a remote place where nothing is.
    """
    found = find(session, uri, tracking_uri)
    return _file_or_folder(session, uri, tracking_uri) if found == Location(uri) and scheme(uri) != "file" else found


def download_from(
    session: Session,
    found: Location,
    uri: str,
    dst_path: str | PathLike[str] | None = None,
    tracking_uri: str | None = None,
) -> Path:
    """Bring what is at *found* to this machine; *uri* is what was asked for, for errors."""
    if dst_path is None and scheme(found.root_uri) == "file":
        return _in_place(found, uri)
    repo = session.repo(found.root_uri, tracking_uri)
    info = repo.stat(found.path)
    if info is None and found.path:
        raise ArtifactNotFoundError(
            f"no artifact {found.path!r} under {redacted(found.root_uri)!r} (asked for {redacted(uri)!r})"
        )
    root = destination(dst_path)
    target = root / found.name if found.path else root
    if info is not None and not info.is_dir:
        download_file(repo, found.path, root / found.name)
        return root / found.name
    download_tree(repo, found.path, target)
    return target


def _file_or_folder(session: Session, uri: str, tracking_uri: str | None) -> Location:
    """Return how a remote place is opened: as a folder, or as a file of the folder above.

    Raises ArtifactNotFoundError: nothing is there. Many repositories call every root a folder, and an empty one so.
    """
    repo = session.repo(uri, tracking_uri)
    info = repo.stat("")
    if info is not None and (not info.is_dir or any(True for _ in repo.list(""))):
        return Location(uri)
    parts = urlsplit(uri)
    above, _, name = parts.path.rpartition("/")
    if above.strip("/") and name:
        folder = Location(urlunsplit(parts._replace(path=above)), name)
        if session.repo(folder.root_uri, tracking_uri).stat(name) is not None:
            return folder
    raise ArtifactNotFoundError(f"nothing is at {redacted(uri)!r}: expected a file, or a folder that holds some")


def destination(dst_path: str | PathLike[str] | None) -> Path:
    """Return the directory to put downloads into, a new temporary one when none is given.

    Raises InvalidParameterError: *dst_path* is no path, or there is a file in its place.
    """
    if dst_path is None:
        return Path(tempfile.mkdtemp(prefix="mlcore-"))
    if not isinstance(dst_path, (str, PathLike)):
        raise InvalidParameterError(f"invalid dst_path {dst_path!r}: expected the path of a directory")
    if Path(dst_path).exists() and not Path(dst_path).is_dir():
        raise InvalidParameterError(
            f"dst_path {str(dst_path)!r} is a file: expected a directory, or a path to make one"
        )
    return Path(dst_path)


def _in_place(found: Location, uri: str) -> Path:
    root = local_path(found.root_uri)
    path = root / found.path if found.path else root
    if not path.resolve().is_relative_to(root.resolve()):
        raise InvalidParameterError(
            f"artifact {found.path!r} under {found.root_uri!r} leads out of it by a symbolic link"
        )
    if not path.exists():
        raise ArtifactNotFoundError(f"no artifact at {str(path)!r} (asked for {redacted(uri)!r})")
    return path
