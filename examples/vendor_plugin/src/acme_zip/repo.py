"""Artifacts as members of a zip file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

from acme_zip.place import ZipPlace
from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, ArtifactWriteError
from mlcore.uris import relative_path


class ZipRepo:
    """Keep artifacts below one folder of a zip file."""

    def __init__(self, place: ZipPlace, folder: str) -> None:
        """Keep them in *folder* of *place*."""
        self._place = place
        self._root = f"{folder}/" if folder else ""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path."""
        start = self._start(path)
        names = {name[len(start) :].partition("/")[0] for name in self._place.read() if name.startswith(start)}
        prefix = f"{relative_path(path)}/" if relative_path(path) else ""
        return [info for name in sorted(names - {""}) if (info := self.stat(prefix + name))]

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        name = self._member(path)
        members = self._place.read()
        if name in members:
            return FileInfo(relative_path(path), is_dir=False, file_size=len(members[name]))
        is_dir = any(member.startswith(self._start(path)) for member in members)
        return FileInfo(relative_path(path), is_dir=True) if is_dir else None

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        content = self._place.read().get(self._member(path))
        if content is None:
            raise self._missing(path)
        return io.BytesIO(content)

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there."""
        parts = []
        while part := source.read(1 << 20):
            parts.append(part)
        content = b"".join(parts)
        if len(content) != size_bytes:
            raise ArtifactWriteError(
                f"cannot store {path!r}: expected {size_bytes} bytes, the source gave {len(content)}"
            )
        with self._place.change() as members:
            members[self._member(path)] = content

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        name, start = self._member(path), self._start(path)
        with self._place.change() as members:
            gone = [member for member in members if member == name or member.startswith(start)]
            if not gone:
                raise self._missing(path)
            for member in gone:
                del members[member]

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _member(self, path: str) -> str:
        # the kernel has resolved the path; who calls the class directly is held to the same rule
        return self._root + relative_path(path)

    def _start(self, path: str) -> str:
        """What the names of members below a directory begin with."""
        name = self._member(path)
        return name if not name or name.endswith("/") else f"{name}/"

    def _missing(self, path: str) -> ArtifactNotFoundError:
        return ArtifactNotFoundError(f"no artifact {path!r} in {str(self._place.path)!r}")
