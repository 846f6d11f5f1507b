"""The disk is full while a program trains: it goes on to its own end, and what was stored stays."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlcore

TRAIN = """
import sys
import mlcore

steps = int(sys.argv[1])
with mlcore.start_run() as run:
    print(run.run_id, flush=True)
    for step in range(steps):
        mlcore.log_metrics({f"metric/{i}": step + i / 100 for i in range(100)}, step=step)
print("trained", flush=True)
sys.exit(3)
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        problem = "there is no mount program"
    if problem:
        pytest.skip(f"a small file system cannot be mounted here, which takes root on Linux: {problem}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def train(steps: int, store: Path, spool: Path) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-c", TRAIN, str(steps)],
        env={
            **os.environ,
            "MLCORE_TRACKING_URI": f"sqlite:///{store}/mlcore.db",
            "MLCORE_SPOOL_DIR": str(spool),
            "MLCORE_PATIENCE_S": "2",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def steps_in(store: Path, run_id: str) -> list[list[int]]:
    """Return the steps of the first and of the last metric."""
    mlcore.set_tracking_uri(f"sqlite:///{store}/mlcore.db")
    client = mlcore.Client()
    return [[p.step for p in client.get_metric_history(run_id, f"metric/{i}")] for i in (0, 99)]


def test_a_program_whose_store_and_spool_fill_the_disk_ends_as_it_would(small_disk: Path) -> None:
    done = train(1500, small_disk, small_disk / "spool")

    run_id, said = done.stdout.split()
    assert (done.returncode, said) == (3, "trained"), done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(rf"records of run {run_id} are lost: .*; make room there", done.stderr), done.stderr
    assert len(done.stderr.splitlines()) < 12, done.stderr


def test_what_was_recorded_before_the_disk_was_full_is_delivered_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"b" * 1_200_000)

    done = train(1500, small_disk, small_disk / "spool")
    ballast.unlink()
    run_id = done.stdout.split()[0]
    synced = subprocess.run(
        [sys.executable, "-m", "mlcore.cli", "sync"],
        env={
            **os.environ,
            "MLCORE_TRACKING_URI": f"sqlite:///{small_disk}/mlcore.db",
            "MLCORE_SPOOL_DIR": str(small_disk / "spool"),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 3, done.stderr
    assert synced.returncode == 0, synced.stdout + synced.stderr
    for steps in steps_in(small_disk, run_id):
        assert len(steps) > 50
        assert steps == sorted(set(steps))


def test_a_full_spool_beside_a_store_with_room_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "ballast").write_bytes(b"b" * 2_900_000)

    done = train(300, tmp_path, small_disk / "spool")

    assert (done.returncode, done.stdout.split()[1]) == (3, "trained"), done.stderr
    assert steps_in(tmp_path, done.stdout.split()[0]) == [list(range(300))] * 2
