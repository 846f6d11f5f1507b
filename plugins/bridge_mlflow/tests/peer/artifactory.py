"""As much of JFrog Artifactory's REST interface as mlflow-jfrog-plugin calls, in memory.

Written from the published interface: deploy, retrieve and delete an item, folder info, and file list.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKEN = "for-tests"
REPOSITORY = "mlflow-local"


class Artifactory(ThreadingHTTPServer):
    """The server, with what it keeps and what it refuses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.lock = threading.Lock()
        self.is_full = False
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def host(self) -> str:
        """Return `address:port`."""
        return f"127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Artifactory

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        path = unquote(split.path).removeprefix("/artifactory/")
        if not self._is_allowed():
            return
        with self.server.lock:
            if path.startswith("api/storage/"):
                self._info(path.removeprefix("api/storage/").strip("/"), split.query)
            elif path in self.server.files:
                self._answer(200, self.server.files[path], "application/octet-stream")
            else:
                self._fault(404)

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._is_allowed():
            return
        if self.server.is_full:
            self._fault(507)
            return
        with self.server.lock:
            self.server.files[unquote(urlsplit(self.path).path).removeprefix("/artifactory/")] = data
        self._answer(201, b"{}")

    def do_DELETE(self) -> None:
        path = unquote(urlsplit(self.path).path).removeprefix("/artifactory/").rstrip("/")
        if not self._is_allowed():
            return
        with self.server.lock:
            gone = [name for name in self.server.files if name == path or name.startswith(path + "/")]
            for name in gone:
                del self.server.files[name]
        if gone:
            self._answer(204, b"")
        else:
            self._fault(404)

    def _info(self, path: str, query: str) -> None:
        files, prefix = self.server.files, f"{path}/"
        uri = f"http://{self.server.host}/artifactory/api/storage/{path}"
        if path in files:
            self._answer(200, json.dumps({"uri": uri, "size": str(len(files[path]))}).encode())
            return
        names = sorted({name.removeprefix(prefix).partition("/")[0] for name in files if name.startswith(prefix)})
        if not names and path != REPOSITORY:
            self._fault(404)
            return
        folders = {name: prefix + name not in files for name in names}
        if "list" in query.split("&"):
            sizes = {name: -1 if folders[name] else len(files[prefix + name]) for name in names}
            listed = [{"uri": f"/{name}", "size": sizes[name], "folder": folders[name]} for name in names]
            self._answer(200, json.dumps({"uri": uri, "files": listed}).encode())
        else:
            below = [{"uri": f"/{name}", "folder": folders[name]} for name in names]
            self._answer(200, json.dumps({"uri": uri, "children": below}).encode())

    def _is_allowed(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self._fault(401)
        return False

    def _fault(self, status: int) -> None:
        self._answer(status, json.dumps({"errors": [{"status": status}]}).encode())

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
