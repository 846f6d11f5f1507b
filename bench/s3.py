"""Send to S3 and fetch back: one file of 1 GB, and 2,000 small files, against MLflow's repository on the same servers."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from measure import ROOT, Row, Side, at_most, less, worker

sys.path.insert(0, str(ROOT / "tools"))

import s3_servers

BUCKET = "bench"
LARGE_BYTES = 1 << 30
SMALL_FILES, SMALL_BYTES = 2_000, 2_048
TURNS = 3


def s3(pair: tuple[Side, Side]) -> list[Row]:
    """Time both sides in turns. Server and files are kept in memory where that is possible: no disk is measured.

    MLCORE_BENCH_S3 names the servers, `ceph`, `rclone` or both; by default all that are installed.
    """
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 12 * LARGE_BYTES:
        tempfile.tempdir = str(memory)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        for kind in ("1 GB", f"{SMALL_FILES:,} files"):
            _fill(Path(folder) / kind, large=kind == "1 GB")
        for make in _servers():
            with make() as server:
                os.environ.update(_environ(server))
                for kind, factor in (("1 GB", 2.0), (f"{SMALL_FILES:,} files", 10.0)):
                    rows += _compared(f"S3 at {server.name}, {kind}", pair, server, Path(folder) / kind, factor)
    return rows


def _compared(
    name: str, pair: tuple[Side, Side], server: s3_servers.S3Server, source: Path, factor: float
) -> list[Row]:
    found: list[list[dict[str, float]]] = [[], [], []]
    for _ in range(TURNS):
        for index, side in enumerate(pair):
            found[index].append(worker(side, "s3", str(source), BUCKET))
            _empty(server)
        if shutil.which("curl"):
            found[2].append(worker(pair[0], "s3_raw", str(source), BUCKET))
            _empty(server)
    sizes = {answer["bytes"] for side in found for answer in side}
    if len(sizes) != 1 or {answer["files"] for side in found[:2] for answer in side} != {found[0][0]["files"]}:
        sys.exit(f"error: not the same files were fetched: {found}")
    memory = at_most(f"{name}, memory", "MB", [statistics.median(answer["memory_mb"] for answer in found[0])], 64.0)
    return [row for way in ("up", "down") for row in _rows(f"{name}, {way}", way, found, factor)] + [memory]


def _rows(name: str, way: str, found: Sequence[Sequence[dict[str, float]]], factor: float) -> list[Row]:
    """Compare one direction.

    The least of the turns counts, as a busy machine only ever adds. The rows of curl and of the server's own CPU say how
    much of the clock's factor the server permits to anybody.
    """

    def best(key: str) -> list[list[float]]:
        return [[min((answer[key] for answer in side), default=0.0)] for side in found]

    ours, theirs, raw = best(way)
    rows = [less(name, "s", ours, theirs, factor)]
    if raw[0]:
        rows.append(less(f"{name}: curl alone", "s", raw, theirs))
        rows.append(Row(f"{name}: share of curl's rate", "%", 100 * raw[0] / ours[0], None, None, None))
    cpu, server = best(f"{way}_cpu"), best(f"{way}_server")
    rows.append(less(f"{name}: client", "CPU s", cpu[0], cpu[1], factor))
    if server[0][0]:
        rows.append(less(f"{name}: server", "CPU s", server[0], server[1]))
    return rows


def _fill(folder: Path, *, large: bool) -> None:
    folder.mkdir()
    if large:
        with (folder / "large.bin").open("wb") as file:
            for _ in range(LARGE_BYTES >> 24):
                file.write(os.urandom(1 << 24))
        return
    for number in range(SMALL_FILES):
        path = folder / f"{number % 20:02}" / f"{number:04}.bin"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.urandom(SMALL_BYTES))


def _servers() -> list[Callable[[], AbstractContextManager[s3_servers.S3Server]]]:
    """Return Ceph's gateway, and rclone, which needs nothing but pip."""
    chosen = os.environ.get("MLCORE_BENCH_S3", "ceph rclone").split()
    there = {"ceph": all(shutil.which(name) for name in s3_servers.CEPH_PROGRAMS), "rclone": True}
    known = {"ceph": _ceph, "rclone": lambda: s3_servers.rclone(BUCKET)}
    return [known[name] for name in chosen if there[name]]


@contextmanager
def _ceph() -> Iterator[s3_servers.S3Server]:
    with s3_servers.ceph(10 * LARGE_BYTES) as server:
        with closing(_client(server)) as client:
            client.create_bucket(Bucket=BUCKET)
        yield server


def _empty(server: s3_servers.S3Server) -> None:
    """Remove all objects, so that the server's memory is as it was for whoever comes next."""
    with closing(_client(server)) as client:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            if keys := [{"Key": item["Key"]} for item in page.get("Contents", [])]:
                client.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})


def _client(server: s3_servers.S3Server) -> Any:
    import boto3
    from botocore.config import Config

    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    style = Config(s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", config=style, **keys)


def _environ(server: s3_servers.S3Server) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": server.endpoint,
        "BENCH_SERVER_PIDS": " ".join(map(str, server.pids)),
    }
