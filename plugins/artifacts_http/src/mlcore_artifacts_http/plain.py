"""One file at a URL, to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, NoReturn
from urllib.parse import quote

from mlcore.entities import FileInfo
from mlcore.errors import UnsupportedError
from mlcore.interfaces import HashedFile
from mlcore.remote.client import Remote
from mlcore.remote.exchange import Request
from mlcore_artifacts_http.answers import failed, fetch, opened, told_version

_LARGE_BYTES = 8 << 20


class PlainFileRepo:
    """A URL of any server: files at it and below it are read; a web server lists, stores and deletes nothing."""

    def __init__(self, remote: Remote, target: str, shown: str) -> None:
        """Read *target*, path and query as they are sent; *shown* is the URL without what is secret."""
        self._remote = remote
        self._target = target
        self._shown = shown

    @property
    def parallel_files(self) -> int:
        """How many files may be read at once."""
        return 4

    @property
    def large_file_bytes(self) -> int:
        """From which size on a download is continued when it breaks off."""
        return _LARGE_BYTES

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Refuse. Raises UnsupportedError: HTTP has no listings."""
        self._refuse(f"cannot list {self._name(path)!r}")

    def stat(self, path: str) -> FileInfo | None:
        """Return what the server tells of a file; None when it is not there."""
        target = self._at(path)
        with self._remote.open(Request("HEAD", target, {})) as response:
            if response.status in (404, 410):
                return None
            if response.status in (403, 405, 501):  # a server, or a signed URL, that allows GET only
                return FileInfo(path, is_dir=False, file_size=None)
            if response.status != 200:
                raise failed(self._remote, target, response, self._name(path))
            length = response.headers.get("content-length", "")
        return FileInfo(path, is_dir=False, file_size=int(length) if length.isdigit() else None)

    def fingerprint(self, path: str) -> str | None:
        """Return what the server tells of the file's version; None when it tells nothing."""
        return told_version(self._remote, self._at(path))

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        return opened(self._remote, self._at(path), self._name(path))

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:  # noqa: ARG002  # the protocol's
        """Refuse. Raises UnsupportedError."""
        self._refuse(f"cannot store {self._name(path)!r}")

    def delete(self, path: str) -> None:
        """Refuse. Raises UnsupportedError."""
        self._refuse(f"cannot delete {self._name(path)!r}")

    def put_file(self, path: str, file: HashedFile, advance: Callable[[int], object]) -> None:  # noqa: ARG002  # the protocol's
        """Refuse. Raises UnsupportedError."""
        self._refuse(f"cannot store {self._name(path)!r}")

    def get_file(self, path: str, local: str, advance: Callable[[int], object]) -> str | None:
        """Fetch a large file, going on where the connection broke."""
        return fetch(self._remote, self._at(path), self._name(path), local, advance)

    def close(self) -> None:
        """Let go of connections."""
        self._remote.close()

    def _at(self, path: str) -> str:
        if not path:
            return self._target
        base, mark, query = self._target.partition("?")
        return f"{base.rstrip('/')}/{quote(path, safe='/')}{mark}{query}"

    def _name(self, path: str) -> str:
        return f"{self._shown}/{path}" if path else self._shown

    def _refuse(self, what: str) -> NoReturn:
        raise UnsupportedError(
            f"{what}: plain http(s) URLs are for reading single files; give the URL of a file, or an "
            "mlflow-artifacts: URI for the artifact proxy of a server"
        )
