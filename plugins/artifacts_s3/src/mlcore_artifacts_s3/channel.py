"""One kept connection: a request goes out in one piece, and the usual answer is read without a parser of mail.

`http.client` spends most of what a small file takes on the answer's headers. Here an answer of known length on a
connection that stays open is read directly; any other (chunked, closing, unusual) is handed to `http.client`.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from attrs import frozen

from mlcore.errors import ArtifactWriteError

_CHUNK_BYTES = 256 << 10  # stays in the processor's cache between reading and hashing
_RECEIVE_BYTES = 64 << 10
_ONE_SEND_BYTES = 256 << 10
_HEAD_BYTES = 64 << 10
_GOOD = {"200": 200, "204": 204, "206": 206}


@frozen
class FileSpan:
    """A part of a local file as a body: it is sent without being held in memory.

    shown: the file's path. start, length: bytes.
    """

    shown: str
    start: int
    length: int

    def __len__(self) -> int:
        return self.length

    def chunks(self) -> Iterator[memoryview]:
        """Yield the content in pieces, each valid until the next."""
        view = memoryview(bytearray(min(_CHUNK_BYTES, self.length)))
        left = self.length
        with Path(self.shown).open("rb", buffering=0) as opened:
            opened.seek(self.start)
            while left:
                got = opened.readinto(view[: min(left, len(view))])
                if not got:
                    raise _shorter(self)
                left -= got
                yield view[:got]


Body = bytes | FileSpan


class Response(Protocol):
    """What is read of an answer, here or by `http.client`."""

    status: int
    length: int | None
    will_close: bool

    def getheader(self, name: str) -> str | None:
        """Return one header."""
        ...

    def read(self, amt: int | None = None) -> bytes:
        """Return at most so many bytes of the body, or all."""
        ...

    def readinto(self, buffer: memoryview) -> int:
        """Fill a buffer; return how many bytes it got."""
        ...

    def isclosed(self) -> bool:
        """Whether the body has been read to its end."""
        ...

    def close(self) -> None:
        """Read no more."""
        ...


class Channel:
    """A connection to one host, kept over many requests."""

    def __init__(self, opened: http.client.HTTPConnection) -> None:
        """Connect. Raises OSError."""
        opened.connect()
        self._opened = opened
        self._socket: socket.socket = opened.sock
        self._waits = not isinstance(self._socket, ssl.SSLSocket) and _let_the_system_wait(self._socket)

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: Body | None) -> Response:
        """Send a request and return its answer, whose body is still to be read.

        Raises http.client.HTTPException, OSError: the connection is of no use any more. ArtifactWriteError: the file
        became shorter.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
            raise http.client.InvalidURL("a header with the end of a line")
        self._send(f"{text}\r\n\r\n".encode(), body)
        return self._answer(method)

    def close(self) -> None:
        """Disconnect."""
        self._opened.close()

    def _send(self, head: bytes, body: Body | None) -> None:
        if isinstance(body, bytes) and len(body) <= _ONE_SEND_BYTES:
            self._socket.sendall(head + body)
            return
        self._socket.sendall(head)
        if isinstance(body, bytes):
            self._socket.sendall(body)
        elif body is not None and self._waits:
            self._send_file(body)
        elif body is not None:
            for chunk in body.chunks():
                self._socket.sendall(chunk)

    def _send_file(self, span: FileSpan) -> None:
        position, end = span.start, span.start + span.length
        with Path(span.shown).open("rb", buffering=0) as file:
            while position < end:
                sent = os.sendfile(self._socket.fileno(), file.fileno(), position, end - position)
                if not sent:
                    raise _shorter(span)
                position += sent

    def _answer(self, method: str) -> Response:
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            data = self._socket.recv(_RECEIVE_BYTES)
            if not data or len(got) > _HEAD_BYTES:
                raise http.client.RemoteDisconnected("the connection ended within the headers of an answer")
            got += data
        first, *lines = got[:end].decode("latin-1").split("\r\n")
        pairs = [line.partition(":") for line in lines]
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        status = _GOOD.get(first[9:12]) if first.startswith("HTTP/1.1 ") else None
        length = "0" if status == 204 else headers.get("content-length", "")
        simple = len(headers) == len(lines) and "transfer-encoding" not in headers
        if status and simple and length.isdecimal() and headers.get("connection", "keep-alive").lower() == "keep-alive":
            flags = socket.MSG_WAITALL if self._waits else 0
            return _Plain(self._socket, flags, status, headers, memoryview(got)[end + 4 :], int(length))
        response = http.client.HTTPResponse(_Again(got, self._socket), method=method)  # type: ignore[arg-type]  # all that it asks of a socket
        response.begin()
        return response


class _Plain:
    """A good answer of known length on a connection that stays open."""

    will_close = False

    def __init__(
        self,
        source: socket.socket,
        flags: int,
        status: int,
        headers: Mapping[str, str],
        begun: memoryview,
        length: int,
    ) -> None:
        """Hold what has come of the body with the headers."""
        self._source = source
        self._flags = flags
        self.status: int = status
        self._headers = headers
        self._begun = begun
        self.length: int | None = length
        self._left = length

    def getheader(self, name: str) -> str | None:
        return self._headers.get(name.lower())

    def read(self, amt: int | None = None) -> bytes:
        wanted = self._left if amt is None else min(amt, self._left)
        if wanted <= len(self._begun):
            data = bytes(self._begun[:wanted])
            self._begun = self._begun[wanted:]
            self._take(wanted)
            return data
        whole = bytearray(wanted)
        view, got = memoryview(whole), 0
        while got < wanted:
            got += self.readinto(view[got:])
        return bytes(whole)

    def readinto(self, buffer: memoryview) -> int:
        wanted, got = min(len(buffer), self._left), len(self._begun)
        if got:
            got = min(got, wanted)
            buffer[:got] = self._begun[:got]
            self._begun = self._begun[got:]
        while got < wanted:
            more = self._source.recv_into(buffer[got:wanted], 0, self._flags)
            if not more:
                raise http.client.IncompleteRead(b"", self._left - got)
            got += more
        self._take(got)
        return got

    def isclosed(self) -> bool:
        return not self._left

    def close(self) -> None:
        self._begun = self._begun[:0]

    def _take(self, got: int) -> None:
        self._left -= got
        self.length = self._left


class _Again(io.RawIOBase):
    """What has been read of a connection already, and then the connection, for `http.client` to read."""

    def __init__(self, begun: bytes, source: socket.socket) -> None:
        self._begun = begun
        self._source = source

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's Buffer is not public in 3.11
        if not self._begun:
            return self._source.recv_into(view)
        got = min(len(view), len(self._begun))
        view[:got] = self._begun[:got]
        self._begun = self._begun[got:]
        return got


def _let_the_system_wait(opened: socket.socket) -> bool:
    """Leave waiting to the system: one call then moves a megabyte, instead of two calls for each piece that comes."""
    seconds = opened.gettimeout()
    if sys.platform != "linux" or not seconds:
        return False
    limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    opened.settimeout(None)
    return True


def _shorter(span: FileSpan) -> ArtifactWriteError:
    return ArtifactWriteError(f"{span.shown!r} became shorter while it was uploaded; upload a copy")
