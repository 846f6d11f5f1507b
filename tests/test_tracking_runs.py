"""The fluent API on runs, on a real SQLite store."""

import asyncio
import concurrent.futures
import contextvars
import math
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import mlcore
from mlcore.entities import Run, RunStatus
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError, ParamConflictError


def stored(run: mlcore.RunHandle) -> Run:
    return mlcore.get_run(run.run_id)


def test_a_run_keeps_what_it_logged() -> None:
    with mlcore.start_run(run_name="first", tags={"team": "a"}, description="notes") as run:
        mlcore.log_param("depth", 3)
        mlcore.log_params({"lr": 0.1, "name": "x"})
        mlcore.log_metric("loss", 0.5, step=1)
        mlcore.log_metrics({"loss": 0.25, "acc": 0.9}, step=2)
        mlcore.set_tags({"a": 1, "b": None})

    found = stored(run)

    assert found.info.status == RunStatus.FINISHED
    assert found.info.run_name == "first"
    assert found.info.end_time is not None
    assert found.info.end_time >= found.info.start_time
    assert found.data.params == {"depth": "3", "lr": "0.1", "name": "x"}
    assert found.data.metrics == {"loss": 0.25, "acc": 0.9}
    assert {k: found.data.tags[k] for k in ("team", "a", "b", "mlflow.note.content", "mlflow.runName")} == {
        "team": "a", "a": "1", "b": "None", "mlflow.note.content": "notes", "mlflow.runName": "first",
    }  # fmt: skip


def test_a_run_without_a_name_gets_one() -> None:
    with mlcore.start_run() as run:
        pass

    assert len(run.info.run_name.split("-")) == 3


def test_inventing_a_name_leaves_the_users_random_stream_alone() -> None:
    import random

    random.seed(1)
    expected = random.random()
    random.seed(1)

    with mlcore.start_run():
        pass

    assert random.random() == expected


def test_logging_without_a_run_starts_one() -> None:
    mlcore.log_metric("m", 1.0)

    run = mlcore.active_run()
    assert run is not None
    mlcore.end_run()
    assert stored(run).data.metrics == {"m": 1.0}
    assert mlcore.active_run() is None


def test_a_second_run_needs_nested() -> None:
    with mlcore.start_run() as run, pytest.raises(InvalidStateError, match=rf"run '{run.run_id}' is already active"):
        mlcore.start_run()


def test_a_nested_run_remembers_its_parent_and_gives_way_to_it() -> None:
    with mlcore.start_run() as parent:
        with mlcore.start_run(nested=True) as child:
            assert mlcore.active_run() is child
        assert mlcore.active_run() is parent

    found = mlcore.get_parent_run(child.run_id)
    assert found is not None
    assert found.info.run_id == parent.run_id
    assert mlcore.get_parent_run(parent.run_id) is None


def test_a_run_is_resumed_with_its_start_time_and_params() -> None:
    with mlcore.start_run() as first:
        mlcore.log_param("p", 1)

    with mlcore.start_run(run_id=first.run_id) as second:
        assert stored(second).info.status == RunStatus.RUNNING
        with pytest.raises(
            ParamConflictError, match=r"param 'p' was already logged with value '1' .* new value is '2'"
        ):
            mlcore.log_param("p", 2)

    assert stored(second).info.start_time == first.info.start_time


def test_the_environment_resumes_a_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with mlcore.start_run() as first:
        pass
    monkeypatch.setenv("MLFLOW_RUN_ID", first.run_id)

    with mlcore.start_run() as resumed:
        pass
    with mlcore.start_run() as fresh:
        pass

    assert resumed.run_id == first.run_id
    assert fresh.run_id != first.run_id
    assert "MLFLOW_RUN_ID" not in os.environ


def test_a_deleted_run_is_not_resumed() -> None:
    with mlcore.start_run() as run:
        pass
    mlcore.delete_run(run.run_id)

    with pytest.raises(InvalidStateError, match="because it is deleted: restore it"):
        mlcore.start_run(run_id=run.run_id)


