from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import NewRun, RunQuery

PROCESSES = 32

FIRST_METRIC = """
import sys, time
from mlcore_store_sql.plugin import tracking_store
from mlcore.entities import Batch, Metric, NewRun
from mlcore_store_sql import store
sys.stdout.write("ready"); sys.stdout.flush()
sys.stdin.readline()
opened = tracking_store(sys.argv[1], None)
opened.create_run(NewRun("0", sys.argv[2], "n", "u", 1))
opened.log_batch(sys.argv[2], Batch(metrics=(Metric("m", 1.0, 1, 1),)))
"""

CREATE_ONLY = """
import sys
from mlcore_store_sql.store import SqlTrackingStore
SqlTrackingStore.open(sys.argv[1])
"""

MIXED_WRITES = """
import sys
from mlcore_store_sql.store import SqlTrackingStore
from mlcore.entities import Batch, Metric, Param, RunTag
store, me = SqlTrackingStore.open(sys.argv[1]), int(sys.argv[2])
for step in range(60):
    keys = [f"k{(step * 7 + me * 3 + i) % 10}" for i in range(3)]
    metrics = tuple(Metric(key, float(me), step, step) for key in keys)
    store.log_batch("shared", Batch(metrics, (Param("same", "1"),), (RunTag(keys[0], str(me)),)))
    store.get_run("shared")
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_32_processes_that_start_in_an_empty_directory_all_create_a_run_and_log(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/fresh/mlcore.db"
    children = [start(FIRST_METRIC, uri, f"run{number}") for number in range(PROCESSES)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.read(5) == "ready"

    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    errors = [child.communicate()[1] for child in children]

    assert [child.returncode for child in children] == [0] * PROCESSES, "".join(errors)
    runs = SqlTrackingStore.open(uri).search_runs(RunQuery(("0",))).items
    assert sorted(run.info.run_id for run in runs) == sorted(f"run{number}" for number in range(PROCESSES))
    assert all(run.data.metrics == {"m": 1.0} for run in runs)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_store_opens_after_its_creator_was_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(1)
    for attempt in range(12):
        path = tmp_path / str(attempt) / "mlcore.db"
        child = start(CREATE_ONLY, f"sqlite:///{path}")
        deadline = time.monotonic() + 10
        while not path.exists() and time.monotonic() < deadline:
            pass
        time.sleep(chance.uniform(0, 0.006))
        child.kill()
        child.communicate()

        store = SqlTrackingStore.open(f"sqlite:///{path}")

        assert store.get_experiment("0").name == "Default"
        store.close()


def test_processes_that_write_overlapping_keys_of_one_run_all_succeed(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    store = SqlTrackingStore.open(uri)
    store.create_run(NewRun("0", "shared", "n", "u", 1))

    children = [start(MIXED_WRITES, uri, str(number)) for number in range(6)]
    errors = [child.communicate()[1] for child in children]

    assert [child.returncode for child in children] == [0] * 6, "".join(errors)
    counts = {summary.key: summary.count for summary in store.metric_summaries("shared")}
    assert sum(counts.values()) == 6 * 60 * 3
    for key, count in counts.items():
        assert len(store.get_metric_history("shared", key, max_results=5000, page_token=None).items) == count


def test_a_store_created_in_one_process_is_whole_when_another_sees_it(tmp_path: Path) -> None:
    path = tmp_path / "mlcore.db"
    child = start(CREATE_ONLY, f"sqlite:///{path}")
    seen: set[int] = set()

    while child.poll() is None:
        if path.exists():
            with sqlite3.connect(path, timeout=10) as connection:
                (tables,) = connection.execute(
                    "SELECT count(*) FROM sqlite_master WHERE name LIKE 'mlcore%'"
                ).fetchone()
            connection.close()
            seen.add(tables)
    child.communicate()

    assert child.returncode == 0
    assert len(seen - {0}) <= 1
