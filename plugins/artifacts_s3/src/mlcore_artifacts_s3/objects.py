"""Write and read one object, compared with its recorded hash."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Protocol, cast

from mlcore.errors import ArtifactWriteError, ChecksumError, StoreUnavailableError
from mlcore_artifacts_s3.place import SHA256_NAME, Place
from mlcore_artifacts_s3.wire import BROKEN

_SMALL_BYTES = 4 << 20
_ATTEMPTS = 4
_META_HEADER = f"x-amz-meta-{SHA256_NAME}"


def put(place: Place, body: bytes, sha256: str) -> None:
    """Store *body* as the whole object, with its hash, which the storage verifies."""
    headers = place.connection.headers("put_object", {"Metadata": {SHA256_NAME: sha256}})
    answer = place.wire.request("PUT", place.key, headers, body=body, sha256=sha256)
    if answer is None:
        place.call("put_object", Body=body, Metadata={SHA256_NAME: sha256})
        return
    answer.close()


def get(place: Place) -> BinaryIO:
    """Open the object for reading. Raises ArtifactNotFoundError: it is not there.

    What is read to the end is compared with the recorded hash; then ChecksumError is possible.
    """
    for attempt in range(_ATTEMPTS):
        stream = (_get_fast(place) if attempt == 0 else None) or _get_slowly(place)
        if stream.size_bytes is None or stream.size_bytes > _SMALL_BYTES:
            return cast("BinaryIO", stream)
        try:
            with stream:
                return io.BytesIO(stream.read(stream.size_bytes))
        except (StoreUnavailableError, ChecksumError):
            # Broken off; or replaced meanwhile, at a storage that does not keep content and metadata together.
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def get_range(place: Place, start: int, end: int) -> BinaryIO:
    """Open a part of the object, which is compared with nothing. Raises ArtifactNotFoundError: it is not there."""
    wanted = {"Range": f"bytes={start}-{end - 1}"}
    answer = place.wire.request("GET", place.key, place.connection.headers("get_object", wanted))
    if answer is not None:
        stream = Verified(place, answer.response, answer.response.length, None, answer.close)
    else:
        found = place.call("get_object", **wanted)
        body = cast("Source", found["Body"])
        stream = Verified(place, body, int(str(found["ContentLength"])), None, body.close)
    if stream.size_bytes != end - start:
        stream.close()
        raise StoreUnavailableError(f"{place.doing()}: the storage gives no part of it, or it was replaced; try again")
    return cast("BinaryIO", stream)


def _get_fast(place: Place) -> Verified | None:
    answer = place.wire.request("GET", place.key, place.connection.headers("get_object", {}))
    if answer is None:
        return None
    recorded = answer.response.getheader(_META_HEADER)
    return Verified(place, answer.response, answer.response.length, recorded, answer.close)


def _get_slowly(place: Place) -> Verified:
    found = place.call("get_object")
    metadata = found.get("Metadata")
    recorded = metadata.get(SHA256_NAME) if isinstance(metadata, Mapping) else None
    body = cast("Source", found["Body"])
    return Verified(place, body, int(str(found["ContentLength"])), str(recorded) if recorded else None, body.close)


def read_exactly(place: Place, source: BinaryIO, size_bytes: int, part_bytes: int) -> Iterator[bytes]:
    """Read *source* in parts; all but the last have *part_bytes*.

    Raises ArtifactWriteError: it is longer or shorter than announced; before the last part comes out.
    """
    left = size_bytes
    while True:
        part = _read_full(source, min(part_bytes, left))
        left -= len(part)
        if len(part) < min(part_bytes, left + len(part)):
            raise ArtifactWriteError(
                f"{place.doing()}: expected {size_bytes} bytes, got {size_bytes - left}; send it again"
            )
        if not left:
            if source.read(1):
                raise ArtifactWriteError(f"{place.doing()}: expected {size_bytes} bytes, got more; send it again")
            yield part
            return
        yield part


def _read_full(source: BinaryIO, wanted: int) -> bytes:
    """Read so many bytes, or fewer at the end; sources may give less than asked."""
    data = source.read(wanted) if wanted else b""
    if len(data) == wanted:
        return data
    whole = bytearray(data)
    while data and len(whole) < wanted:
        data = source.read(wanted - len(whole))
        whole += data
    return bytes(whole)


class Source(Protocol):
    """The body of an answer."""

    def read(self, amt: int | None = None) -> bytes:
        """Return at most so many bytes."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Verified(io.RawIOBase):
    """The body of an object, hashed on the way."""

    def __init__(
        self, place: Place, source: Source, size_bytes: int | None, sha256: str | None, release: Callable[[], None]
    ) -> None:
        """Read *source*, and *release* the connection at the end."""
        self._place = place
        self._source = source
        self._expected = sha256
        self._release = release
        self._digest = hashlib.sha256()
        self._got = 0
        self.size_bytes: int | None = size_bytes

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return at most *size* bytes, or all that are left.

        Raises StoreUnavailableError: the connection broke. ChecksumError: all came, but not what was stored.
        """
        try:
            data = self._source.read(None if size is None or size < 0 else size)
        except BROKEN as err:
            raise self._broken() from err
        self._digest.update(data)
        self._got += len(data)
        if self._got == self.size_bytes:
            self._check()
        elif not data and size and self.size_bytes is not None:
            raise self._broken()
        return data

    def readinto(self, buffer: object) -> int:
        """Fill a writable buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not public in 3.11
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            super().close()
            self._release()

    def _check(self) -> None:
        if self._expected is not None and self._digest.hexdigest() != self._expected:
            raise ChecksumError(
                f"{self._place.doing()}: its SHA-256 is {self._digest.hexdigest()}, but {self._expected} was recorded "
                "when it was stored: the storage or the way to it changed it; fetch it again, then upload it again"
            )

    def _broken(self) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"{self._place.doing()}: the connection broke after {self._got} of {self.size_bytes} bytes; try again"
        )
