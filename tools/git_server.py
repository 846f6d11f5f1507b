"""A git server on the loopback for tests: the real `git http-backend`, or plain files as the dumb protocol wants them."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class GitServer:
    """Repositories below a directory.

    login: `user:password` that every request has to bring.
    dumb: whether only files are served, as by a web server that knows nothing of git.
    old: whether the protocol is the one that gives out advertised commits only.
    broken: whether the next pack stops in the middle and hangs until `resumed` is set.
    packs: how many packs were asked for.
    """

    uri: str
    root: Path
    login: str = ""
    dumb: bool = False
    old: bool = False
    broken: bool = False
    packs: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    resumed: threading.Event = field(default_factory=threading.Event)
    authorized: list[str] = field(default_factory=list)


@contextmanager
def git_server(root: Path) -> Iterator[GitServer]:
    """Serve the repositories below *root* for the time of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    served = GitServer(f"http://127.0.0.1:{server.server_port}", root)
    _Handler.served[str(server.server_port)] = served
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.resumed.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: dict[str, GitServer] = {}  # shared on purpose

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length") or 0)))

    def _answer(self, body: bytes) -> None:
        served = self.served[str(self.headers["host"]).rpartition(":")[2]]
        given = self.headers.get("authorization", "")
        served.authorized.append(given)
        if served.login and given != f"Basic {base64.b64encode(served.login.encode()).decode()}":
            self.send_response(401)
            self.send_header("www-authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        with suppress(ConnectionError):
            if served.dumb:
                self._file(served)
            else:
                self._backend(served, body)

    def _file(self, served: GitServer) -> None:
        path = served.root / self.path.partition("?")[0].lstrip("/")
        content = path.read_bytes() if path.is_file() else None
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def _backend(self, served: GitServer, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_PROJECT_ROOT": str(served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": "" if served.old else self.headers.get("git-protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            [shutil.which("git") or "git", "http-backend"], input=body, env=env, capture_output=True, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines() if ": " in line]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        is_pack = b"PACK" in content
        served.packs += is_pack
        if is_pack and served.broken:
            served.broken = False
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            served.stopped.set()
            served.resumed.wait(60)
            return
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