def test_resuming_from_another_experiment_is_refused() -> None:
    with mlcore.start_run() as run:
        pass
    mlcore.set_experiment("other")

    with pytest.raises(InvalidParameterError, match="it is in experiment '0', the active experiment is"):
        mlcore.start_run(run_id=run.run_id)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError(), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(3), "FAILED"), (SystemExit(0), "FINISHED")],
)
def test_the_block_that_raises_tells_how_the_run_ended(error: BaseException, status: str) -> None:
    run = mlcore.start_run()

    with pytest.raises(type(error)), run:
        raise error

    assert stored(run).info.status == status


@pytest.mark.parametrize(
    ("ending", "status", "code"),
    [("", "FINISHED", 0), ("raise ValueError('x')", "FAILED", 1), ("raise KeyboardInterrupt", "KILLED", -2)],
)
def test_a_run_left_open_is_ended_by_the_exit_of_the_process(ending: str, status: str, code: int) -> None:
    script = f"import mlcore\nrun = mlcore.start_run()\nopen('id', 'w').write(run.run_id)\n{ending}\n"

    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)

    assert done.returncode in (code, 130 if code == -2 else code)
    assert mlcore.get_run(Path("id").read_text()).info.status == status


def test_special_metric_values_come_back_as_they_were() -> None:
    with mlcore.start_run() as run:
        mlcore.log_metrics({"nan": math.nan, "inf": math.inf, "ninf": -math.inf})

    found = stored(run).data.metrics
    assert math.isnan(found["nan"])
    assert (found["inf"], found["ninf"]) == (math.inf, -math.inf)


@pytest.mark.parametrize("value", ["0.5", None, [1], {"a": 1}, 10**400])
def test_a_metric_that_is_no_number_is_refused_with_key_and_value(value: object) -> None:
    with mlcore.start_run(), pytest.raises(InvalidParameterError, match=r"got invalid value .* for metric 'm'"):
        mlcore.log_metric("m", value)  # type: ignore[arg-type]  # the point of the test


def test_numpy_numbers_are_metrics() -> None:
    import numpy as np

    with mlcore.start_run() as run:
        mlcore.log_metric("m", np.float32(0.5), step=np.int64(3))  # type: ignore[arg-type]  # as people do

    assert stored(run).data.latest[0].step == 3


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "must be provided"),
        ("a?b", "may only contain"),
        ("a//b", "would resolve to 'a/b'"),
        ("x" * 251, "at most 250"),
    ],
)
def test_a_bad_name_is_refused_with_its_fault(key: str, fault: str) -> None:
    with mlcore.start_run():
        for log in (mlcore.log_metric, mlcore.log_param, mlcore.set_tag):
            with pytest.raises(InvalidParameterError, match=fault):
                log(key, 1.0)


def test_long_values_are_cut_or_refused_as_the_setting_says() -> None:
    with mlcore.start_run() as run:
        mlcore.log_param("p", "x" * 7000)
        mlcore.set_tag("t", "y" * 9000)

    assert len(stored(run).data.params["p"]) == 6000
    assert len(stored(run).data.tags["t"]) == 8000
    strict = mlcore.Client(session=_session(truncate_long_values=False))
    with pytest.raises(InvalidParameterError, match=r"value of param 'q'.* has 7000 characters, at most 6000"):
        strict.log_param(run.run_id, "q", "x" * 7000)


def _session(**arguments: object):  # type: ignore[no-untyped-def]  # a Session
    from mlcore.settings import Settings
    from mlcore.tracking.session import Session

    return Session(Settings.load(arguments))


def test_more_than_a_batch_is_sent_in_pieces() -> None:
    with mlcore.start_run() as run:
        run.log_params({f"p{i}": i for i in range(250)})
        run.log_batch(metrics=[mlcore.Metric("m", float(i), 1000 + i, i) for i in range(2500)])

    assert len(stored(run).data.params) == 250
    assert len(mlcore.Client().get_metric_history(run.run_id, "m")) == 2500


def test_summaries_tell_min_max_last_and_count() -> None:
    with mlcore.start_run() as run:
        for step, value in enumerate([3.0, 1.0, 2.0]):
            mlcore.log_metric("loss", value, step=step)

    (summary,) = mlcore.Client().get_metric_summaries(run.run_id)
    assert (summary.min, summary.max, summary.last.value, summary.count) == (1.0, 3.0, 2.0, 3)


def test_deleting_a_tag_that_is_not_there_is_an_error() -> None:
    with mlcore.start_run(tags={"a": "1"}) as run:
        mlcore.delete_tag("a")
        with pytest.raises(NotFoundError, match="a"):
            mlcore.delete_tag("a")

    assert "a" not in stored(run).data.tags


