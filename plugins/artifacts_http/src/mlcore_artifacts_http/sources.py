"""Bodies of uploads that are read while they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mlcore.errors import ArtifactWriteError
from mlcore.interfaces import HashedFile

_CHUNK_BYTES = 1 << 18


class Remaining:
    """What is left of a stream; it can be sent once."""

    def __init__(self, source: BinaryIO, size_bytes: int) -> None:
        """Send *source*, which says that it has *size_bytes*."""
        self._source = source
        self._size = size_bytes

    def __len__(self) -> int:
        return self._size

    def chunks(self) -> Iterator[bytes]:
        """Yield the content; the last piece only when it is known to be the last.

        Raises ArtifactWriteError: it is longer or shorter than announced; the server has not got all of it then.
        """
        left, held = self._size, b""
        while left and (chunk := self._source.read(min(_CHUNK_BYTES, left))):
            left -= len(chunk)
            if held:
                yield held
            held = chunk
        rest = self._source.read() if not left else b""
        if left or rest:
            size = self._size - left + len(rest)
            raise ArtifactWriteError(f"a file was announced with {self._size} bytes, and has {size} bytes")
        if held:
            yield held


class FileSource:
    """A local file, or a span of it, that can be sent again."""

    def __init__(
        self, file: HashedFile, advance: Callable[[int], object], start: int = 0, length: int | None = None
    ) -> None:
        """Send *length* bytes from *start* on; to the end unless given."""
        self._file = file
        self._advance = advance
        self._start = start
        self._length = file.size_bytes - start if length is None else length
        self._told = 0

    def __len__(self) -> int:
        return self._length

    def chunks(self) -> Iterator[memoryview]:
        """Yield the content, each piece valid until the next. Raises ArtifactWriteError: the file has changed."""
        view = memoryview(bytearray(min(_CHUNK_BYTES, max(self._length, 1))))
        sent = 0
        with Path(self._file.local).open("rb", buffering=0) as opened:
            opened.seek(self._start)
            while sent < self._length:
                got = opened.readinto(view[: min(len(view), self._length - sent)])
                if not got:
                    raise ArtifactWriteError(
                        f"{self._file.local!r} became shorter while it was uploaded; upload a copy"
                    )
                if sent + got == self._length and Path(self._file.local).stat().st_mtime_ns != self._file.modified_ns:
                    raise ArtifactWriteError(f"{self._file.local!r} changed while it was uploaded; upload a copy")
                yield view[:got]
                sent += got
                if sent > self._told:  # a second attempt is no progress
                    self._advance(sent - self._told)
                    self._told = sent
