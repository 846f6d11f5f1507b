"""A web server for tests that serves bytes by path, tells their versions, and notes who asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Files by path; `asked` has one `METHOD /path` for each request."""

    uri: str
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetched(self, path: str) -> int:
        """Return how often the content of *path* was sent."""
        return self.asked.count(f"GET {path}")


@contextmanager
def file_server() -> Iterator[FileServer]:
    """Serve on the loopback for the time of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    served = FileServer(f"http://127.0.0.1:{server.server_port}")
    _Handler.served[served.uri.rpartition(":")[2]] = served
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: dict[str, FileServer] = {}  # shared on purpose

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        served = self.served[str(self.headers["host"]).rpartition(":")[2]]
        path = self.path.partition("?")[0]
        served.asked.append(f"{self.command} {path}")
        content = served.files.get(path)
        self.send_response(200 if content is not None else 404)
        self.send_header("content-length", str(len(content or b"")))
        if content is not None:
            self.send_header("etag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.end_headers()
        if with_body and content:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
