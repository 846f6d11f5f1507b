"""Classic MLflow code, as its documentation shows it, with `import mlcore as mlflow`; and what cannot be honoured."""

import inspect
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mlcore
import mlcore as mlflow
from mlcore.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlcore.errors import InvalidStateError, NotFoundError, StoreUnavailableError, UnsupportedError
from mlcore.exceptions import MlflowException
from mlcore.hookspecs import Event, hookimpl
from mlcore.plugins import current

# The parameters of MLflow 3.17, in order; where a function of ours has others, they come after.
SIGNATURES = {
    "create_experiment": "name artifact_location tags",
    "delete_experiment": "experiment_id",
    "delete_experiment_tag": "key",
    "delete_run": "run_id",
    "delete_tag": "key",
    "end_run": "status",
    "flush_artifact_async_logging": "",
    "flush_async_logging": "",
    "get_artifact_uri": "artifact_path",
    "get_experiment": "experiment_id",
    "get_experiment_by_name": "name",
    "get_parent_run": "run_id",
    "get_run": "run_id",
    "load_table": "artifact_file run_ids extra_columns",
    "log_artifact": "local_path artifact_path run_id",
    "log_artifacts": "local_dir artifact_path run_id",
    "log_dict": "dictionary artifact_file run_id",
    "log_figure": "figure artifact_file save_kwargs",
    "log_image": "image artifact_file key step timestamp synchronous",
    "log_input": "dataset context tags model",
    "log_inputs": "datasets contexts tags_list models",
    "log_metric": "key value step synchronous timestamp run_id model_id dataset",
    "log_metrics": "metrics step synchronous run_id timestamp model_id dataset",
    "log_param": "key value synchronous",
    "log_params": "params synchronous run_id",
    "log_stream": "stream artifact_file run_id",
    "log_table": "data artifact_file run_id",
    "log_text": "text artifact_file run_id",
    "restore_experiment": "experiment_id",
    "restore_run": "run_id",
    "search_experiments": "view_type max_results filter_string order_by",
    "search_runs": "experiment_ids filter_string run_view_type max_results order_by output_format search_all_experiments "
    "experiment_names",
    "set_experiment": "experiment_name experiment_id",
    "set_experiment_tag": "key value",
    "set_experiment_tags": "tags",
    "set_registry_uri": "uri",
    "set_tag": "key value synchronous",
    "set_tags": "tags synchronous",
    "set_tracking_uri": "uri",
    "start_run": "run_id experiment_id run_name nested parent_run_id tags description log_system_metrics",
    "Client.create_experiment": "name artifact_location tags",
    "Client.create_run": "experiment_id start_time tags run_name",
    "Client.delete_tag": "run_id key",
    "Client.download_artifacts": "run_id path dst_path",
    "Client.get_metric_history": "run_id key",
    "Client.list_artifacts": "run_id path",
    "Client.load_table": "experiment_id artifact_file run_ids extra_columns",
    "Client.log_batch": "run_id metrics params tags synchronous",
    "Client.log_dict": "run_id dictionary artifact_file",
    "Client.log_figure": "run_id figure artifact_file save_kwargs",
    "Client.log_image": "run_id image artifact_file key step timestamp synchronous",
    "Client.log_inputs": "run_id datasets models",
    "Client.log_metric": "run_id key value timestamp step synchronous dataset_name dataset_digest model_id",
    "Client.log_param": "run_id key value synchronous",
    "Client.log_table": "run_id data artifact_file",
    "Client.rename_experiment": "experiment_id new_name",
    "Client.search_experiments": "view_type max_results filter_string order_by page_token",
    "Client.search_runs": "experiment_ids filter_string run_view_type max_results order_by page_token",
    "Client.set_experiment_tag": "experiment_id key value",
    "Client.set_tag": "run_id key value synchronous",
    "Client.set_terminated": "run_id status end_time",
    "Client.update_run": "run_id status name",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_takes_what_mlflows_takes_in_that_order(name: str) -> None:
    owner, _, attribute = name.rpartition(".")
    function = getattr(mlcore.Client if owner else mlcore, attribute)

    parameters = [p for p in inspect.signature(function).parameters if p != "self"]

    wanted = SIGNATURES[name].split()
    assert parameters[: len(wanted)] == wanted


def test_names_are_where_mlflow_has_them() -> None:
    assert mlflow.tracking.MlflowClient is mlflow.MlflowClient
    assert mlflow.tracking.get_tracking_uri() == mlflow.get_tracking_uri()
    assert mlflow.entities.ViewType is ViewType
    assert mlflow.exceptions.MlflowException is MlflowException is mlcore.MlcoreError
    assert issubclass(mlflow.ActiveRun, mlflow.RunHandle)
    with pytest.raises(AttributeError, match=r"module 'mlcore\.tracking' has no attribute 'nonsense'"):
        mlflow.tracking.nonsense  # noqa: B018  # the access is the point
    with pytest.raises(AttributeError, match="module 'mlcore' has no attribute 'nonsense'"):
        mlflow.nonsense  # noqa: B018  # the access is the point


def test_the_clients_example_of_the_documentation_runs() -> None:
    client = mlflow.MlflowClient()
    run = client.create_run("0", tags={"engineering": "ML Platform"})
    now = int(time.time() * 1000)

    client.log_batch(
        run.info.run_id,
        metrics=[Metric(key="m", value=i, timestamp=now, step=i) for i in range(3)],
        params=[Param("p", "p")],
        tags=[RunTag("t", "t")],
    )
    client.set_terminated(run.info.run_id, status=RunStatus.to_string(RunStatus.FINISHED))

    found = client.search_runs("0", "metrics.m = 2", ViewType.ACTIVE_ONLY, 5, ["metrics.m DESC"])
    assert [r.info.run_uuid for r in found] == [run.info.run_id]
    assert found.token is None
    assert found[0].info.status == "FINISHED"
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "m")] == [
        (0, 0.0),
        (1, 1.0),
        (2, 2.0),
    ]


