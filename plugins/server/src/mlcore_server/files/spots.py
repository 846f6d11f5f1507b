"""From what a request names to the file that is meant; no other place of the server makes one from the other."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, InvalidParameterError
from mlcore.interfaces import ArtifactRepo
from mlcore.uris import relative_path
from mlcore_server.stores import Stores


class IsDirectoryError(InvalidParameterError):
    """A file was asked for, and a directory is there."""


@frozen
class Spot:
    """A place for a file or directory: a path in a repository, and what the client called it."""

    repo: ArtifactRepo
    path: str
    asked: str

    def children(self) -> tuple[FileInfo, ...]:
        """Return what is in the directory; empty when it is none."""
        return tuple(self.repo.list(self.path))

    def file_info(self) -> FileInfo:
        """Return what is known of the file.

        Raises ArtifactNotFoundError: nothing is there. IsDirectoryError.
        """
        found = self.repo.stat(self.path)
        if found is None:
            raise self.missing()
        if found.is_dir:
            raise IsDirectoryError(f"Artifact path refers to a directory, not a file: '{self.asked}'")
        return found

    def missing(self) -> ArtifactNotFoundError:
        """Return the error for a file that is not there; it does not tell where the server keeps its files."""
        return ArtifactNotFoundError(f"No such artifact: '{self.asked}'")


def proxied(stores: Stores, path: str) -> Spot:
    """Return the place of a *path* in the artifact proxy. Raises InvalidParameterError: it leads elsewhere."""
    checked = relative_path(path)
    return Spot(stores.repo(stores.places.destination), checked, checked)


def below(stores: Stores, uri: str, path: str) -> Spot:
    """Return the place of a *path* below an artifact *uri* from the store.

    Raises InvalidParameterError: the path leads elsewhere. PermissionDeniedError: the server does not read at *uri*.
    """
    checked = relative_path(path)
    root, inside = stores.places.located(uri)
    return Spot(stores.repo(root), "/".join(part for part in (inside, checked) if part), checked)


def is_directory_name(path: str) -> bool:
    """Whether a path is spelled as one of a directory, which nobody can upload."""
    return path.endswith("/") or not path
