"""The bytes of a journal: a magic word, then frames of length, checksum and payload.

All numbers are little-endian. A payload begins with its kind:

- POINTS: points of metrics, one after the other.
- JSON: a JSON object in UTF-8.
- BOTH: the length of a JSON object (uint32), the object, then points.

A point is timestamp (int64, ms since the epoch), step (int64), value (float64), the length of its key in bytes (uint16),
and the key in UTF-8. A frame of length 0 does not exist: zeros after the last frame are room for more.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from attrs import frozen

from mlcore.errors import CorruptStoreError, UnsupportedError

VERSION = 1
MAGIC = b"mlcjrnl1"
SUFFIX = ".journal"

POINTS, JSON, BOTH = 1, 2, 3
MOST_BYTES = 256 * 2**20  # of a payload: a greater length is damage

HEAD: struct.Struct = struct.Struct("<II")
POINT: struct.Struct = struct.Struct("<qqdH")
FIRST_POINT: struct.Struct = struct.Struct("<BqqdH")
JSON_LENGTH: struct.Struct = struct.Struct("<BI")


@frozen
class Origin:
    """Who writes a journal.

    writer: unique among all writers of all machines; also the file's name.
    created: ms since the epoch, UTC.
    """

    writer: str
    host: str
    pid: int
    created: int


@frozen
class Header:
    """The first frame of a journal."""

    run_id: str
    origin: Origin
    version: int = VERSION


@frozen
class Fault:
    """Damage in a journal.

    start, end: the damaged bytes of the file; reading goes on after them.
    """

    path: str
    start: int
    end: int
    reason: str

    def __str__(self) -> str:
        return f"journal {self.path!r} is damaged from byte {self.start} to {self.end}: {self.reason}"


def frame(payload: bytes) -> bytes:
    """Return the payload with its length and checksum."""
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def check_magic(start: bytes, path: str) -> None:
    """Raise what is wrong with the first bytes of a file.

    Raises CorruptStoreError: not a journal. UnsupportedError: a journal of a later version.
    """
    if start == MAGIC:
        return
    if start[:7] == MAGIC[:7] and start[7:8].isdigit():
        raise UnsupportedError(
            f"journal {path!r} has the format {start[7:8].decode()}, this mlcore reads {VERSION}: update mlcore-kernel"
        )
    raise CorruptStoreError(f"{path!r} is not a journal: it begins with {start!r}, expected {MAGIC!r}")


def whole_frame(data: bytes | memoryview, start: int) -> int:
    """Return where the frame at *start* ends; 0 when there is none that is whole and sound."""
    if start + HEAD.size > len(data):
        return 0
    length, checksum = HEAD.unpack_from(data, start)
    end = start + HEAD.size + length
    if not 0 < length <= MOST_BYTES or end > len(data):
        return 0
    return end if zlib.crc32(data[start + HEAD.size : end]) == checksum else 0


def next_frame(data: bytes | memoryview, start: int) -> int:
    """Return where the first whole frame at or after *start* begins; the end of *data* when there is none."""
    for at in range(start, len(data) - HEAD.size):
        # the kind is looked at first: computing a checksum at every byte would take long
        if data[at + HEAD.size] in (POINTS, JSON, BOTH) and whole_frame(data, at):
            return at
    return len(data)


def points(payload: bytes | memoryview, at: int) -> Iterator[tuple[str, float, int, int]]:
    """Yield key, value, timestamp and step of each point from *at* to the end of a payload."""
    size = POINT.size
    end = len(payload)
    while at < end:
        timestamp, step, value, length = POINT.unpack_from(payload, at)
        at += size
        yield str(payload[at : at + length], "utf-8"), value, timestamp, step
        at += length
