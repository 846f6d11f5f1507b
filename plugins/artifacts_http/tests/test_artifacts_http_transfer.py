"""Large files: through the server with their hash, or in parts straight to the storage."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import own_server
import pytest
from attrs import evolve
from mlcore_artifacts_http.opening import open_repo
from mlcore_artifacts_http.proxy import ProxyRepo
from own_server import OwnServer

from mlcore.artifacts.transfer import download_file, upload_file
from mlcore.errors import ArtifactWriteError, StoreUnavailableError
from mlcore.interfaces import HashedFile
from mlcore.remote import places
from mlcore.remote.settings import RemoteSettings

QUICK = RemoteSettings(backoff_s=0.01, max_retries=1, token=uuid4().hex)


def hashed(path: Path, content: bytes) -> HashedFile:
    path.write_bytes(content)
    return HashedFile(str(path), len(content), hashlib.sha256(content).hexdigest(), path.stat().st_mtime_ns)


@pytest.fixture
def repo(own: OwnServer) -> Iterator[ProxyRepo]:
    opened = open_repo("mlflow-artifacts:/large", own.uri)
    assert isinstance(opened, ProxyRepo)
    yield opened
    opened.close()


def test_a_large_file_goes_there_and_back(repo: ProxyRepo, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "from").write_bytes(content)

    upload_file(repo, tmp_path / "from", "a/b.bin")
    download_file(repo, "a/b.bin", tmp_path / "to")

    assert (tmp_path / "to").read_bytes() == content


def test_a_server_below_a_prefix_is_found_there(tmp_path: Path) -> None:
    content = b"x" * (9 << 20)
    (tmp_path / "from").write_bytes(content)
    with own_server.own_server("--auth", "none", "--prefix", "/team/a") as server:
        repo = open_repo("mlflow-artifacts:/large", server.uri)

        upload_file(repo, tmp_path / "from", "b.bin")
        download_file(repo, "b.bin", tmp_path / "to")
        with repo.read("b.bin") as file:
            start = file.read(5)
        repo.close()

    assert server.uri.endswith("/team/a")
    assert (tmp_path / "to").read_bytes() == content
    assert start == b"xxxxx"


def test_the_server_refuses_what_is_not_what_was_hashed(repo: ProxyRepo, tmp_path: Path) -> None:
    file = hashed(tmp_path / "f", b"x" * 100_000)

    with pytest.raises(ArtifactWriteError, match=r"cannot store 'wrong\.bin': the SHA-256 of the 100000 bytes"):
        repo.put_file("wrong.bin", evolve(file, sha256="0" * 64), lambda _: None)

    assert repo.stat("wrong.bin") is None


def test_a_file_that_changed_since_it_was_hashed_is_not_stored(repo: ProxyRepo, tmp_path: Path) -> None:
    file = hashed(tmp_path / "f", b"x" * 100_000)

    with pytest.raises(ArtifactWriteError, match="changed while it was uploaded"):
        repo.put_file("changed.bin", evolve(file, modified_ns=1), lambda _: None)

    assert repo.stat("changed.bin") is None


class Handler(BaseHTTPRequestHandler):
    """A proxy and its storage: says that it takes parts, and takes them."""

    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[str, str | None]]] = []
    bodies: ClassVar[dict[str, bytes]] = {}
    storage: ClassVar[list[str]] = []
    refused: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self._json({"multipart_uploads_enabled": True})

    def do_POST(self) -> None:
        body = json.loads(self._body())
        self.bodies[self.path] = json.dumps(body).encode()
        if "/mpu/create/" in self.path:
            parts = [
                {"url": f"{self.storage[0]}/part{n}?sig=x%2Fy", "part_number": n, "headers": {"x-part": str(n)}}
                for n in range(1, body["num_parts"] + 1)
            ]
            self._json({"upload_id": "u1", "credentials": parts})
        else:
            self._json({})

    def do_PUT(self) -> None:
        self.bodies[self.path] = self._body()
        self._json({}, 400 if self.path in self.refused else 200, etag=f'"{len(self.bodies[self.path])}"')

    def _body(self) -> bytes:
        self.seen.append((self.path, self.headers.get("authorization")))
        return self.rfile.read(int(self.headers["content-length"]))

    def _json(self, value: object, status: int = 200, etag: str = "") -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        if etag:
            self.send_header("etag", etag)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Handler]]]:
    monkeypatch.setattr(places, "_CHOSEN", {})
    handler = type("One", (Handler,), {"seen": [], "bodies": {}, "storage": [], "refused": set()})
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []
    uri, storage = (_start(handler, running) for _ in range(2))
    handler.storage.append(storage)
    places.choose(places.place_of(uri))
    yield uri, handler
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def _start(handler: type[Handler], running: list[tuple[ThreadingHTTPServer, threading.Thread]]) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    running.append((server, threading.Thread(target=server.serve_forever, args=(0.02,))))
    running[-1][1].start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def test_parts_go_straight_to_the_storage_which_gets_no_credentials(
    servers: tuple[str, type[Handler]], tmp_path: Path
) -> None:
    uri, handler = servers
    content = bytes(range(256)) * 100_000
    told: list[int] = []
    repo = open_repo("mlflow-artifacts:/r", uri, QUICK)
    assert isinstance(repo, ProxyRepo)

    repo.put_file("dir/big file.bin", hashed(tmp_path / "f", content), told.append)

    parts = [handler.bodies[f"/part{n}?sig=x%2Fy"] for n in (1, 2, 3)]
    assert b"".join(parts) == content
    assert {auth for path, auth in handler.seen if path.startswith("/part")} == {None}
    assert {auth for path, auth in handler.seen if "/mpu/" in path} == {f"Bearer {QUICK.token}"}
    done = json.loads(handler.bodies["/api/2.0/mlflow-artifacts/mpu/complete/r/dir"])
    assert (done["path"], done["upload_id"]) == ("big file.bin", "u1")
    assert [(part["part_number"], part["etag"]) for part in done["parts"]] == [
        (n, f'"{len(part)}"') for n, part in enumerate(parts, 1)
    ]
    assert sum(told) == len(content)
    repo.close()


def test_an_upload_whose_part_is_refused_is_aborted(servers: tuple[str, type[Handler]], tmp_path: Path) -> None:
    uri, handler = servers
    handler.refused.add("/part2?sig=x%2Fy")
    repo = open_repo("mlflow-artifacts:/r", uri, QUICK)
    assert isinstance(repo, ProxyRepo)

    with pytest.raises(StoreUnavailableError, match="refused a part with status 400"):
        repo.put_file("big.bin", hashed(tmp_path / "f", b"x" * 25_000_000), lambda _: None)

    assert "/api/2.0/mlflow-artifacts/mpu/abort/r" in handler.bodies
    assert "/api/2.0/mlflow-artifacts/mpu/complete/r" not in handler.bodies
    repo.close()
