"""Work spread over threads, tasks and processes of all kinds records into one run, exactly."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attrs import frozen

import mlcore
from mlcore.entities import Run

JOBS, POINTS = 8, 25
PROGRAM = Path(__file__).with_name("spread_work.py")
_PATIENCE_S = 60.0

# What sees the run that is open where the work is handed out, so that fluent calls record into it.
INHERIT = (
    "threads", "thread_pool", "copied_context", "tasks", "to_thread", "joblib_threading", "joblib_multiprocessing",
    "pool_fork", "executor_fork", "forks",
)  # fmt: skip
# What begins with no run; a handle takes the run along.
BEGIN_EMPTY = ("joblib_loky", "pool_spawn", "pool_forkserver", "executor_spawn")
CLUSTERS = ("dask", "ray")
IN_PROCESS = INHERIT[:6]


@frozen
class Spread:
    """What the program says."""

    run_id: str
    here: int
    workers: tuple[int, ...]


def spread(mechanism: str, way: str) -> Spread:
    """Run the program; it must end well."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), mechanism, way],
        env={**os.environ, "MLCORE_TRACKING_URI": f"sqlite:///{Path.cwd()}/spread.db"},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    said: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
    mlcore.set_tracking_uri("sqlite:///spread.db")
    return Spread(str(said["run_id"]), int(str(said["here"])), tuple(json.loads(json.dumps(said["workers"]))))


def settled(is_there: Callable[[], bool]) -> None:
    """Wait until the store has what workers have recorded; they may have ended a moment before it had."""
    until = time.monotonic() + _PATIENCE_S
    while not is_there() and time.monotonic() < until:
        time.sleep(0.1)


def all_runs() -> list[Run]:
    """Return every run of the store, with all that is recorded."""
    return list(mlcore.Client().search_runs(["0"]))


def params() -> dict[str, str]:
    """Return the params of all runs."""
    return {key: value for run in all_runs() for key, value in run.data.params.items()}


def assert_all_is_there_once(run_id: str) -> None:
    """One run has every point, param and tag of every job, each once."""
    client = mlcore.Client()
    settled(lambda: len(client.get_metric_history(run_id, "m")) == JOBS * POINTS and len(params()) == JOBS)

    (run,) = all_runs()
    history = client.get_metric_history(run_id, "m")
    assert run.info.run_id == run_id
    assert run.info.status == "FINISHED"
    assert sorted((p.step, p.value) for p in history) == [
        (number * POINTS + i, float(number)) for number in range(JOBS) for i in range(POINTS)
    ]
    assert run.data.params == {f"p{number}": str(number) for number in range(JOBS)}
    assert {k: v for k, v in run.data.tags.items() if k[0] == "t"} == {f"t{n}": str(n) for n in range(JOBS)}


@pytest.mark.parametrize("mechanism", INHERIT + BEGIN_EMPTY)
def test_a_handle_records_into_its_run_wherever_the_work_is_done(mechanism: str) -> None:
    done = spread(mechanism, "handle")

    assert (set(done.workers) == {done.here}) == (mechanism in IN_PROCESS)
    assert_all_is_there_once(done.run_id)


@pytest.mark.parametrize("mechanism", INHERIT)
def test_fluent_calls_record_into_the_open_run_where_it_is_inherited(mechanism: str) -> None:
    done = spread(mechanism, "fluent")

    assert_all_is_there_once(done.run_id)


@pytest.mark.parametrize("mechanism", BEGIN_EMPTY)
def test_fluent_calls_in_a_worker_without_a_run_start_one_per_worker_and_lose_nothing(mechanism: str) -> None:
    done = spread(mechanism, "fluent")

    settled(lambda: len(params()) == JOBS)
    runs = {run.info.run_id: run for run in all_runs()}
    outer = runs.pop(done.run_id)
    assert outer.data.params == {}
    assert len(runs) == len(done.workers)
    assert params() == {f"p{number}": str(number) for number in range(JOBS)}


@pytest.mark.parametrize("mechanism", CLUSTERS)
def test_a_handle_records_into_its_run_on_the_workers_of_a_cluster(
    mechanism: str, require: Callable[[str, bool, str], None]
) -> None:
    package = {"dask": "distributed", "ray": "ray"}[mechanism]
    require(mechanism, importlib.util.find_spec(package) is not None, f"pip install {package}")

    done = spread(mechanism, "handle")

    assert done.here not in done.workers
    assert_all_is_there_once(done.run_id)
