"""Which run, store and experiment threads, tasks and child processes work with, on a real SQLite store."""

import asyncio
import concurrent.futures
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mlcore
from mlcore.errors import InvalidStateError

FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs an operating system with fork")


def script(code: str, **environment: str) -> str:
    """Run *code* as a program of its own in the working directory and return what it prints."""
    Path("program.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "program.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_threads(count: int, work: object) -> list[object]:
    """Call *work* with 0, 1, ... in as many threads at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))  # type: ignore[arg-type]  # whatever can be called


def test_nested_runs_of_worker_threads_belong_below_the_main_threads_run() -> None:
    together = threading.Barrier(3)

    def work(i: int) -> str:
        with mlcore.start_run(nested=True) as run:
            together.wait(10)  # all three are open now
            mlcore.log_metric("m", i)
        return run.run_id

    with mlcore.start_run() as parent:
        children = in_threads(3, work)

    parents = [mlcore.get_parent_run(str(c)) for c in children]
    assert [p.info.run_id for p in parents if p is not None] == [parent.run_id] * 3
    assert mlcore.get_run(parent.run_id).data.metrics == {}


def test_a_thread_never_logs_into_the_nested_run_of_another() -> None:
    opened, done = threading.Event(), threading.Event()

    def holds() -> None:
        with mlcore.start_run(nested=True):
            opened.set()
            done.wait(10)

    with mlcore.start_run(), concurrent.futures.ThreadPoolExecutor(2) as pool:
        holder = pool.submit(holds)
        opened.wait(10)
        outcome = pool.submit(mlcore.log_metric, "m", 1.0).exception()
        done.set()
        holder.result()

    assert isinstance(outcome, InvalidStateError)
    assert "2 runs are open" in str(outcome)
    assert "run.log_metric" in str(outcome)


def test_a_thread_that_cannot_know_the_parent_is_told_to_name_it() -> None:
    opened, done = threading.Barrier(3), threading.Event()

    def holds() -> None:
        with mlcore.start_run():
            opened.wait(10)
            done.wait(10)

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        holders = [pool.submit(holds) for _ in range(2)]
        opened.wait(10)
        outcome = pool.submit(mlcore.start_run, nested=True).exception()
        done.set()
        for holder in holders:
            holder.result()

    assert isinstance(outcome, InvalidStateError)
    assert "start_run(parent_run_id=run.run_id)" in str(outcome)


def test_a_thread_of_an_asyncio_program_never_logs_into_the_run_of_another_task() -> None:
    async def main() -> object:
        opened, done = asyncio.Event(), asyncio.Event()

        async def holds() -> None:
            with mlcore.start_run(nested=True):
                opened.set()
                await done.wait()

        with mlcore.start_run():
            holder = asyncio.create_task(holds())
            await opened.wait()
            loop = asyncio.get_running_loop()
            outcome = await asyncio.gather(
                loop.run_in_executor(None, mlcore.log_metric, "m", 1.0), return_exceptions=True
            )
            done.set()
            await holder
        return outcome[0]

    assert isinstance(asyncio.run(main()), InvalidStateError)


def test_threads_that_log_without_a_run_start_one_and_share_it() -> None:
    together = threading.Barrier(4)

    def work(i: int) -> None:
        together.wait(10)
        mlcore.log_metric("m", i, step=i)

    in_threads(4, work)

    (found,) = mlcore.search_runs(output_format="list")
    assert len(mlcore.Client().get_metric_history(found.info.run_id, "m")) == 4


def test_a_run_that_is_open_is_joined_and_left_as_it_is() -> None:
    def work(_: int) -> str:
        with mlcore.start_run(run_id=run.run_id):
            mlcore.log_metric("m", 1.0)
        return str(mlcore.get_run(run.run_id).info.status)

    with mlcore.start_run() as run:
        in_a_thread = in_threads(1, work)
        with mlcore.start_run(run_id=run.run_id, nested=True):
            pass
        mlcore.log_metric("after", 2.0)
        here = mlcore.get_run(run.run_id).info.status

    assert (*in_a_thread, here) == ("RUNNING", "RUNNING")
    assert mlcore.get_run(run.run_id).info.status == "FINISHED"
    assert mlcore.get_run(run.run_id).data.metrics == {"m": 1.0, "after": 2.0}


def test_a_cancelled_task_leaves_its_run_killed() -> None:
    async def main() -> str:
        async def work() -> None:
            with mlcore.start_run():
                await asyncio.sleep(60)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return str(mlcore.search_runs(output_format="list")[0].info.status)

    assert asyncio.run(main()) == "KILLED"


def test_child_processes_inherit_store_and_experiment() -> None:
    code = "import mlcore\nrun = mlcore.start_run()\nprint(mlcore.get_tracking_uri(), run.info.experiment_id)\n"
    mlcore.set_tracking_uri("sqlite:///inherited.db")
    made = mlcore.set_experiment("inherited")

    printed = script(code)

    assert printed == f"sqlite:///{Path.cwd()}/inherited.db {made.experiment_id}"


def test_a_choice_by_call_wins_in_children_over_the_experiment_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")
    made = mlcore.set_experiment("by call")

    assert script("import mlcore\nprint(mlcore.start_run().info.experiment_id)") == made.experiment_id


def test_going_back_to_the_settings_takes_the_inheritance_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", "sqlite:///before.db")
    mlcore.set_tracking_uri("sqlite:///after.db")
    mlcore.set_experiment("there")
    assert os.environ["MLCORE_TRACKING_URI"].endswith("after.db")

    mlcore.set_tracking_uri("")

    assert mlcore.get_tracking_uri() == "sqlite:///before.db"
    assert os.environ["MLCORE_TRACKING_URI"] == "sqlite:///before.db"
    assert "MLCORE_EXPERIMENT_ID" not in os.environ


def test_an_experiment_of_the_parents_store_is_not_looked_for_in_another_one() -> None:
    mlcore.set_tracking_uri("sqlite:///one.db")
    mlcore.set_experiment("in one")

    printed = script(
        "import mlcore\nmlcore.set_tracking_uri('sqlite:///two.db')\nprint(mlcore.start_run().info.experiment_id)"
    )

    assert printed == "0"


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_a_sweep_with_joblib_is_in_the_chosen_store(backend: str) -> None:
    pytest.importorskip("joblib", reason="needs joblib: pip install joblib")
    code = f"""
import json
import joblib
import mlcore as mlflow

def train(i):
    import mlcore as mlflow
    with mlflow.start_run(run_name=f"run-{{i}}", nested=True) as run:
        mlflow.log_metric("m", i)
    return run.info.run_id

mlflow.set_tracking_uri("sqlite:///sweep.db")
made = mlflow.set_experiment("sweep")
with mlflow.start_run() as parent:
    ids = joblib.Parallel(n_jobs=2, backend="{backend}")(joblib.delayed(train)(i) for i in range(4))
runs = [mlflow.get_run(i) for i in ids]
parents = {{r.data.tags.get("mlflow.parentRunId") == parent.info.run_id for r in runs}}
print(json.dumps([{{r.info.experiment_id for r in runs}} == {{made.experiment_id}}, [r.data.metrics["m"] for r in runs], list(parents)]))
"""

    in_experiment, metrics, parents = json.loads(script(code))

    assert in_experiment
    assert metrics == [0.0, 1.0, 2.0, 3.0]
    assert parents == [backend == "threading"]  # a spawned process knows no parent; name it with parent_run_id


def test_a_pickled_handle_means_the_same_store_in_another_directory() -> None:
    with mlcore.start_run() as run:
        pass
    Path("handle").write_bytes(pickle.dumps(run))
    Path("elsewhere").mkdir()

    script("import os, pickle\nos.chdir('elsewhere')\npickle.load(open('../handle', 'rb')).log_metric('m', 3.0)")

    assert mlcore.get_run(run.run_id).data.metrics == {"m": 3.0}
    assert not list(Path("elsewhere").iterdir())


@FORK
@pytest.mark.parametrize(("ending", "status"), [("pass", "FINISHED"), ("raise ValueError('x')", "FAILED")])
def test_a_run_that_a_forked_worker_leaves_open_is_ended_with_it(ending: str, status: str) -> None:
    code = f"""
import multiprocessing
import mlcore

def work():
    open("id", "w").write(mlcore.start_run().run_id)
    {ending}

child = multiprocessing.get_context("fork").Process(target=work)
child.start()
child.join()
print(mlcore.get_run(open("id").read()).info.status)
"""

    assert script(code) == status


@FORK
def test_a_child_works_when_it_was_forked_while_another_thread_opened_a_store() -> None:
    code = """
import os, threading
import mlcore
from mlcore.tracking.session import current_session

session = current_session()
held, release = threading.Event(), threading.Event()

def hold():
    with session._lock:
        held.set()
        release.wait(30)

threading.Thread(target=hold, daemon=True).start()
held.wait(10)
child = os.fork()
if child == 0:
    mlcore.set_tracking_uri("sqlite:///child.db")
    mlcore.log_metric("m", 1.0)
    mlcore.end_run()
    os._exit(0)
release.set()
print(os.waitpid(child, 0)[1])
"""

    assert script(code) == "0"


def test_an_open_run_of_an_interactive_session_is_not_failed_by_an_earlier_error() -> None:
    code = "import sys, mlcore\nsys.ps1 = '>>> '\nsys.last_value = ValueError('of a cell')\nopen('id', 'w').write(mlcore.start_run().run_id)\n"

    script(code)

    assert mlcore.get_run(Path("id").read_text()).info.status == "FINISHED"


def test_runs_that_cannot_be_ended_at_exit_are_each_reported() -> None:
    code = """
import os, shutil, mlcore
os.environ["MLCORE_PATIENCE_S"] = "0.2"
mlcore.set_tracking_uri("sqlite:///gone/mlcore.db")
runs = [mlcore.start_run(), mlcore.start_run(nested=True)]
print(*(r.run_id for r in runs))
shutil.rmtree("gone")
open("gone", "w").close()
"""
    Path("program.py").write_text(code)

    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0
    for run_id in done.stdout.split():
        assert f"run {run_id}: not all of it is in the store yet (the SQLite database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_whose_end_is_interrupted_is_ended_by_the_exit() -> None:
    code = """
import _thread, sqlite3, threading, time
import mlcore

run = mlcore.start_run()
open("id", "w").write(run.run_id)
locked = threading.Event()

def hold():  # the store waits for this lock when the run ends
    database = sqlite3.connect("mlcore.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    locked.set()
    time.sleep(0.3)
    _thread.interrupt_main()  # Ctrl-C
    time.sleep(0.3)
    database.execute("ROLLBACK")

threading.Thread(target=hold).start()
locked.wait(10)
mlcore.end_run()
"""
    Path("program.py").write_text(code)

    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, check=False, timeout=60)

    assert "KeyboardInterrupt" in done.stderr
    assert mlcore.get_run(Path("id").read_text()).info.status == "KILLED"
