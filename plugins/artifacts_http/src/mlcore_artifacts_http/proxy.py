"""Artifacts behind a server's artifact proxy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import BinaryIO
from urllib.parse import quote, urlencode

from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    CorruptStoreError,
    InvalidParameterError,
    MlcoreError,
    StoreUnavailableError,
)
from mlcore.interfaces import HashedFile
from mlcore.remote.client import Remote
from mlcore.remote.exchange import Body, Request
from mlcore.uris import PROXY_PATH, relative_path
from mlcore_artifacts_http.answers import digest_header, failed, fetch, opened, told_version
from mlcore_artifacts_http.json_answers import json_answer
from mlcore_artifacts_http.multipart import put_in_parts
from mlcore_artifacts_http.sources import FileSource, Remaining
from mlcore_artifacts_http.talents import Talents

_LARGE_BYTES = 8 << 20
_IN_MEMORY = 1 << 20
_PARALLEL = 8


class ProxyRepo:
    """Keep artifacts below a path of the proxy."""

    def __init__(self, remote: Remote, root: str) -> None:
        """Ask *remote*; *root* is relative to what the proxy serves."""
        self._remote = remote
        self._root = root
        self._talents = Talents(remote)

    @property
    def parallel_files(self) -> int:
        """How many small files may be moved at once."""
        return _PARALLEL

    @property
    def large_file_bytes(self) -> int:
        """From which size on a file is hashed before it is sent, and its download continued when it breaks off."""
        return _LARGE_BYTES

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path; empty for a file or a missing path."""
        folder = relative_path(path)
        asked = "/".join(part for part in (self._root, folder) if part)
        target = PROXY_PATH + (f"?{urlencode({'path': asked})}" if asked else "")
        answer = json_answer(self._remote, "GET", target, shown=folder)
        files = answer.get("files")
        found: dict[str, FileInfo] = {}
        for each in files if isinstance(files, list) else ():
            name = str(each.get("path", "")).rstrip("/").rpartition("/")[2]
            is_dir = bool(each.get("is_dir"))
            if not name or relative_path(name) != name:
                raise CorruptStoreError(f"{self._remote.place.shown} lists {name!r}, which is no name of a file")
            full = f"{folder}/{name}" if folder else name
            found[name] = FileInfo(full, is_dir=is_dir, file_size=None if is_dir else int(each.get("file_size") or 0))
        return sorted(found.values(), key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        checked = relative_path(path)
        if not checked:
            return FileInfo("", is_dir=True)
        listed = self.list(checked.rpartition("/")[0])
        return next((info for info in listed if info.path == checked), None)

    def fingerprint(self, path: str) -> str | None:
        """Return what the server tells of the file's version; None when it tells nothing, as MLflow's does not."""
        return told_version(self._remote, self._remote.place.prefix + self._target(path))

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        return opened(self._remote, self._remote.place.prefix + self._target(path), path)

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there."""
        if size_bytes > _IN_MEMORY:
            self._put(path, Remaining(source, size_bytes), None)
            return
        content = source.read(size_bytes + 1)
        while len(content) < size_bytes and (more := source.read(size_bytes + 1 - len(content))):
            content += more
        if len(content) == size_bytes:
            content += source.read(1)
        if len(content) != size_bytes:
            size = len(content) + len(source.read())
            raise ArtifactWriteError(
                f"cannot store {path!r}: it was announced with {size_bytes} bytes, not {size} bytes"
            )
        self._put(path, content, hashlib.sha256(content).hexdigest())

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        checked = relative_path(path)
        if self.stat(checked) is None or (not checked and not self.list()):
            raise ArtifactNotFoundError(f"no artifact {path!r} at {self._remote.place.shown}")
        targets = [self._target(checked)] if checked or self._root else [self._target(i.path) for i in self.list()]
        for target in targets:
            json_answer(self._remote, "DELETE", target, shown=path)

    def put_file(self, path: str, file: HashedFile, advance: Callable[[int], object]) -> None:
        """Store a large local file: in parts straight to the storage where the server offers that, else through it."""
        target = self._target(path)
        if self._talents.has_multipart and put_in_parts(self._remote, target, file, advance):
            return
        self._put(path, FileSource(file, advance), file.sha256)

    def get_file(self, path: str, local: str, advance: Callable[[int], object]) -> str | None:
        """Fetch a large file, going on where the connection broke."""
        return fetch(self._remote, self._remote.place.prefix + self._target(path), path, local, advance)

    def close(self) -> None:
        """Let go of connections."""
        self._remote.close()

    def _put(self, path: str, body: Body, sha256: str | None) -> None:
        target = self._target(path)
        headers = {"content-type": "application/octet-stream"}
        if sha256 is not None:
            headers["repr-digest"] = digest_header(sha256)
        is_repeatable = isinstance(body, bytes | FileSource)
        request = Request("PUT", self._remote.place.prefix + target, headers, body, repeatable=is_repeatable)
        with self._remote.open(request) as response:
            if response.status != 200:
                told = failed(self._remote, target, response, path)
                raise _refused(told, path) from told
            response.readall()

    def _target(self, path: str) -> str:
        checked = relative_path(path)
        full = "/".join(part for part in (self._root, checked) if part)
        if not full:
            raise InvalidParameterError(f"invalid artifact path {path!r}: expected the name of a file below the root")
        return f"{PROXY_PATH}/{quote(full, safe='/')}"


def _refused(err: MlcoreError, path: str) -> MlcoreError:
    if isinstance(err, StoreUnavailableError | ArtifactWriteError) or err.status in (401, 403, 429):
        return err
    return ArtifactWriteError(f"cannot store {path!r}: {err.message}")
