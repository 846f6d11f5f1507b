"""Store what a client sends, straight from its socket."""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import io
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from starlette.requests import Request

from mlcore.errors import ArtifactWriteError, InvalidParameterError, MlcoreError
from mlcore_server.bodies import ClientGoneError
from mlcore_server.files.inflow import Inflow, UploadBrokenError
from mlcore_server.files.spots import Spot

_IDLE_S = 60.0
_IN_MEMORY = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_IN_THE_WAY = {
    errno.ENAMETOOLONG: "its name is too long",
    errno.ENOTDIR: "a file is where one of its directories would be",
    errno.EISDIR: "a directory of this name is there",
    errno.EEXIST: "a file is where one of its directories would be",
}
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([^:]*):\s*(?:[;,]|$)", re.IGNORECASE)


class StorageFullError(ArtifactWriteError):
    """The server's storage has no room for the file; nothing of it is stored."""

    status = 507


class Uploads:
    """Moves bodies into repositories, a bounded number at a time, each in a thread of its own."""

    def __init__(self, at_once: int, spool_dir: str | None, idle_s: float = _IDLE_S) -> None:
        """Move so many files *at_once*; others wait, and their clients with them.

        spool_dir: for bodies that do not say how long they are. idle_s: how long a client may send nothing.
        """
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="mlcore-upload")
        self._slots = asyncio.Semaphore(at_once)
        self._spool_dir = spool_dir
        self._idle_s = idle_s

    async def store(self, spot: Spot, http: Request, at_most: int | None = None) -> str | None:
        """Store the body of a request; return the header `Repr-Digest` of what is stored when it was compared.

        at_most: how many bytes may come; None for any number.
        Raises UploadBrokenError, StorageFullError, ArtifactWriteError, ChecksumError; then nothing of it is stored.
        """
        size = declared_size(http)
        sha256 = declared_sha256(http.headers.get("repr-digest", ""))
        if size is not None and at_most is not None and size > at_most:
            raise too_large(at_most)
        async with self._slots:
            await self._move(http, Inflow(size, sha256), lambda inflow: self._write(spot, inflow, size, at_most))
        return f"sha-256=:{base64.b64encode(sha256).decode()}:" if sha256 is not None else None

    async def _move(self, http: Request, inflow: Inflow, write: Callable[[Inflow], None]) -> None:
        """Feed the thread that writes, until it is done; it never outlives the request."""
        writing = asyncio.get_running_loop().run_in_executor(self._pool, write, inflow)
        feeding = asyncio.ensure_future(inflow.feed(http.receive, self._idle_s))
        try:
            await asyncio.wait({writing, feeding}, return_when=asyncio.FIRST_COMPLETED)
            await writing
        except MlcoreError as err:
            if inflow.is_client_gone:
                raise ClientGoneError from err
            raise
        finally:
            feeding.cancel()
            writing.add_done_callback(_look_at)
            inflow.fail(UploadBrokenError("the request was given up"))

    def _write(self, spot: Spot, inflow: Inflow, size: int | None, at_most: int | None) -> None:
        try:
            if size is not None:
                spot.repo.write(spot.path, cast("BinaryIO", inflow), size)
            else:
                self._write_spooled(spot, inflow, at_most)
        except (ArtifactWriteError, OSError) as err:
            told = _told(err, spot)
            if told is err:
                raise
            raise told from err

    def _write_spooled(self, spot: Spot, inflow: Inflow, at_most: int | None) -> None:
        """Store a body of unknown length: repositories are told the length before the first byte."""
        start = inflow.read(_IN_MEMORY)
        if len(start) < _IN_MEMORY:
            spot.repo.write(spot.path, io.BytesIO(start), len(start))
            return
        with tempfile.TemporaryFile(dir=self._spool_dir) as spool:  # has no name, so a crash leaves nothing
            while start:
                spool.write(start)
                if at_most is not None and spool.tell() > at_most:
                    raise too_large(at_most)
                start = inflow.read(_IN_MEMORY)
            size = spool.tell()
            spool.seek(0)
            spot.repo.write(spot.path, cast("BinaryIO", spool), size)


def _look_at(writing: asyncio.Future[None]) -> None:
    """Take note of how a thread ended that nobody waits for any more; asyncio complains otherwise."""
    if not writing.cancelled():
        writing.exception()


def _told(err: MlcoreError | OSError, spot: Spot) -> MlcoreError:
    """Return the error for clients, which does not tell where the server keeps its files."""
    cause = err if isinstance(err, OSError) else err.__cause__
    if not isinstance(cause, OSError):
        assert isinstance(err, MlcoreError)  # noqa: S101  # it is not the other
        return err
    shown = f"cannot store artifact {spot.asked[:200]!r}"
    if cause.errno in _FULL:
        return StorageFullError(f"{shown}: the server's storage is full; nothing of it is stored")
    if cause.errno in _IN_THE_WAY:
        return InvalidParameterError(f"{shown}: {_IN_THE_WAY[cause.errno]}")
    return ArtifactWriteError(f"{shown}: {cause.strerror or type(cause).__name__}; nothing of it is stored")


def declared_size(http: Request) -> int | None:
    """Return how long a body says it is; None for one in chunks."""
    told = http.headers.get("content-length", "")
    if told.isascii() and told.isdigit():
        return int(told)
    return None if "transfer-encoding" in http.headers else 0


def declared_sha256(header: str) -> bytes | None:
    """Return the SHA-256 that a `Repr-Digest` header (RFC 9530) gives, if it gives one.

    Raises InvalidParameterError: it gives one that is none.
    """
    found = _SHA256.search(header)
    if found is None:
        if "sha-256" in header.lower():
            raise _invalid_digest(header)
        return None
    try:
        value = base64.b64decode(found[1], validate=True)
    except (ValueError, binascii.Error) as err:
        raise _invalid_digest(header) from err
    if len(value) != 32:
        raise _invalid_digest(header)
    return value


def too_large(at_most: int) -> InvalidParameterError:
    """Return the error for a file that is larger than may come this way."""
    return InvalidParameterError(f"Artifact size is too large. Max size is {at_most // 2**20}MB.")


def _invalid_digest(header: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"invalid header Repr-Digest {header[:100]!r}: expected 'sha-256=:<base64 of 32 bytes>:'"
    )
