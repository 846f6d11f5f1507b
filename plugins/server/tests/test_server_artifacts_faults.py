"""What goes wrong while files move: clients that die or stall, full disks, many transfers at once."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from mlcore_server.files.inflow import AHEAD_BYTES, UploadBrokenError
from mlcore_server.files.spots import Spot
from mlcore_server.files.uploads import Uploads
from starlette.requests import Request

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.testing.memory_repo import MemoryRepo

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
MB = 2**20


@pytest.fixture
def folder() -> str:
    return uuid4().hex


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose files may have ten megabytes at most."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({10 * MB}, {10 * MB}))"
    with running_server(tmp_path_factory.mktemp("small"), before=[limit]) as server:
        yield server


def connect(server: LiveServer) -> socket.socket:
    split = urlsplit(server.url)
    return socket.create_connection((split.hostname, split.port), timeout=20)


def begin_upload(server: LiveServer, path: str, length: int, start: bytes) -> socket.socket:
    """Send the beginning of an upload."""
    client = connect(server)
    head = f"PUT {PROXY}/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    client.sendall(head.encode() + start)
    return client


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.rglob("*") if path.is_file()]


def unfinished(directory: Path) -> list[str]:
    return [name for name in names(directory) if name.startswith(".mlcore-staging")]


class TestBrokenOff:
    @pytest.mark.parametrize("sent", [0, 1, 3 * MB])
    def test_of_an_upload_whose_client_died_nothing_is_left(
        self, live_server: LiveServer, http: httpx.Client, folder: str, sent: int
    ) -> None:
        client = begin_upload(live_server, f"{folder}/a/file", 4 * MB, b"x" * sent)
        assert eventually(lambda: len(unfinished(live_server.artifacts)) == 1)

        client.close()

        assert eventually(lambda: not (live_server.artifacts / folder).exists())
        assert http.get(f"{PROXY}/{folder}/a/file").status_code == 404

    def test_the_old_file_stays_when_the_client_of_the_new_one_died(
        self, live_server: LiveServer, http: httpx.Client, folder: str
    ) -> None:
        http.put(f"{PROXY}/{folder}/file", content=b"old")
        client = begin_upload(live_server, f"{folder}/file", 4 * MB, b"x" * MB)
        assert eventually(lambda: len(unfinished(live_server.artifacts)) == 1)

        client.close()

        assert eventually(lambda: unfinished(live_server.artifacts) == [])
        assert http.get(f"{PROXY}/{folder}/file").content == b"old"

    def test_a_download_whose_client_left_lets_go_of_the_file(
        self, live_server: LiveServer, http: httpx.Client, folder: str
    ) -> None:
        http.put(f"{PROXY}/{folder}/file", content=bytes(64 * MB))
        fds = Path(f"/proc/{live_server.process.pid}/fd")

        def is_open() -> bool:
            return any(folder in str(fd.readlink()) for fd in fds.iterdir() if fd.is_symlink())

        client = connect(live_server)
        client.sendall(f"GET {PROXY}/{folder}/file HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        client.recv(100_000)
        assert is_open()

        client.close()

        assert eventually(lambda: not is_open())


@pytest.mark.slow
def test_a_server_that_is_stopped_lets_go_of_hanging_uploads_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_server(tmp_path_factory.mktemp("stopped"), "--no-access-log") as server:
        client = begin_upload(server, "a/file", 4 * MB, b"x" * MB)
        assert eventually(lambda: len(unfinished(server.artifacts)) == 1)

        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(60)
        client.close()

    assert code == 0
    assert list(server.artifacts.iterdir()) == []
    assert "never retrieved" not in server.log.read_text("utf-8")


class TestRefused:
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_full_disk_is_told_and_leaves_nothing(self, small_disk: LiveServer, chunked: bool) -> None:
        def pieces() -> Iterator[bytes]:
            for _ in range(12):
                yield bytes(MB)

        body = pieces() if chunked else b"".join(pieces())
        with httpx.Client(base_url=small_disk.url, timeout=30) as http:
            answer = http.put(f"{PROXY}/dir/file", content=body)
            next_one = http.put(f"{PROXY}/small", content=b"x")

        assert answer.status_code == 507
        assert answer.json()["message"] == (
            "cannot store artifact 'dir/file': the server's storage is full; nothing of it is stored"
        )
        assert next_one.status_code == 200
        assert names(small_disk.artifacts) == ["small"]

    @pytest.mark.parametrize(
        ("path", "why"),
        [
            ("file/below", "a file is where one of its directories would be"),
            ("dir", "a directory of this name is there"),
            ("x" * 300, "its name is too long"),
        ],
    )
    def test_what_is_in_the_way_is_named_without_the_servers_directory(
        self, live_server: LiveServer, http: httpx.Client, folder: str, path: str, why: str
    ) -> None:
        http.put(f"{PROXY}/{folder}/file", content=b"x")
        http.put(f"{PROXY}/{folder}/dir/file", content=b"x")

        answer = http.put(f"{PROXY}/{folder}/{path}", content=b"y")

        assert answer.status_code == 400
        assert why in answer.json()["message"]
        assert str(live_server.directory) not in answer.text


class TestManyAtOnce:
    def test_small_requests_are_answered_while_uploads_hang(
        self, live_server: LiveServer, http: httpx.Client, folder: str
    ) -> None:
        clients = [begin_upload(live_server, f"{folder}/{n}", 2 * MB, b"x" * MB) for n in range(16)]
        assert eventually(lambda: len(unfinished(live_server.artifacts)) == 16)

        started = time.monotonic()
        answer = http.get("/api/2.0/mlflow/experiments/get", params={"experiment_id": "0"})
        took_s = time.monotonic() - started

        assert answer.status_code == 200
        assert took_s < 1
        for client in clients:
            client.sendall(b"x" * MB)
        told = [client.recv(15) for client in clients]
        for client in clients:
            client.close()
        assert told == [b"HTTP/1.1 200 OK"] * 16

    def test_downloads_go_on_beside_clients_that_do_not_read(
        self, live_server: LiveServer, http: httpx.Client, folder: str
    ) -> None:
        http.put(f"{PROXY}/{folder}/file", content=bytes(16 * MB))
        clients = [connect(live_server) for _ in range(24)]
        for client in clients:
            client.sendall(f"GET {PROXY}/{folder}/file HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

        answer = http.get(f"{PROXY}/{folder}/file")

        for client in clients:
            client.close()
        assert len(answer.content) == 16 * MB

    def test_uploads_side_by_side_are_all_stored(self, live_server: LiveServer, folder: str) -> None:
        def upload(n: int) -> int:
            content = bytes([n]) * 500_000
            return httpx.put(f"{live_server.url}{PROXY}/{folder}/{n}", content=content, timeout=60).status_code

        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(upload, range(40)))

        assert told == [200] * 40
        assert all((live_server.artifacts / folder / str(n)).read_bytes() == bytes([n]) * 500_000 for n in range(40))

    def test_a_large_file_needs_no_memory(self, live_server: LiveServer, folder: str) -> None:
        """T-ART-STREAM."""

        def pieces() -> Iterator[bytes]:
            for _ in range(160):
                yield bytes(MB)

        with httpx.Client(base_url=live_server.url, timeout=120) as http:
            http.put(f"{PROXY}/{folder}/warm", content=bytes(MB))
            before = live_server.rss_bytes
            answer = http.put(f"{PROXY}/{folder}/file", content=pieces(), headers={"content-length": str(160 * MB)})
            after_upload = live_server.rss_bytes
            with http.stream("GET", f"{PROXY}/{folder}/file") as got:
                size = sum(len(piece) for piece in got.iter_raw())

        assert (answer.status_code, size) == (200, 160 * MB)
        assert after_upload - before < 32 * MB
        assert live_server.rss_bytes - before < 32 * MB


class TestBackPressure:
    """The way from the socket to the repository, without a server."""

    @staticmethod
    def request(messages: Sequence[MutableMapping[str, Any]], taken: list[int], length: int) -> Request:
        waiting = iter(messages)

        async def receive() -> MutableMapping[str, Any]:
            taken.append(1)
            found = next(waiting, None)
            if found is None:
                await asyncio.Event().wait()
            assert found is not None
            return found

        headers = [(b"content-length", str(length).encode())]
        return Request({"type": "http", "method": "PUT", "path": "/", "headers": headers}, receive)

    def test_a_client_that_sends_nothing_is_let_go(self) -> None:
        repo = MemoryRepo()

        async def run() -> None:
            uploads = Uploads(1, None, idle_s=0.05)
            http = self.request([{"type": "http.request", "body": b"x", "more_body": True}], [], 10)
            await uploads.store(Spot(repo, "file", "file"), http)

        with pytest.raises(UploadBrokenError, match=r"nothing came for 0.05 s; send the file again") as told:
            asyncio.run(run())

        assert told.value.status == 408
        assert repo.stat("file") is None

    def test_nothing_is_taken_from_the_socket_that_the_storage_has_no_time_for(self) -> None:
        stored = io.BytesIO()
        taken: list[int] = []
        piece = bytes(AHEAD_BYTES // 4)

        class Slow(MemoryRepo):
            def write(self, path: str, source: Any, size_bytes: int) -> None:
                time.sleep(0.3)
                seen.append(len(taken))
                super().write(path, source, size_bytes)

        seen: list[int] = []

        async def run() -> None:
            body = [{"type": "http.request", "body": piece, "more_body": n < 39} for n in range(40)]
            repo = Slow()
            await Uploads(1, None).store(Spot(repo, "file", "file"), self.request(body, taken, 40 * len(piece)))
            with repo.read("file") as file:
                stored.write(file.read())

        asyncio.run(run())

        assert seen == [4]
        assert len(stored.getvalue()) == 40 * len(piece)
