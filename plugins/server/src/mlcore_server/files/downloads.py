"""Send files of repositories: whole or in part, in large pieces, and so that no browser runs what is in them."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import UnsupportedOperation
from typing import BinaryIO, TypeVar

from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from mlcore.errors import ArtifactNotFoundError, StoreUnavailableError
from mlcore.interfaces import SupportsRanges
from mlcore_server.asgi import Receive, Scope, Send
from mlcore_server.files.kinds import content_type, disposition
from mlcore_server.files.ranges import Version, is_known, wanted
from mlcore_server.files.spots import Spot

T = TypeVar("T")

_CHUNK_BYTES = 1 << 20
_STALLED_S = 300.0
# Whoever follows a link to a file gets it to save. Should a browser show it all the same: without scripts, forms,
# plugins, or an origin of its own, and in nobody's frame.
_SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-cache",
}


@frozen
class OpenFile:
    """A file that was opened to be sent.

    begins: where in the whole file it was opened, if it is a part of one.
    """

    file: BinaryIO
    size_bytes: int
    version: Version
    has_ranges: bool
    begins: int = 0


class Downloads:
    """Reads in threads of its own; a slow client holds a file and two pieces of it, and no thread."""

    def __init__(self, threads: int, stalled_s: float = _STALLED_S) -> None:
        """Read in so many *threads*; a client that takes nothing for *stalled_s* seconds is let go."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="mlcore-download")
        self._stalled_s = stalled_s

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do *work* that may block."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def answer(self, spot: Spot, http: Request, more: Mapping[str, str] | None = None) -> Response:
        """Return the answer to a GET or HEAD of a file.

        more: headers that tell what the file is and what may be done with it; as of a download when not given.
        Raises ArtifactNotFoundError, IsDirectoryError, and what the repository raises.
        """
        opened = await self.in_thread(lambda: _open(spot, http.headers))
        about = as_download(spot.path) if more is None else dict(more)
        try:
            headers = _headers(opened) | about
            if is_known(http.headers, opened.version):
                opened.file.close()
                return _Bare(304, headers)
            span = wanted(http.headers, opened.size_bytes, opened.version) if opened.has_ranges else None
            start, end = span or (0, opened.size_bytes)
        except LookupError:
            opened.file.close()
            return _Bare(416, {**about, "content-range": f"bytes */{opened.size_bytes}", "content-length": "0"})
        headers["content-length"] = str(end - start)
        if span:
            headers["content-range"] = f"bytes {start}-{end - 1}/{opened.size_bytes}"
        if http.method == "HEAD":
            opened.file.close()
            return _Bare(206 if span else 200, headers)
        span_of_it = (start - opened.begins, end - opened.begins)
        return _Sending(206 if span else 200, headers, opened.file, span_of_it, self._pool, self._stalled_s)


class _Bare(Response):
    """Status and headers, as they are."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(b"", status)
        self.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


class _Sending(_Bare):
    """A span of a file; the next piece is read while one is sent."""

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        file: BinaryIO,
        span: tuple[int, int],
        pool: ThreadPoolExecutor,
        stalled_s: float,
    ) -> None:
        super().__init__(status, headers)
        self._file = file
        self._span = span
        self._pool = pool
        self._stalled_s = stalled_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and let go of the file whatever happens."""
        gone = asyncio.ensure_future(_until_gone(receive))
        ahead: asyncio.Future[bytes] | None = None
        start, end = self._span
        try:
            ahead = self._read(start, end, seek=start > 0)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while True:
                piece = await ahead
                start += len(piece)
                if start < end:
                    if not piece:
                        raise StoreUnavailableError(f"the file ended {end - start} bytes early")
                    ahead = self._read(start, end)
                if gone.done():
                    return
                async with asyncio.timeout(self._stalled_s):
                    await send({"type": "http.response.body", "body": piece, "more_body": start < end})
                if start >= end:
                    return
        finally:
            gone.cancel()
            if ahead is not None:
                await asyncio.wait({ahead})  # the file must not be closed under the thread that reads it
                ahead.exception()  # was raised above, or is of no interest any more
            self._file.close()

    def _read(self, start: int, end: int, *, seek: bool = False) -> asyncio.Future[bytes]:
        return asyncio.get_running_loop().run_in_executor(self._pool, self._piece, start, end, seek)

    def _piece(self, start: int, end: int, seek: bool) -> bytes:
        if seek:
            self._file.seek(start)
        return self._file.read(min(_CHUNK_BYTES, end - start))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _open(spot: Spot, headers: Mapping[str, str]) -> OpenFile:
    part = _open_part(spot, headers)
    if part is not None:
        return part
    try:
        file = spot.repo.read(spot.path)
    except ArtifactNotFoundError as err:
        spot.file_info()  # tells a directory from nothing
        raise spot.missing() from err
    try:
        info = os.fstat(file.fileno())
    except (OSError, UnsupportedOperation, AttributeError):
        return _open_stream(spot, file)
    etag = f'"{info.st_mtime_ns:x}-{info.st_size:x}-{info.st_ino:x}"'
    return OpenFile(file, info.st_size, Version(etag, int(info.st_mtime)), has_ranges=True)


def _open_part(spot: Spot, headers: Mapping[str, str]) -> OpenFile | None:
    """Open the part that is asked for, of storages that give parts alone; None when all of the file is wanted."""
    if "range" not in headers or not isinstance(spot.repo, SupportsRanges):
        return None
    size = spot.file_info().file_size or 0
    try:
        span = wanted(headers, size, Version())
    except LookupError:
        return OpenFile(io.BytesIO(), size, Version(), has_ranges=True)  # is told so, and nothing is sent
    if span is None or span[0] == span[1]:
        return None
    return OpenFile(spot.repo.read_range(spot.path, *span), size, Version(), has_ranges=True, begins=span[0])


def _open_stream(spot: Spot, file: BinaryIO) -> OpenFile:
    """Open what is no file of this machine: its size is where it ends, or what the repository says."""
    if not file.seekable():
        known = isinstance(spot.repo, SupportsRanges)
        return OpenFile(file, spot.file_info().file_size or 0, Version(), has_ranges=known)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return OpenFile(file, size, Version(), has_ranges=True)


def as_download(name: str) -> dict[str, str]:
    """Return the headers of a file called *name* that is to be saved."""
    return {"content-type": content_type(name), "content-disposition": disposition(name), **_SAFE}


def _headers(opened: OpenFile) -> dict[str, str]:
    headers = {"accept-ranges": "bytes" if opened.has_ranges else "none"}
    if opened.version.etag:
        headers["etag"] = opened.version.etag
        headers["last-modified"] = opened.version.last_modified
    return headers
