"""Send to S3 and fetch back: one file of 1 GB, and 2,000 small files, against MLflow's repository on the same server."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measure import ROOT, Row, Side, at_most, less, worker

sys.path.insert(0, str(ROOT / "tools"))

import s3_servers

BUCKET = "bench"
LARGE_BYTES = 1 << 30
SMALL_FILES, SMALL_BYTES = 2_000, 2_048
TURNS = 3


def s3(pair: tuple[Side, Side]) -> list[Row]:
    """Time both sides in turns. Server and files are kept in memory where that is possible: no disk is measured."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 12 * LARGE_BYTES:
        tempfile.tempdir = str(memory)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder, _server() as server:
        os.environ.update(_environ(server))
        for name, targets in (("1 GB", (2.0, 64.0)), (f"{SMALL_FILES:,} files", (10.0, 64.0))):
            source = Path(folder) / name.partition(" ")[2]
            _fill(source, large=name == "1 GB")
            found: list[list[dict[str, float]]] = [[], []]
            for _ in range(TURNS):
                for index, side in enumerate(pair):
                    found[index].append(worker(side, "s3", str(source), BUCKET))
            rows += _rows(f"S3 at {server.name}, {name}", found, *targets)
            shutil.rmtree(source)
    return rows


def _rows(name: str, found: list[list[dict[str, float]]], factor: float, memory_mb: float) -> list[Row]:
    if {(answer["files"], answer["bytes"]) for side in found for answer in side} != {
        (found[0][0]["files"], found[0][0]["bytes"])
    }:
        sys.exit(f"error: the two sides fetched different files: {found}")

    def of(key: str) -> tuple[list[float], list[float]]:
        ours, theirs = ([answer[key] for answer in side] for side in found)
        return ours, theirs

    return [
        less(f"{name}, up", "s", *of("up"), factor),
        less(f"{name}, up", "CPU s", *of("up_cpu"), factor),
        less(f"{name}, down", "s", *of("down"), factor),
        less(f"{name}, down", "CPU s", *of("down_cpu"), factor),
        at_most(f"{name}, memory", "MB", [statistics.median(of("memory_mb")[0])], memory_mb),
    ]


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


@contextmanager
def _server() -> Iterator[s3_servers.S3Server]:
    """Start Ceph's gateway, or else rclone, which needs nothing but pip."""
    if all(shutil.which(name) for name in s3_servers.CEPH_PROGRAMS) and "MLCORE_BENCH_RCLONE" not in os.environ:
        with s3_servers.ceph(10 * LARGE_BYTES) as server:
            _make_bucket(server)
            yield server
        return
    with s3_servers.rclone(BUCKET) as server:
        yield server


def _make_bucket(server: s3_servers.S3Server) -> None:
    import boto3
    from botocore.config import Config

    keys = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    style = Config(s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", config=style, **keys)
    client.create_bucket(Bucket=BUCKET)
    client.close()


def _environ(server: s3_servers.S3Server) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": server.endpoint,
    }
