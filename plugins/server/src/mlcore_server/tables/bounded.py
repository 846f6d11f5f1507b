"""Read no more of a file than is allowed, in whatever encoding it is."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from mlcore_server.tables.cells import MOST_BYTES

_LOOKED_AT = 64 << 10
_CHUNK = 256 << 10
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Bounded(io.RawIOBase):
    """The beginning of a file."""

    def __init__(self, file: BinaryIO, most: int = MOST_BYTES) -> None:
        """Read at most *most* bytes of *file*."""
        self._file = file
        self._left = most
        self.has_more: bool = False

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a writable buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not public in 3.11
        if self._left <= 0:
            self.has_more = self.has_more or bool(self._file.read(1))
            return 0
        data = self._file.read(min(len(view), self._left))
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)


def lines(source: Bounded, at_most: int) -> Iterator[str]:
    """Yield the lines of a text, ends included; a longer line than *at_most* characters comes in pieces."""
    reader = io.BufferedReader(source, _CHUNK)
    start = reader.peek(_LOOKED_AT)[:_LOOKED_AT]
    text = io.TextIOWrapper(reader, _encoding(start), errors="replace", newline="")
    while line := text.readline(at_most):
        yield line
    text.detach()


def _encoding(start: bytes) -> str:
    """Guess: a mark says it; else UTF-8, unless it is none; then one that takes every byte, as old Windows wrote it."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
