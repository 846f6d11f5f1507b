"""Fetch a large object in ranges, several at once, each going on where its connection broke."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from mlcore.errors import StoreUnavailableError
from mlcore_artifacts_s3.multipart import in_parallel
from mlcore_artifacts_s3.place import SHA256_NAME, Place
from mlcore_artifacts_s3.wire import BROKEN

_RANGE_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_ATTEMPTS = 4

Arrived = Callable[[int, int], object]


class _Body(Protocol):
    def readinto(self, buffer: memoryview) -> int: ...

    def close(self) -> None: ...


def fetch_file(place: Place, local: str, arrived: Arrived) -> str | None:
    """Write the object into the local file; return the SHA-256 that was recorded with it.

    Raises ArtifactNotFoundError: there is no such object. StoreUnavailableError: it broke off again and again, or
    was replaced meanwhile.
    """
    head = place.call("head_object")
    size, etag = int(str(head["ContentLength"])), str(head.get("ETag", ""))
    ranges = iter([(start, min(size, start + _RANGE_BYTES)) for start in range(0, size, _RANGE_BYTES)])
    with Path(local).open("r+b", buffering=0) as target:
        handle = target.fileno()
        os.ftruncate(handle, size)
        fetched = in_parallel(
            place.connection.settings.parallel_parts,
            ranges,
            lambda span: _fetch_range(place, etag, span, handle, arrived),
        )
        for _ in fetched:
            pass
    metadata = head.get("Metadata")
    recorded = metadata.get(SHA256_NAME) if isinstance(metadata, Mapping) else None
    return str(recorded) if recorded else None


def _fetch_range(place: Place, etag: str, span: tuple[int, int], handle: int, arrived: Arrived) -> None:
    position, end = span
    view = memoryview(bytearray(min(_CHUNK_BYTES, end - position)))
    for attempt in range(_ATTEMPTS):
        # The fast lane first; after a break boto3, which knows how to wait.
        for got in _read_range(place, etag, (position, end), view, fast=attempt == 0):
            os.pwrite(handle, view[:got], position)
            arrived(position, got)
            position += got
        if position == end:
            return
    raise StoreUnavailableError(f"{place.doing()}: it broke off {_ATTEMPTS} times at byte {position}; try again later")


def _read_range(place: Place, etag: str, span: tuple[int, int], view: memoryview, *, fast: bool) -> Iterator[int]:
    """Fill *view* again and again with what comes of the range; returns early when the connection breaks."""
    wanted = {"Range": f"bytes={span[0]}-{span[1] - 1}", **({"IfMatch": etag} if etag else {})}
    headers = place.connection.headers("get_object", wanted) if fast else None
    answer = place.wire.request("GET", place.key, headers)
    left = span[1] - span[0]
    if answer is None:
        body = cast("_Body", place.call("get_object", **wanted)["Body"])
        try:
            yield from _chunks(body, view, left)
        finally:
            body.close()
        return
    with answer:
        if answer.response.length != left:
            return  # a storage that does not know ranges
        yield from _chunks(answer.response, view, left)


def _chunks(body: _Body, view: memoryview, left: int) -> Iterator[int]:
    while left:
        try:
            got = body.readinto(view[: min(len(view), left)])
        except BROKEN:
            return
        if not got:
            return
        yield got
        left -= got
