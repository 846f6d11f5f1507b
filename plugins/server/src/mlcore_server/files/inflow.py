"""The body of a request as a file that a thread reads, while the event loop takes it from the socket.

Nothing is buffered but a few chunks: when the thread is slower than the client, the loop stops reading, and the
client's own socket makes it wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
from collections import deque

from mlcore.errors import ArtifactWriteError, InvalidParameterError, MlcoreError
from mlcore_server.asgi import Receive

AHEAD_BYTES = 4 << 20


class UploadBrokenError(ArtifactWriteError):
    """The client went away, or sent nothing for too long; nothing of its file is stored."""

    status = 408


class DigestMismatchError(InvalidParameterError):
    """What arrived is not what the client said it would send; nothing of it is stored."""


class Inflow(io.RawIOBase):
    """A body on its way in; `feed` runs in the event loop, everything else in one thread."""

    def __init__(self, size_bytes: int | None, sha256: bytes | None = None) -> None:
        """Expect *size_bytes*, if known, with the hash *sha256*, if given."""
        self._loop = asyncio.get_running_loop()
        self._size = size_bytes
        self._expected = sha256
        self._digest = hashlib.sha256() if sha256 is not None else None
        self._chunks: deque[bytes] = deque()
        self._waiting = 0
        self._got = 0
        self._ended = False
        self._failure: MlcoreError | None = None
        self.is_client_gone: bool = False
        self._changed = threading.Condition()
        self._room = asyncio.Event()

    async def feed(self, receive: Receive, idle_s: float) -> None:
        """Take the body from the socket until its end, or until the client is gone."""
        try:
            while True:
                async with asyncio.timeout(idle_s):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    self.is_client_gone = True
                    self.fail(UploadBrokenError("the client closed the connection before its file was complete"))
                    return
                full = self._put(message.get("body", b""), ended=not message.get("more_body"))
                if not message.get("more_body"):
                    return
                if full:
                    await self._room.wait()
        except TimeoutError:
            self.fail(UploadBrokenError(f"nothing came for {idle_s:g} s; send the file again"))

    def fail(self, error: MlcoreError) -> None:
        """Let the reader raise *error*; from any thread."""
        with self._changed:
            self._failure = self._failure or error
            self._changed.notify()

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Return *size* bytes, fewer only at the end; all that come when it is negative.

        Raises UploadBrokenError. DigestMismatchError: at the end, instead of the last bytes.
        """
        wanted = None if size is None or size < 0 else size
        parts: list[bytes] = []
        have = 0
        while wanted is None or have < wanted:
            part = self._take(None if wanted is None else wanted - have)
            if not part:
                break
            parts.append(part)
            have += len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._got += have
        if self._digest is not None:
            self._digest.update(data)
            if self._got == self._size or (wanted != 0 and (wanted is None or have < wanted)):
                self._compare()
        return data

    def readinto(self, buffer: object) -> int:
        """Fill a writable buffer; return how many bytes it got."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not public in 3.11
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _put(self, chunk: bytes, *, ended: bool) -> bool:
        """Hand a chunk to the reader; return whether there is enough for now."""
        with self._changed:
            if chunk:
                self._chunks.append(chunk)
                self._waiting += len(chunk)
            self._ended = self._ended or ended
            full = self._waiting >= AHEAD_BYTES
            if full:
                self._room.clear()
            self._changed.notify()
        return full

    def _take(self, wanted: int | None) -> bytes:
        with self._changed:
            while not self._chunks and not self._ended and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if not self._chunks:
                return b""
            chunk = self._chunks.popleft()
            if wanted is not None and len(chunk) > wanted:
                self._chunks.appendleft(chunk[wanted:])
                chunk = chunk[:wanted]
            was_full = self._waiting >= AHEAD_BYTES
            self._waiting -= len(chunk)
            if was_full and self._waiting < AHEAD_BYTES:
                self._loop.call_soon_threadsafe(self._room.set)
        return chunk

    def _compare(self) -> None:
        assert self._digest is not None  # noqa: S101  # the caller has looked
        if self._digest.digest() != self._expected:
            raise DigestMismatchError(
                f"the SHA-256 of the {self._got} bytes that came is {self._digest.hexdigest()}, and not what the "
                "header Repr-Digest says; nothing is stored, send the file again"
            )
