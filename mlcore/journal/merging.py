"""Read many points at once: neighbouring frames that hold nothing else, as they are when a job logs single metrics."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zlib import crc32

from mlcore.entities import Metric
from mlcore.journal.format import HEAD, POINTS, whole_frame
from mlcore.journal.format import points as points_of

_SINGLE = struct.Struct("<IIBqqdH")  # head, kind and numbers of a frame with one point
_REST = _SINGLE.size - HEAD.size
_HEAD = HEAD.size

Setter = Callable[[Metric, Any], None]  # Any: of the field that the setter is for
_FIELDS = ("key", "value", "timestamp", "step")
_SETTERS: tuple[Setter, ...] = tuple(Metric.__dict__[name].__set__ for name in _FIELDS)


def point_frames(data: bytes, at: int, names: dict[bytes, str]) -> tuple[list[Metric], int, int]:
    """Return the points of the frames from *at* on, up to the first that holds something else or is not sound.

    names: keys that were seen before, by their bytes; grows.
    Returns the points, where the last of these frames begins, and where it ends; *at* twice when there is none.
    """
    keys: list[str] = []
    numbers: list[tuple[int, int, float]] = []
    add_key, add_numbers = keys.append, numbers.append
    unpack, last_start, size = _SINGLE.unpack_from, len(data) - _SINGLE.size, len(data)
    last = at
    while at <= last_start:
        length, checksum, kind, timestamp, step, value, key_length = unpack(data, at)
        end = at + _HEAD + length
        if kind != POINTS or end > size or not length:
            break
        if length != _REST + key_length:  # several points, or damage
            if whole_frame(data, at) == 0:
                break
            for key, each_value, each_timestamp, each_step in points_of(data[:end], at + _HEAD + 1):
                add_key(key)
                add_numbers((each_timestamp, each_step, each_value))
        else:
            payload = data[at + _HEAD : end]
            if crc32(payload) != checksum:
                break
            name = payload[_REST:]
            found = names.get(name)
            if found is None:
                found = names[name] = str(name, "utf-8")
            add_key(found)
            add_numbers((timestamp, step, value))
        last, at = at, end
    return _metrics(keys, numbers), last, at


def _metrics(keys: Sequence[str], numbers: Sequence[tuple[int, int, float]]) -> list[Metric]:
    """Make points, field by field: their own `__init__` would take most of the time of a delivery."""
    if not keys:
        return []
    new = object.__new__
    made = [new(Metric) for _ in keys]
    timestamps, steps, values = zip(*numbers, strict=True)
    columns: tuple[Iterable[object], ...] = (keys, values, timestamps, steps)
    for setter, column in zip(_SETTERS, columns, strict=True):
        deque(map(setter, made, column), maxlen=0)
    return made
