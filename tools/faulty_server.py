"""A proxy in front of a server that fails on demand, and an `mlcore server` that can be killed and started again."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_START_SECONDS = 60.0
_LOGIN = b"<html><title>Log in</title><form action=/login></form></html>"

# What the proxy can do instead of passing a request on:
# absent: nothing listens; hang: accept and never answer; slow: an answer of a byte a second; refuse500; busy429;
# large413: refuse bodies above `most_bytes`; not_json; login: 200 with a page; cut: pass it on, then break off in the
# middle of the answer; gone: break the connection off before the request is passed on.
FAULTS = ("absent", "hang", "slow", "refuse500", "busy429", "large413", "not_json", "login", "cut", "gone")


@dataclass
class Seen:
    """One request as the proxy met it."""

    method: str
    path: str
    size_bytes: int
    fault: str


@dataclass
class FaultyServer:
    """A proxy on a port of its own; `fail` and `heal` change what it does from one request to the next."""

    target: str
    most_bytes: int = 2_000
    port: int = 0
    fault: str = ""
    only: str = ""
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin to listen."""
        self._server: ThreadingHTTPServer | None = None
        self._released = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listen()

    @property
    def uri(self) -> str:
        """Where clients reach it."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, *, only: str = "") -> None:
        """Fail from now on, also on connections that are open; *only* where the path has that text."""
        if fault not in FAULTS:
            raise ValueError(f"unknown fault {fault!r}: expected one of {', '.join(FAULTS)}")
        self.heal()
        self.fault, self.only = fault, only
        if fault == "absent":
            self._deafen()
        self._drop_connections()

    def heal(self) -> None:
        """Pass everything on again; requests that hang are broken off."""
        self.fault = self.only = ""
        self._released.set()
        self._drop_connections()
        self._released = threading.Event()
        self._listen()

    def close(self) -> None:
        """End."""
        self.fault = ""
        self._released.set()
        self._drop_connections()
        self._deafen()

    def _listen(self) -> None:
        if self._server is not None:
            return
        proxy = self

        class Handler(_Handler):
            owner = proxy

        server = _Server(("127.0.0.1", self.port), Handler)
        self.port = int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self._server = server

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _drop_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def fault_of(self, path: str) -> str:
        """Return how a request to *path* fails now; empty when it does not."""
        return self.fault if self.only in path else ""

    def wait(self, seconds: float) -> bool:
        """Wait until the fault is over; whether it is."""
        return self._released.wait(seconds)

    def joined(self, connection: socket.socket) -> None:
        """Note a connection."""
        with self._lock:
            self._open.add(connection)

    def left(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that broke off: that is what they are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: FaultyServer

    def setup(self) -> None:
        super().setup()
        self.owner.joined(self.connection)

    def finish(self) -> None:
        self.owner.left(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # the base's signature
        pass

    def _any(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        fault = self.owner.fault_of(self.path)
        self.owner.seen.append(Seen(self.command, self.path, size, fault))
        if fault == "hang":
            while not self.owner.wait(60):
                pass
            self.close_connection = True
        elif fault in ("gone", "absent"):
            self.close_connection = True
        elif fault == "slow":
            self._drip(b'{"experiment": {}}' + b" " * 10_000)
        elif fault == "refuse500":
            self._say(500, b'{"error_code": "INTERNAL_ERROR", "message": "out of order"}')
        elif fault == "busy429":
            told = b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "too many requests"}'
            self._say(429, told, {"retry-after": "1"})
        elif fault == "large413" and size > self.owner.most_bytes:
            self._say(413, b"<html>413 Request Entity Too Large</html>", {"content-type": "text/html"})
        elif fault == "not_json":
            self._say(200, b'{"run": {"info": ')
        elif fault == "login":
            self._say(200, _LOGIN, {"content-type": "text/html"})
        else:
            self._pass_on(body, cut=fault == "cut")

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        for at in range(len(body)):
            self.wfile.write(body[at : at + 1])
            if self.owner.wait(1):
                break
        self.close_connection = True

    def _pass_on(self, body: bytes, *, cut: bool) -> None:
        place = urlsplit(self.owner.target)
        upstream = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        try:
            upstream.request(self.command, self.path, body, {**headers, "host": place.netloc})
            answer = upstream.getresponse()
            told = answer.read()
        except OSError:  # the server behind it is down
            self.close_connection = True
            return
        finally:
            upstream.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else str(len(told))
        self.send_header("content-length", length or "0")
        self.end_headers()
        self.wfile.write(told[: len(told) // 2] if cut else told)
        self.close_connection = cut


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
    setattr(_Handler, f"do_{_method}", _Handler._any)


@contextmanager
def faulty_server(target: str) -> Iterator[FaultyServer]:
    """Put a proxy in front of the server at *target*."""
    proxy = FaultyServer(target)
    try:
        yield proxy
    finally:
        proxy.close()


class MortalServer:
    """`mlcore server` on one port and folder, killed and started at will; nothing runs before `start`."""

    def __init__(self, *options: str) -> None:
        """Choose a folder and a port.

        options: of the server besides store, artifacts and port.
        """
        self.folder: Path = Path(tempfile.mkdtemp(prefix="mlcore-mortal-"))
        (self.folder / "artifacts").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = int(probe.getsockname()[1])
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Where it is, or will be."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlcore.cli", "server", "--port", str(self.port), "--no-access-log"]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlcore.db", "--auth", "none"]
        command += ["--artifacts-destination", str(self.folder / "artifacts"), *self._options]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))}
        environ["HOME"] = str(self.folder)
        with (self.folder / "log").open("ab") as out:
            self._process = subprocess.Popen(command, cwd=self.folder, env=environ, stdout=out, stderr=out)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.uri}/health", timeout=5):  # noqa: S310  # made above
                return
            time.sleep(0.05)
        raise RuntimeError(f"mlcore's server did not start:\n{(self.folder / 'log').read_text()[-4000:]}")

    def kill(self) -> None:
        """Kill it as a power cut would; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def mortal_server(*options: str, start: bool = True) -> Iterator[MortalServer]:
    """Yield a server that can die; running when *start* says so."""
    server = MortalServer(*options)
    try:
        if start:
            server.start()
        yield server
    finally:
        server.close()
