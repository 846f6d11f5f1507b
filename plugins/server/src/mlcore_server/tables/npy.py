"""Arrays in files of numpy, read without it: what lies where is told by the header, and nothing else is read."""

from __future__ import annotations

import ast
import math
import re
import struct
from collections.abc import Sequence
from typing import BinaryIO

from attrs import frozen

from mlcore.errors import InvalidParameterError
from mlcore_server.tables.cells import MOST_BYTES, MOST_COLUMNS, Cell, Cutter, Table, Window

_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 64 << 10
_CODES = {"f2": "e", "f4": "f", "f8": "d", "b1": "?", **{f"i{n}": c for n, c in zip((1, 2, 4, 8), "bhiq", strict=True)}}
_CODES |= {f"u{n}": c for n, c in zip((1, 2, 4, 8), "BHIQ", strict=True)}
_TEXT = re.compile(r"[<>|=]?([US])(\d{1,6})\Z")
_NUMBER = re.compile(r"([<>|=]?)([a-z]\d)\Z")


@frozen
class Header:
    """What an array is.

    dtype: as numpy spells it. row_items: items of one step of the first axis. start: byte where the items begin.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    item_bytes: int

    @property
    def rows(self) -> int:
        """The length of the first axis; 1 for a single value."""
        return self.shape[0] if self.shape else 1

    @property
    def row_items(self) -> int:
        """How many items a step of the first axis has."""
        return math.prod(self.shape[1:])


def read_npy(file: BinaryIO, window: Window) -> Table:
    """Read rows of an array; further axes than the second become columns.

    Raises InvalidParameterError: no array, one of Python's objects, which would run code, or one that lies column by
    column and is too large to be read as a whole.
    """
    header, is_by_column = _header(file)
    cutter = Cutter()
    width = min(header.row_items, MOST_COLUMNS)
    cutter.has_cut = width < header.row_items
    begin, end = min(window.offset, header.rows), min(window.end, header.rows)
    if is_by_column and len(header.shape) > 1:
        rows = _by_column(file, header, (begin, end), width)
    else:
        rows = _by_row(file, header, (begin, end), width)
    kind = _kind(header.dtype)
    columns = [(_name(header, n), kind) for n in range(width)]
    return Table(columns, [[cutter.cell(value) for value in row] for row in rows], header.rows, cutter.has_cut)


def _by_row(file: BinaryIO, header: Header, span: tuple[int, int], width: int) -> list[Sequence[object]]:
    begin, end = span
    row_bytes = header.row_items * header.item_bytes
    if row_bytes * (end - begin) > MOST_BYTES:
        raise InvalidParameterError(f"{end - begin} rows of the array have more than {MOST_BYTES} bytes: ask for fewer")
    _skip(file, header.start, begin * row_bytes)
    found: list[Sequence[object]] = []
    for _ in range(begin, end):
        row = file.read(row_bytes)
        if len(row) < row_bytes:
            raise InvalidParameterError("the file ends before its array does")
        found.append(_items(header, row[: width * header.item_bytes]))
    return found


def _by_column(file: BinaryIO, header: Header, span: tuple[int, int], width: int) -> list[Sequence[object]]:
    size = header.rows * header.row_items * header.item_bytes
    if size > MOST_BYTES:
        raise InvalidParameterError(f"the array lies column by column and has more than {MOST_BYTES} bytes")
    data = file.read(size)
    if len(data) < size:
        raise InvalidParameterError("the file ends before its array does")
    step = header.rows * header.item_bytes
    strides = [_order(header.shape[1:], n) * step for n in range(width)]
    return [
        [_items(header, data[at + row * header.item_bytes : at + (row + 1) * header.item_bytes])[0] for at in strides]
        for row in range(*span)
    ]


def _order(shape: Sequence[int], number: int) -> int:
    """Return where the column with a *number*, counted by rows, lies in an array by columns."""
    place, step, left = 0, 1, number
    places = []
    for length in reversed(shape):
        places.append(left % length)
        left //= length
    for length, at in zip(shape, reversed(places), strict=True):
        place += at * step
        step *= length
    return place


def _skip(file: BinaryIO, start: int, count: int) -> None:
    if file.seekable():
        file.seek(start + count)
        return
    left = count
    if left > MOST_BYTES:
        raise InvalidParameterError(
            f"rows that begin after {MOST_BYTES} bytes can't be read from this storage: fetch the file"
        )
    while left and (piece := file.read(min(left, 1 << 20))):
        left -= len(piece)


def _header(file: BinaryIO) -> tuple[Header, bool]:
    start = file.read(8)
    if start[:6] != _MAGIC or len(start) < 8:
        raise InvalidParameterError("the file is no array of numpy")
    size_bytes = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(size_bytes), "little")
    if length > _MOST_HEADER:
        raise InvalidParameterError(f"the header of the array has {length} bytes, at most {_MOST_HEADER} are read")
    told = _literal(file.read(length))
    dtype, shape = told.get("descr"), told.get("shape")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and 0 <= n < 2**62 for n in shape):
        raise InvalidParameterError("the header of the array tells no shape")
    if not isinstance(dtype, str):
        raise InvalidParameterError("an array with named fields is not shown: fetch the file")
    header = Header(dtype, shape, 8 + size_bytes + length, _item_bytes(dtype))
    return header, told.get("fortran_order") is True


def _literal(text: bytes) -> dict[object, object]:
    try:
        told = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as err:
        raise InvalidParameterError("the header of the array can't be read") from err
    return told if isinstance(told, dict) else {}


def _item_bytes(dtype: str) -> int:
    text, number = _TEXT.match(dtype), _NUMBER.match(dtype)
    if text:
        return int(text[2]) * (4 if text[1] == "U" else 1)
    if number and number[2] in _CODES:
        return int(number[2][1])
    what = "Python's objects, which only code can read" if dtype.endswith("O") else f"the type {dtype[:40]!r}"
    raise InvalidParameterError(f"an array of {what} is not shown: fetch the file")


def _items(header: Header, data: bytes) -> Sequence[object]:
    big = header.dtype.startswith(">")
    if text := _TEXT.match(header.dtype):
        size = header.item_bytes
        codec = "latin-1" if text[1] == "S" else "utf-32-be" if big else "utf-32-le"
        count = len(data) // size if size else 1
        cells = (data[n * size : (n + 1) * size].decode(codec, "replace") for n in range(count))
        return [cell.rstrip("\x00") for cell in cells]
    code = _CODES[header.dtype.lstrip("<>|=")]
    return struct.unpack(f"{'>' if big else '<'}{len(data) // header.item_bytes}{code}", data)


def _kind(dtype: str) -> str:
    bare = dtype.lstrip("<>|=")
    if bare[0] in "US":
        return "text"
    return {"f": "number", "b": "boolean"}.get(bare[0], "integer")


def _name(header: Header, number: int) -> str:
    if len(header.shape) < 2:
        return "value"
    places: list[str] = []
    left = number
    for length in reversed(header.shape[1:]):
        places.append(str(left % length))
        left //= length
    return ",".join(reversed(places))


__all__ = ["Cell", "Header", "read_npy"]
