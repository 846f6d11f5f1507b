"""Bring a model to this machine: by path, or by any URI that an artifact plugin opens."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path

from attrs import evolve, frozen

from mlcore.errors import ModelFormatError
from mlcore.uris import join, local_path, scheme


@frozen
class LocalModel:
    """A model's files on this machine.

    temporary: the directory to remove when the model is no longer used; None when they are kept elsewhere.
    """

    path: Path
    temporary: Path | None = None

    def discard(self) -> None:
        """Remove the files if they were fetched for this use only."""
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)


def fetch(model_uri: str | PathLike[str], dst_path: str | PathLike[str] | None = None) -> LocalModel:
    """Return the local files of *model_uri*; what is on this machine is used in place.

    dst_path: directory to copy them to and keep them in.
    Raises ArtifactNotFoundError, ModelFormatError: nothing is there.
    """
    uri = fspath(model_uri)
    if scheme(uri) == "file" and dst_path is None:
        path = local_path(uri)
        if not path.exists():
            raise ModelFormatError(f"no model at {str(path)!r}: expected a directory with the file MLmodel")
        return LocalModel(path)
    from mlcore.tracking.locating import download, find
    from mlcore.tracking.session import current_session

    session = current_session()
    if dst_path is not None or scheme(find(session, uri).root_uri) == "file":
        return LocalModel(download(session, uri, dst_path))
    temporary = Path(tempfile.mkdtemp(prefix="mlcore-model-"))
    try:
        return LocalModel(download(session, uri, temporary), temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def fetched(model_uri: str | PathLike[str]) -> Iterator[Path]:
    """Yield the local path of *model_uri* for the time of the block."""
    local = fetch(model_uri)
    try:
        yield local.path
    finally:
        local.discard()


@contextmanager
def fetched_part(model_uri: str | PathLike[str], name: str) -> Iterator[Path]:
    """Yield the local path of one file of a model for the time of the block; the others are not fetched.

    Raises ArtifactNotFoundError, ModelFormatError: it is not there.
    """
    uri = fspath(model_uri)
    if scheme(uri) == "file":
        with fetched(join(uri, name)) as path:
            yield path
        return
    from mlcore.tracking.locating import download_from, find
    from mlcore.tracking.session import current_session

    session = current_session()
    found = find(session, uri)
    # the place of the model is what a plugin opens: many know no place that is a file
    part = evolve(found, path="/".join(filter(None, (found.path, name))))
    with tempfile.TemporaryDirectory(prefix="mlcore-model-") as temporary:
        yield download_from(session, part, uri, None if scheme(found.root_uri) == "file" else temporary)


def part_of(model_uri: str, name: str) -> str:
    """Return the URI of one file of a model; a `models:/` URI has no room for a path, so what it names is looked up."""
    if scheme(model_uri) != "models":
        return join(model_uri, name)
    from mlcore.tracking.locating import find
    from mlcore.tracking.session import current_session

    found = find(current_session(), model_uri)
    return join(found.root_uri, found.path, name)
