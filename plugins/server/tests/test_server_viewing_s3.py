"""Pages and the files of a bucket, played by moto: parts of large files, tables, listings, models."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from server_in_bucket import server_in_bucket

Require = Callable[[str, bool, str], None]

BUCKET = "viewing"
LARGE = bytes(range(256)) * (5 << 12)  # 5 MiB: more than is read at once


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Iterator[httpx.Client]:
    """A client of a server that keeps its artifacts in a bucket."""
    with (
        server_in_bucket(require, tmp_path_factory.mktemp("server"), BUCKET) as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def run_id(http: httpx.Client) -> str:
    run_id = str(http.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"])
    array = io.BytesIO()
    np.save(array, np.arange(900_000.0).reshape(-1, 3))
    files = {
        "large.bin": LARGE,
        "small.txt": b"0123456789",
        "empty.txt": b"",
        "t/rows.csv": b"a\n" + b"1\n" * 3_000_000,
        "t/a.npy": array.getvalue(),
        "m/MLmodel": b"flavors: {one: {}}",
    }
    for name, content in files.items():
        to = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{name}"
        assert http.put(to, content=content).status_code == 200
    return run_id


@pytest.fixture(scope="module")
def raw(http: httpx.Client, run_id: str) -> str:
    return "/" + str(http.post("/api/ui/1/artifacts:ticket", json={"run_id": run_id}).json()["url"])


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=4194300-4194309", 4194300, 4194310),
        ("bytes=5242879-", 5242879, 5242880),
        ("bytes=-5", 5242875, 5242880),
        ("bytes=1000000-3999999", 1000000, 4000000),
    ],
)
def test_a_part_of_a_large_object_is_sent(http: httpx.Client, raw: str, asked: str, start: int, end: int) -> None:
    answer = http.get(raw + "large.bin", headers={"range": asked})

    assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {start}-{end - 1}/{len(LARGE)}")
    assert answer.content == LARGE[start:end]


def test_the_whole_of_an_object_is_sent_and_says_that_it_has_parts(http: httpx.Client, raw: str) -> None:
    answer = http.get(raw + "large.bin")
    head = http.head(raw + "large.bin")

    assert (answer.status_code, answer.content == LARGE, answer.headers["accept-ranges"]) == (200, True, "bytes")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(LARGE)), b"")


@pytest.mark.parametrize(
    ("name", "asked"), [("large.bin", "bytes=5242880-"), ("empty.txt", "bytes=0-"), ("small.txt", "bytes=10-")]
)
def test_a_part_behind_the_end_is_refused(http: httpx.Client, raw: str, name: str, asked: str) -> None:
    assert http.get(raw + name, headers={"range": asked}).status_code == 416


def test_small_and_missing_objects_are_told_apart(http: httpx.Client, raw: str) -> None:
    part = http.get(raw + "small.txt", headers={"range": "bytes=2-4"})

    assert (part.status_code, part.content) == (206, b"234")
    assert [http.get(raw + name, headers={"range": "bytes=0-"}).status_code for name in ("x", "t", "t/")] == [404] * 3


def test_tables_in_a_bucket_are_read(http: httpx.Client, run_id: str) -> None:
    def table(path: str, offset: int) -> dict[str, Any]:
        asked = {"run_id": run_id, "path": path, "offset": offset, "limit": 1}
        answer = http.get("/api/ui/1/artifacts:table", params=asked)  # type: ignore[arg-type]  # plain values
        found: dict[str, Any] = answer.json()
        return found

    assert table("t/rows.csv", 5) == {
        "columns": [{"name": "a", "type": "integer"}],
        "rows": [["1"]],
        "total": None,
        "truncated": False,
    }
    assert table("t/a.npy", 200_000)["rows"] == [[600000.0, 600001.0, 600002.0]]


def test_a_bucket_is_listed_as_a_directory(http: httpx.Client, run_id: str) -> None:
    found = http.get("/api/ui/1/artifacts:list", params={"run_id": run_id}).json()
    alone = http.get("/api/ui/1/artifacts:list", params={"run_id": run_id, "path": "t/rows.csv"}).json()

    assert [(one["path"], one["size_bytes"]) for one in found["files"]] == [
        *(("m", None), ("t", None)),
        *(("empty.txt", 0), ("large.bin", len(LARGE)), ("small.txt", 10)),
    ]
    assert [one["path"] for one in alone["files"]] == ["t/rows.csv"]
    assert http.get("/api/ui/1/artifacts:list", params={"run_id": run_id, "path": "x"}).status_code == 404


def test_a_model_in_a_bucket_is_described(http: httpx.Client, run_id: str) -> None:
    found = http.get("/api/ui/1/models:describe", params={"run_id": run_id, "path": "m"}).json()

    assert (found["flavors"], found["files"], found["size_bytes"]) == ([{"name": "one", "config": {}}], 1, 18)
