"""An artifact repository of MLflow behind our contract.

MLflow's repositories move whole local files, so every `read` and `write` goes through a temporary one. What they store
is looked at afterwards, because some drop errors. A file is replaced as atomically as the repository itself does it.
"""

from __future__ import annotations

import io
import posixpath
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    InvalidParameterError,
    NotFoundError,
    PluginError,
    UnsupportedError,
)
from mlcore.plugin_index import PluginEntry
from mlcore.uris import redacted, relative_path
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import built, fitting, quiet

_CHUNK_BYTES = 1 << 20


class TheirInfo(Protocol):
    """MLflow's FileInfo."""

    path: str
    is_dir: bool
    file_size: int | None


class TheirRepo(Protocol):
    """What is called of MLflow's ArtifactRepository."""

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> object:
        """Store a local file in a folder."""
        ...

    def list_artifacts(self, path: str | None) -> Iterable[TheirInfo] | None:
        """Return what is in a folder, by some also what is below."""
        ...

    def _download_file(self, remote_file_path: str, local_path: str) -> object: ...


def open_repo(entry: PluginEntry, uri: str) -> BridgedRepo:
    """Open the repository at *uri*."""
    make = built(entry)
    with Guard(entry, "opening the repository"), quiet():
        # releases before 2.20 gave the URI alone, and so do the constructors of plugins that were written for them
        further = fitting(make, {"tracking_uri": None, "registry_uri": None})
        return BridgedRepo(cast(TheirRepo, make(uri, **further)), entry, uri)


class BridgedRepo:
    """Files in a repository that was written for MLflow."""

    def __init__(self, theirs: TheirRepo, entry: PluginEntry, uri: str) -> None:
        """Keep files in *theirs*, which was opened at *uri* by the plugin of *entry*."""
        self._theirs = theirs
        self._entry = entry
        self._uri = redacted(uri)

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path; empty for a file or a missing path."""
        path = relative_path(path)
        try:
            return self._listed(path)
        except NotFoundError:
            return ()
        except PluginError:
            # not every plugin says in a way that can be understood that there is no such folder
            found = self.stat(path) if path else None
            if path and (found is None or not found.is_dir):
                return ()
            raise

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        path = relative_path(path)
        if not path:
            return FileInfo("", is_dir=True)
        return next((info for info in self.list(posixpath.dirname(path)) if info.path == path), None)

    def read(self, path: str) -> BinaryIO:
        """Fetch a file and open it for reading. Raises ArtifactNotFoundError: there is no such file."""
        path = relative_path(path)
        found = self.stat(path)
        if found is None or found.is_dir:
            raise ArtifactNotFoundError(f"no artifact {path!r} under {self._uri!r}")
        folder = tempfile.TemporaryDirectory(prefix="mlcore-bridge-")
        local = Path(folder.name) / "file"
        try:
            with Guard(self._entry, "_download_file"):
                self._theirs._download_file(path, str(local))
            return _Fetched(local, folder)
        except FileNotFoundError as err:
            folder.cleanup()
            raise ArtifactNotFoundError(
                f"no artifact {path!r} under {self._uri!r}: {self._entry} fetched nothing"
            ) from err
        except BaseException:
            folder.cleanup()
            raise

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there, and look whether it arrived.

        Raises ArtifactWriteError: the place refuses, or dropped the file without a word.
        """
        path = relative_path(path)
        if not path:
            raise InvalidParameterError("cannot write the root of the artifacts: give a path such as 'plots/roc.png'")
        folder, _, name = path.rpartition("/")
        with tempfile.TemporaryDirectory(prefix="mlcore-bridge-") as temporary:
            local = Path(temporary) / name
            _spool(source, local, size_bytes)
            try:
                with Guard(self._entry, "log_artifact"):
                    self._theirs.log_artifact(str(local), folder or None)
            except PluginError as err:
                raise ArtifactWriteError(f"cannot store {path!r} under {self._uri!r}: {err.message}") from err
        found = self.stat(path)
        if found is None or (found.file_size is not None and found.file_size != size_bytes):
            there = "nothing" if found is None else f"{found.file_size} bytes"
            raise ArtifactWriteError(
                f"cannot store {path!r} under {self._uri!r}: {self._entry} raised no error, but of {size_bytes} bytes "
                f"{there} can be found there. Look at the logs of the place"
            )

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        path = relative_path(path)
        if self.stat(path) is None:
            raise ArtifactNotFoundError(f"no artifact {path!r} under {self._uri!r}")
        delete: Callable[[str | None], object] | None = getattr(self._theirs, "delete_artifacts", None)
        if delete is None:
            raise UnsupportedError(f"{self._entry} cannot delete artifacts: its class has no delete_artifacts")
        with Guard(self._entry, "delete_artifacts"):
            delete(path or None)
        if path and self.stat(path) is not None:
            raise UnsupportedError(f"{self._entry} left {path!r} where it is; its documentation may name a setting")

    def close(self) -> None:
        """End the threads that MLflow's base class has started."""
        shutdown = getattr(getattr(self._theirs, "thread_pool", None), "shutdown", None)
        if shutdown is not None:
            shutdown(wait=False)

    def _listed(self, path: str) -> tuple[FileInfo, ...]:
        with Guard(self._entry, "list_artifacts"):
            found = list(self._theirs.list_artifacts(path or None) or ())
        return children(path, found)


def children(path: str, found: Iterable[TheirInfo]) -> tuple[FileInfo, ...]:
    """Return the direct children of *path*, sorted, from what a repository lists.

    Some list whole trees as files, some the folder itself as `.`, and some a file as its own content.
    """
    prefix = f"{path}/" if path else ""
    direct: dict[str, FileInfo] = {}
    for info in found:
        shown = posixpath.normpath(info.path)
        name, _, below = shown.removeprefix(prefix).partition("/")
        if not shown.startswith(prefix) or name in ("", ".", ".."):
            continue
        is_dir = bool(below) or bool(info.is_dir)
        size = None if is_dir or info.file_size is None else int(info.file_size)
        direct[name] = FileInfo(prefix + name, is_dir=is_dir, file_size=size)
    return tuple(sorted(direct.values(), key=lambda each: each.path))


def _spool(source: BinaryIO, local: Path, size_bytes: int) -> None:
    written = 0
    try:
        with local.open("xb") as file:
            while data := source.read(_CHUNK_BYTES):
                written += file.write(data)
    except OSError as err:
        raise ArtifactWriteError(f"cannot keep {local.name!r} on its way in {tempfile.gettempdir()!r}: {err}") from err
    if written != size_bytes:
        raise ArtifactWriteError(f"expected {size_bytes} bytes to store, the source gave {written}")


class _Fetched(io.BufferedReader):
    """A fetched file, which is removed when it is closed."""

    def __init__(self, local: Path, folder: tempfile.TemporaryDirectory[str]) -> None:
        super().__init__(io.FileIO(local))
        self._folder = folder

    def close(self) -> None:
        super().close()
        self._folder.cleanup()
