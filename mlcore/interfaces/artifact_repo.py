"""The contract of an artifact repository: where files of runs and models are kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from mlcore.entities import FileInfo


@runtime_checkable
class ArtifactRepo(Protocol):
    """Keep files under one root URI.

    To write one, make two files: `plugin.py` with the hook `artifact_repo`, and `repo.py` with a class that has
    these methods. The kernel has resolved every path (relative to the root, slashes, no `..`), walks trees,
    counts bytes, shows progress and computes checksums. Methods may be called from any thread.
    """

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path; empty for a file or a missing path."""
        ...

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        ...

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        ...

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there: readers see the old or the new one, never a part.

        Raises ArtifactWriteError: the place is full or refuses; nothing of the new file is left.
        """
        ...

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class SupportsStaging(Protocol):
    """A repository that can make a whole tree visible at once."""

    def staged(self, path: str) -> AbstractContextManager[ArtifactRepo]:
        """Return a repository to fill; its files appear under *path* together when the block ends well.

        When the block raises, nothing of it is left.
        Raises AlreadyExistsError at the end: somebody else put files there meanwhile; then nothing is published.
        """
        ...