def test_worker_threads_log_into_the_one_open_run() -> None:
    with mlcore.start_run() as run, concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: mlcore.log_metric("m", i, step=i), range(40)))

    assert len(mlcore.Client().get_metric_history(run.run_id, "m")) == 40
    assert len(mlcore.search_runs(output_format="list")) == 1


def test_a_thread_that_cannot_know_its_run_is_told_what_to_do() -> None:
    ready, release = threading.Barrier(3), threading.Event()

    def hold() -> None:
        with mlcore.start_run():
            ready.wait()
            release.wait(10)

    holders = [threading.Thread(target=hold) for _ in range(2)]
    for holder in holders:
        holder.start()
    ready.wait()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(mlcore.log_metric, "m", 1.0).exception()
    release.set()
    for holder in holders:
        holder.join()

    assert isinstance(outcome, InvalidStateError)
    assert "2 runs are open" in str(outcome)
    assert "copy_context" in str(outcome)


def test_threads_can_have_runs_of_their_own() -> None:
    def work(name: str) -> str:
        with mlcore.start_run(run_name=name) as run:
            mlcore.log_param("who", name)
        return run.run_id

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(work, "abcd"))

    assert [mlcore.get_run(i).data.params["who"] for i in ids] == list("abcd")


def test_a_copied_context_carries_the_run() -> None:
    with mlcore.start_run() as run:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(mlcore.log_metric, "m", 1.0))
        thread.start()
        thread.join()

    assert stored(run).data.metrics == {"m": 1.0}


def test_asyncio_tasks_have_runs_of_their_own() -> None:
    async def work(name: str) -> str:
        with mlcore.start_run(run_name=name) as run:
            await asyncio.sleep(0.01)
            mlcore.log_param("who", name)
        return run.run_id

    async def main() -> list[str]:
        return await asyncio.gather(*(work(n) for n in "abc"))

    ids = asyncio.run(main())

    assert [mlcore.get_run(i).data.params["who"] for i in ids] == list("abc")


def test_a_handle_works_from_another_process() -> None:
    mlcore.set_tracking_uri(f"sqlite:///{Path.cwd()}/shared.db")
    with mlcore.start_run() as run:
        Path("handle").write_bytes(pickle.dumps(run))
        script = "import pickle\npickle.load(open('handle', 'rb')).log_metric('m', 2.0)\n"
        subprocess.run([sys.executable, "-c", script], check=True)

    assert stored(run).data.metrics == {"m": 2.0}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs an operating system with fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_forked_child_logs_into_the_parents_run_and_does_not_end_it() -> None:
    script = """
import os, mlcore
run = mlcore.start_run()
child = os.fork()
if child == 0:
    mlcore.log_metric("child", 1.0)
    raise SystemExit(0)
assert os.waitpid(child, 0)[1] == 0
assert mlcore.get_run(run.run_id).info.status == "RUNNING"
mlcore.log_metric("parent", 2.0)
mlcore.end_run()
print(sorted(mlcore.get_run(run.run_id).data.metrics))
"""

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "['child', 'parent']"


def test_last_active_run_is_the_one_started_last() -> None:
    with mlcore.start_run() as run:
        pass

    last = mlcore.last_active_run()
    assert last is not None
    assert last.info.run_id == run.run_id


@pytest.mark.parametrize("status", ["DONE", "RUNNING", "finished", None, 3])
def test_a_status_that_is_no_end_is_refused(status: object) -> None:
    with mlcore.start_run() as run:
        for end in (mlcore.end_run, lambda s: mlcore.Client().set_terminated(run.run_id, s or "NONE")):
            with pytest.raises(
                InvalidParameterError, match=r"invalid run status .* expected one of FINISHED, FAILED, KILLED"
            ):
                end(status)  # type: ignore[arg-type]  # the point of the test


def test_a_run_that_has_ended_is_no_block_any_more() -> None:
    with mlcore.start_run() as run:
        pass

    with (
        pytest.raises(InvalidStateError, match=rf"run '{run.run_id}' has ended: resume it with start_run\(run_id="),
        run,
    ):
        mlcore.log_metric("m", 1.0)
    assert len(mlcore.search_runs(output_format="list")) == 1
