"""An artifact repository in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, ArtifactWriteError


class MemoryRepo:
    """Keep artifacts in a dict of path to content; directories exist as long as there are files below."""

    def __init__(self) -> None:
        """Start empty."""
        self.files: dict[str, bytes] = {}

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path."""
        prefix = f"{path}/" if path else ""
        names = {name.removeprefix(prefix).partition("/")[0] for name in [*self.files] if name.startswith(prefix)}
        return [info for name in sorted(names) if (info := self.stat(prefix + name))]

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        content = self.files.get(path)
        if content is not None:
            return FileInfo(path, is_dir=False, file_size=len(content))
        is_dir = any(name.startswith(f"{path}/" if path else "") for name in [*self.files])
        return FileInfo(path, is_dir=True) if is_dir else None

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        if path not in self.files:
            raise ArtifactNotFoundError(f"no artifact {path!r} in memory")
        return io.BytesIO(self.files[path])

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there."""
        parts = []
        while part := source.read(1 << 20):
            parts.append(part)
        content = b"".join(parts)
        if len(content) != size_bytes:
            raise ArtifactWriteError(f"expected {size_bytes} bytes to store, the source gave {len(content)}")
        self.files[path] = content

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        found = [name for name in self.files if name == path or name.startswith(f"{path}/" if path else "")]
        if not found:
            raise ArtifactNotFoundError(f"no artifact {path!r} in memory")
        for name in found:
            del self.files[name]

    def close(self) -> None:
        """Do nothing."""
