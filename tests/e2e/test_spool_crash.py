"""Processes that record, and processes that deliver, die at any moment; what was acknowledged is in the store, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sourcecode

import mlcore

PROGRAM = sourcecode.ROOT / "tools" / "crash_rounds.py"
JUMP = """
import os, sys, time
from pathlib import Path
import mlcore

clock = Path(os.environ["FAKETIME_TIMESTAMP_FILE"])
with mlcore.start_run() as run:
    before = time.time()
    mlcore.set_tag("t", "before")
    for step in range(100):
        mlcore.log_metric("m", step, step=step)
    if sys.argv[1] == "delivered":
        mlcore.flush_async_logging()
    clock.write_text("-2h")
    assert time.time() < before - 3600, "the clock did not jump"
    mlcore.set_tag("t", "after")
    for step in range(100, 200):
        mlcore.log_metric("m", step, step=step)
    child = os.fork()
    if child == 0:
        for step in range(200, 300):
            run.log_metric("m", step, step=step)
        os._exit(0)
    os.waitpid(child, 0)
with mlcore.start_run(run_id=run.run_id):
    mlcore.set_tag("t", "resumed")
print(run.run_id)
"""


@pytest.mark.parametrize(
    ("store", "rounds", "backlog"), [("sqlite:///crash.db", 200, 40_000), ("file:crash", 50, 5_000)]
)
def test_whoever_is_killed_at_any_moment_nothing_acknowledged_is_lost_doubled_or_mixed(
    store: str, rounds: int, backlog: int
) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "--store", store, "--rounds", str(rounds), "--backlog", str(backlog)],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["rounds"], said["faults"], said["two_syncs"]) == (rounds, [], [0, 0])
    assert said["calls"] > 10 * rounds


@pytest.mark.parametrize("when", ["delivered", "waiting"])
def test_a_clock_that_jumps_back_loses_nothing_and_the_last_word_stays_the_last(when: str, faketime: Path) -> None:
    Path("clock").write_text("+0")

    done = subprocess.run(
        [sys.executable, "-c", JUMP, when],
        env={
            **os.environ,
            "MLCORE_TRACKING_URI": "sqlite:///clock.db",
            "LD_PRELOAD": str(faketime),
            "FAKETIME_TIMESTAMP_FILE": str(Path("clock").absolute()),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    mlcore.set_tracking_uri("sqlite:///clock.db")
    run = mlcore.get_run(done.stdout.split()[-1])
    history = mlcore.Client().get_metric_history(run.info.run_id, "m")
    assert sorted(p.step for p in history) == list(range(300))
    assert run.data.metrics == {"m": 299.0}
    assert run.data.tags["t"] == "resumed"
    assert run.info.status == "FINISHED"


@pytest.fixture
def faketime(require: object) -> Path:
    """The library that gives a program another clock."""
    found = [*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), *Path("/usr/local/lib").glob("faketime/*MT.so.1")]
    require("faketime", bool(found), "apt-get install faketime")  # type: ignore[operator]  # the root conftest's function
    return found[0]