def test_the_nested_runs_of_the_documentation_are_found_by_their_parent() -> None:
    with mlflow.start_run(run_name="PARENT_RUN", tags={"version": "v1"}, description="parent") as parent:
        mlflow.log_param("parent", "yes")
        with mlflow.start_run(run_name="CHILD_RUN", description="child", nested=True):
            mlflow.log_param("child", "yes")

    query = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    results = mlflow.search_runs(experiment_ids=["0"], filter_string=query)

    assert results["tags.mlflow.runName"].tolist() == ["CHILD_RUN"]


def test_the_last_run_comes_with_all_that_it_recorded_even_from_another_store() -> None:
    with mlflow.start_run():
        mlflow.log_param("p", 1)
        assert mlflow.last_active_run() is mlflow.active_run()
    mlflow.set_tracking_uri("sqlite:///other.db")

    last = mlflow.last_active_run()

    assert last is not None
    assert (last.info.status, last.data.params) == ("FINISHED", {"p": "1"})


def test_words_of_states_and_views_convert_as_in_mlflow() -> None:
    assert RunStatus.to_string(RunStatus.FAILED) == "FAILED"
    assert RunStatus.from_string("KILLED") is RunStatus.KILLED
    assert RunStatus.is_terminated(RunStatus.KILLED)
    assert not RunStatus.is_terminated(RunStatus.SCHEDULED)
    assert ViewType.to_string(ViewType.DELETED_ONLY) == "deleted_only"
    assert ViewType.from_string("all") is ViewType.ALL


def test_an_error_is_read_as_mlflows_exceptions_are() -> None:
    with pytest.raises(MlflowException) as caught:
        mlflow.get_run("nope")

    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert caught.value.get_http_status_code() == 404
    assert json.loads(caught.value.serialize_as_json()) == {
        "error_code": "RESOURCE_DOES_NOT_EXIST",
        "message": caught.value.message,
    }


def test_what_is_logged_without_waiting_can_be_waited_for() -> None:
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        for taken in (
            mlflow.log_metric("a", 1.0, synchronous=False),
            mlflow.log_metrics({"b": 2.0}, synchronous=False),
            mlflow.log_params({"q": 1}, synchronous=False),
            mlflow.set_tag("t", 1, synchronous=False),
            mlflow.set_tags({"u": 1}, synchronous=False),
            client.log_metric(run.run_id, "c", 3.0, synchronous=False),
            client.log_batch(run.run_id, synchronous=False),
            client.set_tag(run.run_id, "v", 1, synchronous=False),
        ):
            assert taken is not None
            taken.wait()
        param: Any = mlflow.log_param("p", 1, synchronous=False)
        param.wait()
        assert mlflow.log_param("r", 2) == 2
        assert mlflow.log_metric("a", 1.0) is None
        mlflow.flush_async_logging()
        mlflow.flush_artifact_async_logging()

    assert mlflow.get_run(run.run_id).data.metrics == {"a": 1.0, "b": 2.0, "c": 3.0}


def test_arguments_that_cannot_be_honoured_are_refused_and_their_neutral_values_accepted() -> None:
    client = mlflow.MlflowClient()
    with mlflow.start_run(log_system_metrics=False) as run:
        mlflow.log_metric("m", 1.0, model_id=None, dataset=None)
        for attempt in (
            lambda: mlflow.log_metric("m", 1.0, model_id="m-1"),
            lambda: mlflow.log_metrics({"m": 1.0}, dataset="d"),
            lambda: mlflow.log_input(model="m-1"),
            lambda: mlflow.log_inputs(models=["m-1"]),
            lambda: client.log_metric(run.run_id, "m", 1.0, dataset_name="d"),
            lambda: client.log_inputs(run.run_id, models=["m-1"]),
        ):
            with pytest.raises(UnsupportedError, match="cannot be honoured: mlcore keeps no logged models"):
                attempt()


