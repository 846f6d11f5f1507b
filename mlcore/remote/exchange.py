"""One connection and what goes over it: a request out, an answer in, in HTTP/1.1.

The whole of a client library in between costs five to twenty times as much CPU per request; what of HTTP a client
needs is small.
"""

from __future__ import annotations

import io
import os
import select
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

from attrs import frozen

_MAX_LINE = 1 << 16
_MAX_HEADERS = 256
_BUFFER = 1 << 16


class ProtocolError(OSError):
    """What came is not HTTP, or stopped in the middle."""


class Upload(Protocol):
    """A body that is not held in memory."""

    def __len__(self) -> int:
        """Return how many bytes it has."""
        ...

    def chunks(self) -> Iterator[bytes | memoryview]:
        """Yield the content from its beginning."""
        ...


Body = bytes | Upload


@frozen
class Request:
    """A request.

    target: path and query as they are sent. headers: besides Host, Content-Length and Authorization.
    repeatable: whether the same request twice does no more than once, so that it may be sent again when nobody knows
    whether it came through.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: Body = b""
    repeatable: bool = True


class Response(io.RawIOBase):
    """An answer: status and headers are there, the body is read like a file; close it in any case."""

    def __init__(self, connection: Connection, status: int, headers: dict[str, str], *, has_body: bool) -> None:
        """Read the body from *connection*."""
        super().__init__()
        self.status: int = status
        self.headers: dict[str, str] = headers
        self._connection = connection
        self._chunked = has_body and headers.get("transfer-encoding", "").lower().endswith("chunked")
        length = headers.get("content-length", "").partition(",")[0].strip()
        known = length.isascii() and length.isdigit()
        self._until_end = has_body and not self._chunked and not known
        self._left = int(length) if has_body and known and not self._chunked else 0
        self._is_complete = not has_body or (known and not self._chunked and self._left == 0)
        self.release: Callable[[Connection, bool], None] = _drop

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill *buffer* with what comes next; 0 at the end. Raises OSError: the rest does not come."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # anything with a buffer
        if self._is_complete or not view:
            return 0
        if self._until_end:
            got = self._connection.file.readinto(view)
            self._is_complete = got == 0
            return got
        if self._chunked and self._left == 0 and not self._next_chunk():
            return 0
        got = self._connection.file.readinto(view[: self._left])
        if not got:
            raise ProtocolError(f"the connection was closed {self._left} bytes too early")
        self._left -= got
        if self._chunked and self._left == 0:
            self._connection.line()
        self._is_complete = not self._chunked and self._left == 0
        return got

    def readall(self) -> bytes:
        """Return all that is left. Raises OSError: the rest does not come."""
        if self._left and not self._chunked:
            content = self._connection.file.read(self._left)
            self._left -= len(content)
            if self._left:
                raise ProtocolError(f"the connection was closed {self._left} bytes too early")
            self._is_complete = True
            return content
        parts = []
        while part := self.read(_BUFFER):
            parts.append(part)
        return b"".join(parts)

    def close(self) -> None:
        """Give the connection back, or drop it when something of the body was left unread."""
        if not self.closed:
            ends = self._until_end or self.headers.get("connection", "").lower() == "close"
            self.release(self._connection, self._is_complete and not ends)
        super().close()

    def _next_chunk(self) -> bool:
        size = self._connection.line().partition(b";")[0].strip()
        try:
            self._left = int(size, 16)
        except ValueError:
            raise ProtocolError(f"expected the size of a chunk, got {size[:20]!r}") from None
        if self._left == 0:
            while self._connection.line():
                pass
            self._is_complete = True
        return self._left > 0


class Connection:
    """A connected socket, used for one exchange after the other."""

    def __init__(self, opened: socket.socket) -> None:
        """Use *opened*; it is this process's alone."""
        self._socket = opened
        self.file: io.BufferedReader = cast("io.BufferedReader", opened.makefile("rb", _BUFFER))
        self.owner: int = os.getpid()

    def is_usable(self) -> bool:
        """Whether nothing has come since the last answer: what comes then is the server's good-bye."""
        try:
            if hasattr(select, "poll"):
                waiting = select.poll()
                waiting.register(self._socket, select.POLLIN)
                return not waiting.poll(0)
            return not select.select([self._socket], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def ask(self, request: Request, head: bytes) -> Response:
        """Send a request and read the head of its answer.

        head: request line and headers, all of it. Raises OSError; what the body's source raises passes.
        """
        body = request.body
        try:
            if isinstance(body, bytes):
                self._socket.sendall(head + body)
            else:
                self._socket.sendall(head)
                for chunk in body.chunks():
                    self._socket.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a large body answers and closes; its answer says why.
            return self._answer(request.method)
        return self._answer(request.method)

    def line(self) -> bytes:
        """Read a line, without its end."""
        found = self.file.readline(_MAX_LINE)
        if not found.endswith(b"\n"):
            raise ProtocolError("the connection was closed" if len(found) < _MAX_LINE else "a line is too long")
        return found.rstrip(b"\r\n")

    def close(self) -> None:
        """Close file and socket."""
        self.file.close()
        self._socket.close()

    def __del__(self) -> None:
        """Close; a client that is dropped lets go of its connections."""
        self.close()

    def _answer(self, method: str) -> Response:
        status = 100
        while 100 <= status < 200:
            version, _, rest = self.line().partition(b" ")
            if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
                raise ProtocolError(f"expected an answer of HTTP/1.1, got {version[:20]!r}")
            status = int(rest[:3])
            headers = self._headers()
        if version == b"HTTP/1.0":
            headers.setdefault("connection", "close")
        return Response(self, status, headers, has_body=method != "HEAD" and status not in (204, 304))

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MAX_HEADERS):
            line = self.line()
            if not line:
                return headers
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        raise ProtocolError(f"more than {_MAX_HEADERS} headers")


def _drop(connection: Connection, _: bool) -> None:
    connection.close()
