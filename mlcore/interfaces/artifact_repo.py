"""The contract of an artifact repository: where files of runs and models are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, runtime_checkable

from attrs import field, frozen

from mlcore.entities import FileInfo


@frozen
class HashedFile:
    """A local file that the kernel has read and hashed, to be stored.

    local: its path here.
    sha256: of its content, in hexadecimal.
    modified_ns: its time of modification when it was hashed, ns since the epoch.
    """

    local: str
    size_bytes: int
    sha256: str
    modified_ns: int


@frozen
class PresignedUrl:
    """A URL that allows one request without credentials, for some time; treat it as a secret.

    headers: what the request has to send besides.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)


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


@runtime_checkable
class SupportsFileTransfer(Protocol):
    """A repository that moves several small files at once, and a large one over several connections."""

    @property
    def parallel_files(self) -> int:
        """How many files the kernel may `read` and `write` at once, each in a thread of its own."""
        ...

    @property
    def large_file_bytes(self) -> int:
        """The size from which on a file is moved by `put_file` and `get_file`, one at a time."""
        ...

    def put_file(self, path: str, file: HashedFile, advance: Callable[[int], object]) -> None:
        """Store a large local file, replacing what is there; continue an earlier attempt that broke off.

        advance: told of the bytes that went over, from any thread.
        Raises ArtifactWriteError: the place refuses, or the file is no longer what was hashed; nothing of it is
        visible. StoreUnavailableError: it broke off; nothing is visible, and a second attempt continues.
        """
        ...

    def get_file(self, path: str, local: str, advance: Callable[[int], object]) -> str | None:
        """Fetch a large file into the empty local file that the kernel has made.

        Returns the SHA-256 that was recorded when it was stored, which the kernel compares; None when unknown.
        Raises ArtifactNotFoundError: there is no such file. StoreUnavailableError: it broke off, or was replaced
        meanwhile.
        """
        ...


@runtime_checkable
class SupportsArrivals(Protocol):
    """A repository that tells what of a large file has arrived, so that it is hashed meanwhile and not afterwards."""

    def get_file_in_pieces(self, path: str, local: str, arrived: Callable[[int, int], object]) -> str | None:
        """Do the same as `SupportsFileTransfer.get_file`.

        arrived: told of each piece that lies in the local file, its start and length in bytes, from any thread.
        """
        ...


@runtime_checkable
class SupportsRanges(Protocol):
    """A repository that gives a part of a file; of use where what `read` opens cannot seek."""

    def read_range(self, path: str, start: int, end: int) -> BinaryIO:
        """Open the bytes of a file from *start* to *end*, the last one exclusive: 0 <= start < end <= its size.

        Raises ArtifactNotFoundError: there is no such file. StoreUnavailableError: it has no such part any more.
        """
        ...


@runtime_checkable
class SupportsFingerprint(Protocol):
    """A repository that tells whether a file is the one that was read before; what was fetched once is used again."""

    def fingerprint(self, path: str) -> str | None:
        """Return a short text that is another one whenever the file's content is, without reading the file.

        None when the place tells nothing of the kind, or there is no such file.
        """
        ...


@runtime_checkable
class SupportsPresign(Protocol):
    """A repository that lets clients move files directly, without this process carrying the bytes."""

    def presigned_url(self, path: str, method: str, expires_s: int) -> PresignedUrl:
        """Return a URL for one `GET` or `PUT` of a file; whether the file exists is not looked at.

        expires_s: for how many seconds it is good, 1 to 604,800.
        Raises InvalidParameterError: another method or time. UnauthenticatedError: there are no credentials.
        """
        ...


@runtime_checkable
class SupportsParts(Protocol):
    """A repository to which clients send a file in parts, directly; nothing is visible before all of it is there."""

    def begin_parts(self, path: str) -> str:
        """Begin to store a file; return the id of the upload. Raises ArtifactWriteError: the place refuses."""
        ...

    def part_url(self, path: str, upload_id: str, number: int, expires_s: int) -> PresignedUrl:
        """Return a URL for the `PUT` of one part, whose answer has an `ETag`.

        number: from 1. expires_s: as of `SupportsPresign`.
        Raises InvalidParameterError: another number or time. UnauthenticatedError: there are no credentials.
        """
        ...

    def complete_parts(self, path: str, upload_id: str, etags: Mapping[int, str]) -> None:
        """Make a file of its parts, of which the `ETag` of each number is given; replaces what is there.

        Raises StoreUnavailableError: the upload or one of its parts is not known.
        """
        ...

    def abort_parts(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is not known is fine."""
        ...
