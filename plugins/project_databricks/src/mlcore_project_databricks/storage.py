"""Files that both this machine and clusters of a workspace see: on DBFS, or in a volume of Unity Catalog."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Protocol
from urllib.parse import quote

from mlcore.errors import NotFoundError, StoreUnavailableError
from mlcore_project_databricks.workspace import Workspace

_BLOCK_BYTES = 1 << 20  # what DBFS takes and gives in one request, before base64
_PUT_BYTES = 700_000  # with base64 below one MB
_TRIES = 3


class Storage(Protocol):
    """A directory of a workspace; names are relative to it."""

    def mounted(self, name: str) -> str:
        """Return the path at which a cluster sees a file."""
        ...

    def program(self, name: str) -> str:
        """Return how a task names a Python file."""
        ...

    def exists(self, name: str) -> bool:
        """Say whether there is such a file."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole; replace what is there."""
        ...

    def read(self, name: str, offset: int = 0) -> bytes | None:
        """Return what a small file holds from a byte on; None when there is none."""
        ...


def storage_at(workspace: Workspace, root: str) -> Storage:
    """Open a directory: `dbfs:/...` or `/Volumes/...`."""
    if root.startswith("dbfs:"):
        return DbfsStorage(workspace, "/" + root.removeprefix("dbfs:").strip("/"))
    return VolumeStorage(workspace, root)


class DbfsStorage:
    """DBFS, by its API 2.0; clusters see it below `/dbfs`."""

    def __init__(self, workspace: Workspace, root: str) -> None:
        """Keep where it is. root: an absolute path in DBFS."""
        self._workspace = workspace
        self._root = root

    def mounted(self, name: str) -> str:
        """Return the path at which a cluster sees a file."""
        return f"/dbfs{self._root}/{name}"

    def program(self, name: str) -> str:
        """Return how a task names a Python file."""
        return f"dbfs:{self._root}/{name}"

    def exists(self, name: str) -> bool:
        """Say whether there is such a file."""
        try:
            self._workspace.get("/api/2.0/dbfs/get-status", path=f"{self._root}/{name}")
        except NotFoundError:
            return False
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole; replace what is there."""
        path = f"{self._root}/{name}"
        if len(content) <= _PUT_BYTES:
            body = {"path": path, "contents": b64encode(content).decode(), "overwrite": True}
            self._workspace.post("/api/2.0/dbfs/put", body)
            return
        for left in reversed(range(_TRIES)):
            try:
                self._write_blocks(path, content)
            except StoreUnavailableError:
                if not left:
                    raise
            else:
                return

    def _write_blocks(self, path: str, content: bytes) -> None:
        handle = self._workspace.post("/api/2.0/dbfs/create", {"path": path, "overwrite": True})["handle"]
        for start in range(0, len(content), _PUT_BYTES):
            data = b64encode(content[start : start + _PUT_BYTES]).decode()
            # not repeatable: a block whose answer was lost would be there twice
            self._workspace.post("/api/2.0/dbfs/add-block", {"handle": handle, "data": data}, repeatable=False)
        self._workspace.post("/api/2.0/dbfs/close", {"handle": handle}, repeatable=False)

    def read(self, name: str, offset: int = 0) -> bytes | None:
        """Return at most one MB of what a file holds from a byte on; None when there is none."""
        path = f"{self._root}/{name}"
        try:
            found = self._workspace.get("/api/2.0/dbfs/read", path=path, offset=offset, length=_BLOCK_BYTES)
        except NotFoundError:
            return None
        return b64decode(str(found.get("data") or ""))


class VolumeStorage:
    """A volume of Unity Catalog, by the Files API; clusters see it under the same path."""

    def __init__(self, workspace: Workspace, root: str) -> None:
        """Keep where it is. root: `/Volumes/CATALOG/SCHEMA/VOLUME`, and a directory in it."""
        self._workspace = workspace
        self._root = root.rstrip("/")

    def mounted(self, name: str) -> str:
        """Return the path at which a cluster sees a file."""
        return f"{self._root}/{name}"

    def program(self, name: str) -> str:
        """Return how a task names a Python file."""
        return self.mounted(name)

    def exists(self, name: str) -> bool:
        """Say whether there is such a file."""
        answer = self._workspace.raw("HEAD", self._target(name))
        if answer.status == 404:
            return False
        self._workspace.good(self._target(name), answer)
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole; replace what is there."""
        folder = self.mounted(name).rpartition("/")[0]
        target = f"/api/2.0/fs/directories{quote(folder)}"
        self._workspace.good(target, self._workspace.raw("PUT", target))
        target = f"{self._target(name)}?overwrite=true"
        self._workspace.good(target, self._workspace.raw("PUT", target, content))

    def read(self, name: str, offset: int = 0) -> bytes | None:
        """Return what a file holds from a byte on; None when there is none."""
        answer = self._workspace.raw("GET", self._target(name))
        return None if answer.status == 404 else self._workspace.good(self._target(name), answer).body[offset:]

    def _target(self, name: str) -> str:
        return f"/api/2.0/fs/files{quote(self.mounted(name))}"