def test_the_client_reads_tables_of_an_experiment() -> None:
    made = mlflow.set_experiment("tables").experiment_id
    for i in range(2):
        with mlflow.start_run(run_name=f"run {i}") as run:
            mlflow.log_table({"x": [i]}, "t.json")
    client = mlflow.MlflowClient()

    assert sorted(client.load_table(made, "t.json")["x"]) == [0, 1]
    assert client.load_table(made, "t.json", run_ids=[run.run_id], extra_columns=["run_id"])["x"].tolist() == [1]
    with pytest.raises(NotFoundError, match="no run among 0"):
        client.load_table("0", "t.json")


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    @hookimpl
    def event(self, event: Event) -> None:
        self.heard.append((event.name, event.detail.get("status")))


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    remove = current().register(made, "listener")
    yield made
    remove()


def test_listeners_hear_of_every_start_and_every_end(listener: Listener) -> None:
    with mlflow.start_run() as run:
        pass
    with pytest.raises(ZeroDivisionError), mlflow.start_run():
        1 / 0  # noqa: B018  # the error is the point
    with mlflow.start_run(run_id=run.run_id):
        mlflow.end_run("KILLED")

    assert listener.heard == [
        ("run_started", None), ("run_ended", "FINISHED"),
        ("run_started", None), ("run_ended", "FAILED"),
        ("run_resumed", None), ("run_ended", "KILLED"),
    ]  # fmt: skip


def test_a_run_that_cannot_be_ended_is_active_no_longer() -> None:
    with pytest.raises(InvalidStateError, match="must be in the 'active' state"), mlflow.start_run() as run:
        mlflow.delete_run(run.run_id)

    assert mlflow.active_run() is None


def test_what_ended_the_block_is_raised_even_when_the_run_cannot_be_ended() -> None:
    run = mlflow.start_run()
    mlflow.delete_run(run.run_id)

    with pytest.raises(ZeroDivisionError) as caught, run:
        1 / 0  # noqa: B018  # the error is the point

    (note,) = caught.value.__notes__
    assert note.startswith(f"and run '{run.run_id}' could not be ended: the run")


def test_a_setting_that_names_a_missing_experiment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "77")

    with pytest.raises(NotFoundError, match="'77'") as caught:
        mlflow.start_run()

    assert caught.value.__notes__ == ["the experiment's id comes from environment MLFLOW_EXPERIMENT_ID"]


def test_variables_that_are_set_after_the_first_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow.search_experiments()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///later.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "later")

    with mlflow.start_run() as run:
        pass

    assert mlflow.get_tracking_uri() == "sqlite:///later.db"
    assert mlflow.get_experiment(run.info.experiment_id).name == "later"


def test_an_experiment_of_the_environment_does_not_keep_a_run_from_being_resumed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mlflow.start_run() as run:
        pass
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")

    for _ in range(2):
        with mlflow.start_run(run_id=run.run_id):
            pass
        with mlflow.start_run():
            pass


def test_setting_the_same_store_again_keeps_the_experiment() -> None:
    made = mlflow.set_experiment("kept")

    mlflow.set_tracking_uri(mlflow.get_tracking_uri())

    with mlflow.start_run() as run:
        assert run.info.experiment_id == made.experiment_id


def test_a_run_goes_on_in_its_store_when_another_one_is_chosen_meanwhile() -> None:
    here = mlflow.get_tracking_uri()
    with mlflow.start_run() as run:
        mlflow.set_tracking_uri("sqlite:///other.db")
        mlflow.set_experiment("there")
        mlflow.log_metric("m", 1.0)

    mlflow.set_tracking_uri(here)
    found = mlflow.get_run(run.run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"m": 1.0})


def test_a_program_that_changes_its_directory_stays_with_its_store() -> None:
    Path("elsewhere").mkdir()
    with mlflow.start_run() as run, pytest.MonkeyPatch.context() as patch:
        patch.chdir("elsewhere")
        mlflow.log_metric("m", 1.0)
        assert mlflow.get_run(run.run_id).data.metrics == {"m": 1.0}
        assert not list(Path().iterdir())


def test_a_store_that_cannot_be_opened_is_an_error_at_the_call(caplog: pytest.LogCaptureFixture) -> None:
    Path("file").write_text("x")
    mlflow.set_tracking_uri("sqlite:///file/mlcore.db")

    with caplog.at_level(logging.WARNING), pytest.raises(StoreUnavailableError, match="cannot be opened"):
        mlflow.log_metric("m", 1.0)

    assert mlflow.active_run() is None


def test_a_handle_tells_which_run_it_means() -> None:
    with mlflow.start_run() as run:
        assert repr(run) == f"<ActiveRun {run.run_id}>"
    assert repr(mlflow.Client().run(run.run_id)) == f"<RunHandle {run.run_id}>"
