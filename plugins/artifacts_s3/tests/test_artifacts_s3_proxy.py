"""Behind an HTTP proxy everything goes through it."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mlcore.artifacts.transfer import download_tree, upload_tree

PART = 5 << 20


class Forward(BaseHTTPRequestHandler):
    """A forward proxy: clients name whole URLs."""

    protocol_version = "HTTP/1.1"
    seen: list[str]

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.close_connection = True

    def _forward(self) -> None:
        self.seen.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("expect", "connection")}
        request = urllib.request.Request(self.path, body or None, headers, method=self.command)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            answer = opener.open(request, timeout=30)
        except urllib.error.HTTPError as err:
            answer = err
        with answer:
            content = answer.read()
            self.send_response_only(answer.status)
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in ("transfer-encoding", "connection")}
            for name, value in {**kept, "Content-Length": kept.get("Content-Length", str(len(content)))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _forward  # noqa: N815  # the names that http.server calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Forward]]:
    handler = type("Recording", (Forward,), {"seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield handler
        server.shutdown()
        thread.join()


@pytest.fixture(params=["rclone", "ceph"])
def server(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


def test_small_and_large_files_go_through_the_proxy(server, proxy, s3, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "small").write_bytes(b"x")
    (tmp_path / "tree" / "large").write_bytes(os.urandom(PART + 1))
    repo = s3.open_repo(server, part_bytes=PART)

    sent = upload_tree(repo, tmp_path / "tree", "tree")
    received = download_tree(repo, "tree", tmp_path / "back")

    assert sent == received
    assert all(f" {server.endpoint}/" in line for line in proxy.seen)
    assert sum("partNumber=" in line for line in proxy.seen) == 2
    assert any(line.startswith("GET ") and "/tree/large" in line for line in proxy.seen)
    repo.close()
