"""What the plugin's two kinds of repositories have in common: reading a file, in pieces, to its end."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from mlcore.errors import ArtifactNotFoundError, MlcoreError, NotFoundError, StoreUnavailableError
from mlcore.remote.client import Answer, Remote
from mlcore.remote.exchange import Request, Response
from mlcore.remote.faults import unreachable

_BUFFER = 1 << 18
_CHUNK_BYTES = 1 << 20
_ATTEMPTS = 5
_MAX_REASON = 1 << 16
_SHA256 = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):", re.IGNORECASE)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _Body(io.RawIOBase):
    """A response as a file, whose faults are mlcore's errors."""

    def __init__(self, remote: Remote, response: Response) -> None:
        super().__init__()
        self._remote = remote
        self._response = response

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        try:
            return self._response.readinto(buffer)
        except OSError as err:
            raise unreachable(self._remote.place, err, self._remote.settings.timeout_s) from err

    def close(self) -> None:
        self._response.close()
        super().close()


def opened(remote: Remote, target: str, shown: str) -> BinaryIO:
    """Open what is at *target* for reading. Raises ArtifactNotFoundError: there is no file."""
    response = remote.open(Request("GET", target, {}))
    if response.status != 200:
        with response:
            raise failed(remote, target, response, shown)
    return cast("BinaryIO", io.BufferedReader(_Body(remote, response), _BUFFER))


def fetch(remote: Remote, target: str, shown: str, local: str, advance: Callable[[int], object]) -> str | None:
    """Write what is at *target* into a local file, going on where a connection broke.

    Returns the SHA-256 that the server tells, in hexadecimal; None when it tells none.
    Raises ArtifactNotFoundError. StoreUnavailableError: it broke off again and again, or was replaced meanwhile.
    """
    etag, digest, position, total = "", None, 0, -1
    view = memoryview(bytearray(_CHUNK_BYTES))
    with Path(local).open("r+b", buffering=0) as out:
        for _ in range(_ATTEMPTS):
            with remote.open(Request("GET", target, _onward(position, etag))) as response:
                if position == 0:
                    if response.status != 200:
                        raise failed(remote, target, response, shown)
                    etag, digest = response.headers.get("etag", ""), sha256_of(response.headers.get("repr-digest", ""))
                    length = response.headers.get("content-length", "")
                    total = int(length) if length.isdigit() else -1
                elif not _continues(response, position):
                    break
                try:
                    while got := response.readinto(view):
                        out.write(view[:got])
                        position += got
                        advance(got)
                except OSError:
                    if not etag or etag.startswith("W/"):
                        break  # nobody could tell whether the rest is of the same file
                    continue
                if total in (-1, position):
                    os.truncate(out.fileno(), position)
                    return digest
    raise StoreUnavailableError(
        f"the download of {shown!r} from {remote.place.shown} broke off at byte {position}, or the file was replaced "
        "meanwhile; download it again"
    )


def told_version(remote: Remote, target: str) -> str | None:
    """Return the digest or strong ETag that a server tells of what is at *target*; None when it tells neither."""
    with remote.open(Request("HEAD", target, {})) as response:
        if response.status != 200:
            return None
        etag = response.headers.get("etag", "")
        return response.headers.get("repr-digest") or (etag if etag and not etag.startswith("W/") else None)


def failed(remote: Remote, target: str, response: Response, shown: str) -> MlcoreError:
    """Return the error that an answer tells of; *shown* is what was asked for."""
    try:
        body = response.read(_MAX_REASON) or b""
    except OSError:
        body = b""
    err = remote.error(target, Answer(response.status, response.headers, body))
    if response.status in (404, 410) or isinstance(err, NotFoundError) or "directory, not a file" in err.message:
        return ArtifactNotFoundError(f"no artifact file {shown!r} at {remote.place.shown}: {err.message}")
    return err


def sha256_of(header: str) -> str | None:
    """Return the SHA-256 of a `Repr-Digest` header (RFC 9530), in hexadecimal."""
    found = _SHA256.search(header)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).hex()
    except ValueError:
        return None


def digest_header(sha256: str) -> str:
    """Return the `Repr-Digest` header (RFC 9530) for a SHA-256 in hexadecimal."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode('ascii')}:"


def _onward(position: int, etag: str) -> dict[str, str]:
    return {"range": f"bytes={position}-", "if-range": etag} if position else {}


def _continues(response: Response, position: int) -> bool:
    found = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return response.status == 206 and found is not None and int(found[1]) == position
