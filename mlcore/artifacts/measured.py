"""What a transfer measured, and the stream that measures: it counts, hashes, and notices a file that changes."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from typing import BinaryIO

from attrs import frozen

from mlcore.artifacts.local_files import CHUNK_BYTES
from mlcore.errors import ArtifactWriteError
from mlcore.interfaces import HashedFile

_HASHED_BYTES = 256 << 10  # stays in the processor's cache between reading and hashing


@frozen
class Transfer:
    """One file that went over.

    path: below the root of the repository.
    sha256: of the content that was sent or received, in hexadecimal.
    """

    path: str
    size_bytes: int
    sha256: str


class MeasuredReader(io.RawIOBase):
    """Hand a local file to a repository; raise when it turns out longer or shorter than it was at the start.

    A repository may rewind to send again; each byte is hashed and counted once.
    """

    def __init__(self, file: BinaryIO, shown: str, advance: Callable[[int], object]) -> None:
        """Measure *file*, which stands at its start.

        shown: the file's name in errors.
        advance: told of the bytes that were read for the first time.
        """
        self._file = file
        self._shown = shown
        self._advance = advance
        self._digest = hashlib.sha256()
        self._hashed = 0
        self._position = 0
        self.size_bytes: int = os.fstat(file.fileno()).st_size

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, as of any file."""
        self._position = self._file.seek(offset, whence)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """Return at most *size* bytes, or all when it is negative.

        Raises ArtifactWriteError: the file cannot be read, or is no longer as long as it was.
        """
        left = max(0, self.size_bytes - self._position)
        wanted = left if size is None or size < 0 else min(size, left)
        try:
            data = self._file.read(wanted)
            # The end is where growth shows. It is looked for before the repository may publish what it has.
            grown = bool(self._position + len(data) == self.size_bytes and self._file.read(1))
        except OSError as err:
            raise ArtifactWriteError(f"cannot read {self._shown!r}: {err.strerror or err}") from err
        if grown or (wanted and not data):
            raise self._changed()
        self._take(data)
        return data

    def readinto(self, buffer: object) -> int:
        """Fill a writable buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not public in 3.11
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def sha256(self) -> str:
        """Return the hash of the whole file in hexadecimal; reads what was skipped."""
        if self._hashed < self.size_bytes:
            self.seek(self._hashed)
            while self._position < self.size_bytes:
                self.read(CHUNK_BYTES)
        return self._digest.hexdigest()

    def _take(self, data: bytes) -> None:
        end = self._position + len(data)
        if self._position <= self._hashed < end:
            fresh = data[self._hashed - self._position :] if self._position < self._hashed else data
            self._digest.update(fresh)
            self._hashed = end
            self._advance(len(fresh))
        self._position = end

    def _changed(self) -> ArtifactWriteError:
        now = os.fstat(self._file.fileno()).st_size
        return ArtifactWriteError(
            f"{self._shown!r} changed while it was uploaded: it had {self.size_bytes} bytes, now {now}; "
            "upload it when nobody writes to it, or upload a copy"
        )


def hashed_file(file: BinaryIO, shown: str) -> HashedFile:
    """Read *file* to its end and say what it holds.

    Raises ArtifactWriteError: it cannot be read, or changes meanwhile.
    """
    before = os.fstat(file.fileno())
    digest, size = hashlib.sha256(), 0
    view = memoryview(bytearray(_HASHED_BYTES))
    try:
        with open(file.fileno(), "rb", buffering=0, closefd=False) as raw:  # of a file that is open
            while got := raw.readinto(view):
                digest.update(view[:got])
                size += got
    except OSError as err:
        raise ArtifactWriteError(f"cannot read {shown!r}: {err.strerror or err}") from err
    after = os.fstat(file.fileno())
    if (before.st_mtime_ns, before.st_size, size) != (after.st_mtime_ns, after.st_size, after.st_size):
        raise ArtifactWriteError(
            f"{shown!r} changed while it was uploaded; upload it when nobody writes to it, or upload a copy"
        )
    return HashedFile(shown, size, digest.hexdigest(), after.st_mtime_ns)
