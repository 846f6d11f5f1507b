"""Files that clients send in parts, directly to the storage behind the proxy: S3, played by moto."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from server_in_bucket import server_in_bucket

from mlcore.testing.live_server import LiveServer

PROXY = "/api/2.0/mlflow-artifacts"
PART = 5 << 20
BUCKET = "parts"

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Iterator[LiveServer]:
    """A server that keeps its artifacts in a bucket."""
    with server_in_bucket(require, tmp_path_factory.mktemp("server"), BUCKET) as made:
        yield made


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        yield client


def begin(http: httpx.Client, folder: str, **fields: object) -> httpx.Response:
    return http.post(f"{PROXY}/mpu/create/{folder}", json={"path": "/home/me/a.bin", "num_parts": 2, **fields})


def send(made: dict[str, Any], content: bytes) -> list[dict[str, object]]:
    """Put the parts where the server says, as anybody who has the addresses can."""
    parts = []
    for credential in made["credentials"]:
        start = (credential["part_number"] - 1) * PART
        answer = httpx.put(credential["url"], content=content[start : start + PART], headers=credential["headers"])
        assert answer.status_code == 200, answer.text
        number, url = credential["part_number"], credential["url"]
        parts.append({"part_number": number, "etag": answer.headers["etag"], "url": url})
    return parts


def test_a_file_is_there_when_its_parts_are_put_together(http: httpx.Client) -> None:
    folder, content = uuid4().hex, os.urandom(PART + 10)
    made = begin(http, folder).json()
    parts = send(made, content)
    before = http.get(f"{PROXY}/artifacts/{folder}/a.bin").status_code

    fields = {"path": "C:\\Users\\me\\a.bin", "upload_id": made["upload_id"], "parts": parts}
    answer = http.post(f"{PROXY}/mpu/complete/{folder}", json=fields)

    assert (before, answer.status_code, answer.json()) == (404, 200, {})
    assert http.get(f"{PROXY}/artifacts/{folder}/a.bin").content == content


def test_of_a_dropped_upload_nothing_is_left(http: httpx.Client) -> None:
    folder = uuid4().hex
    made = begin(http, folder).json()
    send(made, os.urandom(PART + 10))

    answer = http.post(f"{PROXY}/mpu/abort/{folder}", json={"path": "a.bin", "upload_id": made["upload_id"]})

    assert (answer.status_code, answer.json()) == (200, {})
    assert http.get(PROXY + "/artifacts", params={"path": folder}).json() == {}


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_a_number_of_parts_that_no_storage_takes_is_refused(http: httpx.Client, count: int) -> None:
    answer = begin(http, uuid4().hex, num_parts=count)

    assert answer.status_code == 400
    assert "expected 1 to 10000" in answer.json()["message"]


@pytest.mark.parametrize("path", ["..", "x/..", "", "x/"])
def test_parts_are_of_a_file(http: httpx.Client, path: str) -> None:
    answer = begin(http, uuid4().hex, path=path)

    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_the_storage_itself_gives_a_file_to_who_has_its_address(http: httpx.Client) -> None:
    folder = uuid4().hex
    http.put(f"{PROXY}/artifacts/{folder}/file", content=b"content")

    answer = http.get(f"{PROXY}/presigned/{folder}/file").json()

    assert answer["file_size"] == 7
    assert httpx.get(answer["url"], headers=answer["headers"]).content == b"content"


def test_the_server_says_that_it_can(http: httpx.Client) -> None:
    told = http.get("/api/3.0/mlflow/server-info").json()

    assert (told["multipart_uploads_enabled"], told["presigned_upload_run_id_supported"]) == (True, True)


@pytest.mark.parametrize("size", [100, 3 << 20, 12 << 20])
def test_files_go_through_the_proxy_as_well(http: httpx.Client, size: int) -> None:
    folder, content = uuid4().hex, os.urandom(size)

    put = http.put(f"{PROXY}/artifacts/{folder}/file", content=content)
    got = http.get(f"{PROXY}/artifacts/{folder}/file")

    assert (put.status_code, got.content) == (200, content)
    assert http.get(f"{PROXY}/artifacts", params={"path": folder}).json() == {
        "files": [{"path": "file", "is_dir": False, "file_size": size}]
    }


def test_an_mlflow_client_sends_its_large_files_in_parts(
    server: LiveServer, http: httpx.Client, peer_mlflow: Path, tmp_path: Path
) -> None:
    program = (
        "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]); run = mlflow.start_run();"
        "mlflow.log_artifact(sys.argv[2], 'big'); mlflow.end_run(); print(run.info.run_id)"
    )
    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(12 << 20))
    environment = {
        **os.environ,
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
        "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(PART),
        "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(PART),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }

    done = subprocess.run(
        [str(peer_mlflow), "-W", "ignore", "-c", program, server.url, str(large)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=150,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    run_id = done.stdout.split()[-1]
    assert http.get(f"{PROXY}/artifacts/0/{run_id}/artifacts/big/large.bin").content == large.read_bytes()
    assert '"endpoint":"mlflow-artifacts/mpu/complete","status":200' in server.log.read_text("utf-8")
