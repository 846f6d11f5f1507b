"""Arguments of wrong types and values: the error names them and says what is expected; nothing odd gets through."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mlcore
from mlcore.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlcore.errors import ArtifactWriteError, InvalidParameterError, InvalidStateError, NotFoundError

api: Any = mlcore  # without its types: what a typed caller would never pass is the point of these tests


@pytest.mark.parametrize("key", [None, 1, b"x", [], {}, ()])
def test_a_name_that_is_no_text_is_refused_everywhere(key: object) -> None:
    client = api.Client()
    with api.start_run() as run:
        for attempt in (
            lambda: api.log_metric(key, 1),
            lambda: api.log_param(key, 1),
            lambda: api.set_tag(key, 1),
            lambda: api.delete_tag(key),
            lambda: api.set_experiment_tag(key, 1),
            lambda: client.get_metric_history(run.run_id, key),
        ):
            with pytest.raises(InvalidParameterError, match="a name must be a text, got"):
                attempt()


@pytest.mark.parametrize("given", [None, "abc", [("a", 1)], [RunTag("a", "b")], 5])
def test_what_is_no_dict_is_refused(given: object) -> None:
    attempts: dict[str, Callable[[], object]] = {
        "params": lambda: api.log_params(given),
        "metrics": lambda: api.log_metrics(given),
        "tags": lambda: api.set_tags(given),
    }
    if given is not None:
        attempts["tags of a run"] = lambda: api.start_run(nested=True, tags=given)
        attempts["tags of an experiment"] = lambda: api.create_experiment("e", tags=given)

    with api.start_run():
        for what, attempt in attempts.items():
            with pytest.raises(
                InvalidParameterError, match=rf"invalid {what[:4]}.* expected a dict of names and values"
            ):
                attempt()


def test_a_series_is_as_good_as_a_dict() -> None:
    with api.start_run() as run:
        api.log_metrics(pd.Series({"a": 1.0, "b": 2.0}))
        api.log_params(pd.Series({"p": 3}))

    assert api.get_run(run.run_id).data.metrics == {"a": 1.0, "b": 2.0}
    assert api.get_run(run.run_id).data.params == {"p": "3"}


@pytest.mark.parametrize("log", [api.log_param, api.set_tag])
def test_a_value_that_no_utf8_can_hold_is_refused_with_its_name(log: Callable[[str, str], object]) -> None:
    with (
        api.start_run(),
        pytest.raises(InvalidParameterError, match=r"'k' is no text .* '\\ud800' at position 2 is half"),
    ):
        log("k", "ab\ud800")


def test_a_run_can_be_named_by_a_number() -> None:
    with api.start_run(run_name=7) as run:
        pass

    assert run.info.run_name == "7"
    assert run.data.tags["mlflow.runName"] == "7"


@pytest.mark.parametrize("given", [True, 1.5, b"0", [0], ""])
def test_what_is_no_experiment_id_is_refused(given: object) -> None:
    with pytest.raises(InvalidParameterError, match="invalid experiment id"):
        api.get_experiment(given)


def test_integers_of_any_kind_are_experiment_ids() -> None:
    made = api.create_experiment("by number")

    with api.start_run(experiment_id=np.int64(made)) as run:
        pass
    with api.start_run(run_id=run.run_id, experiment_id=int(made)):
        pass

    assert api.get_experiment(int(made)).name == "by number"
    for ids in (int(made), [int(made)], iter([made]), np.array([int(made)]), {made}, made):
        assert len(api.search_runs(ids)) == 1


@pytest.mark.parametrize("ids", [[None], b"0", 1.5])
def test_a_search_in_what_is_no_experiment_is_refused(ids: object) -> None:
    with pytest.raises(InvalidParameterError, match="invalid experiment id"):
        api.search_runs(ids)


def test_a_parent_that_is_not_there_or_deleted_is_refused() -> None:
    with pytest.raises(NotFoundError, match="'nope' not found"):
        api.start_run(parent_run_id="nope")
    with api.start_run() as parent:
        pass
    api.delete_run(parent.run_id)

    with pytest.raises(InvalidStateError, match=rf"below run '{parent.run_id}' because that is deleted"):
        api.start_run(parent_run_id=parent.run_id)
    assert api.active_run() is None


def test_a_named_parent_needs_no_nesting() -> None:
    with api.start_run() as parent:
        pass
    with api.start_run(parent_run_id=parent.run_id) as child:
        pass

    found = api.get_parent_run(child.run_id)
    assert found is not None
    assert found.info.run_id == parent.run_id


@pytest.mark.parametrize("value", [0, -1, "5", 1.5, True])
def test_a_number_of_results_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"for parameter 'max_results': it must be a positive integer$"):
        api.search_runs(max_results=value)
    with pytest.raises(InvalidParameterError, match="positive integer, at most 50000"):
        api.Client().search_runs(["0"], max_results=value)


def test_numpy_counts_results() -> None:
    assert len(api.search_runs(max_results=np.int64(3))) == 0


def test_other_arguments_of_the_client_are_checked() -> None:
    client = api.Client()
    run_id = client.create_run("0").info.run_id
    one: Any = 1
    faults: list[tuple[str, Callable[[], object]]] = [
        ("invalid page token 5", lambda: client.search_runs(["0"], page_token=5)),
        ("invalid view type True", lambda: client.search_runs(["0"], run_view_type=True)),
        ("invalid experiment name 0", lambda: client.get_experiment_by_name(0)),
        ("invalid start_time: got 'x'", lambda: client.create_run("0", start_time="x")),
        ("invalid end_time: got -5", lambda: client.set_terminated(run_id, end_time=-5)),
        ("has 9000 characters", lambda: client.update_run(run_id, name="x" * 9000)),
        (r"invalid entry \('a', 1\) of metrics", lambda: client.log_batch(run_id, metrics=[("a", 1)])),
        ("invalid params None", lambda: client.log_batch(run_id, params=None)),
        ("invalid input 1", lambda: client.log_inputs(run_id, [1])),
        ("invalid inputs 5", lambda: client.log_inputs(run_id, 5)),
        ("invalid dataset name 1", lambda: client.log_inputs(run_id, [DatasetInput(Dataset(one, "d"))])),
        (
            "invalid value of input tag 'k'",
            lambda: client.log_inputs(run_id, [DatasetInput(Dataset("n", "d"), (InputTag("k", one),))]),
        ),
    ]

    for fault, attempt in faults:
        with pytest.raises(InvalidParameterError, match=fault):
            attempt()
    client.update_run(run_id, name="")
    assert client.get_run(run_id).info.run_name


@pytest.mark.parametrize("uri", [5, b"sqlite:///x.db"])
def test_a_uri_that_is_no_text_is_refused(uri: object) -> None:
    for attempt in (api.set_tracking_uri, api.Client):
        with pytest.raises(InvalidParameterError, match=r"invalid tracking URI .* expected a text or a path"):
            attempt(uri)
    with pytest.raises(InvalidParameterError, match="invalid registry URI"):
        api.set_registry_uri(uri)


@pytest.mark.parametrize(
    ("location", "fault"),
    [
        (b"x", "expected a text or a path"),
        ("file:///tmp/x#y", "has a query or fragment"),
        ("file://elsewhere/x", "names the host 'elsewhere'"),
        ("a\x00b", "NUL"),
        ("runs:/abc", "must be a place, not a runs: reference"),
    ],
)
def test_an_artifact_location_that_would_fail_later_is_refused_at_once(location: object, fault: str) -> None:
    with pytest.raises(InvalidParameterError, match=fault):
        api.create_experiment("e", artifact_location=location)


def test_a_path_is_an_artifact_location(tmp_path: Path) -> None:
    made = api.create_experiment("e", artifact_location=tmp_path / "with space")

    assert api.get_experiment(made).artifact_location == (tmp_path / "with space").as_uri()


@pytest.mark.parametrize("path", ["", None, 1, b"f.txt"])
def test_what_names_no_local_file_is_refused(path: object) -> None:
    with api.start_run() as run:
        for log in (api.log_artifact, api.log_artifacts):
            with pytest.raises(InvalidParameterError, match=r"invalid local path .* expected the path of a file"):
                log(path)

    assert run.list_artifacts() == []


@pytest.mark.parametrize("path", [1, b"x", ["x"]])
def test_an_artifact_path_that_is_no_text_is_refused(path: object, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with api.start_run() as run:
        for attempt in (
            lambda: api.log_text("x", path),
            lambda: api.log_artifact(tmp_path / "f", path),
            lambda: run.list_artifacts(path),
            lambda: api.get_artifact_uri(path),
        ):
            with pytest.raises(InvalidParameterError, match=r"invalid artifact path .* expected a text"):
                attempt()


def test_paths_are_artifact_paths(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")

    with api.start_run() as run:
        api.log_artifact(tmp_path / "f", Path("a") / "b")

    assert [f.path for f in run.list_artifacts("a/b")] == ["a/b/f"]


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (lambda: api.log_text(b"x", "t.txt"), "a text of type bytes: expected a str; log_stream takes bytes"),
        (lambda: api.log_text("\ud800", "t.txt"), "can't log the text as 't.txt': .*surrogates not allowed"),
        (lambda: api.log_stream(io.StringIO("x"), "s.bin"), "type StringIO: expected a file opened in binary mode"),
        (lambda: api.log_stream(b"x", "s.bin"), "type bytes: expected a file opened in binary mode"),
        (lambda: api.log_image(np.zeros((0, 3)), "i.png"), r"shape \(0, 3\) and dtype float64"),
        (lambda: api.log_image(np.zeros((2, 2), dtype=complex), "i.png"), "dtype complex128"),
        (lambda: api.log_image(np.full((2, 2), np.nan), "i.png"), "expected 0 to 1"),
        (lambda: api.log_image(np.zeros((2, 2)), key="k", step="x"), "invalid step of log_image: got 'x'"),
        (lambda: api.log_image(np.zeros((2, 2)), key="k", timestamp=-1), "invalid timestamp of log_image: got -1"),
        (lambda: api.log_table({"a": [1], "b": [1, 2]}, "t.json"), "can't log the dict as a table: .*same length"),
        (
            lambda: api.log_input(pd.DataFrame()),
            "an input of type DataFrame: expected a dataset such as mlcore.data",
        ),
        (lambda: api.log_input(), "log_input got no dataset"),
        (lambda: api.log_inputs([], ["training"]), "contexts has 1 entries for 0 datasets"),
        (lambda: api.data.from_pandas({"a": [1]}), "can't describe a dict as a table"),
        (lambda: api.data.from_numpy(None), "can't describe None as an array"),
        (lambda: api.artifacts.download_artifacts(""), "invalid artifact URI ''"),
        (lambda: api.artifacts.download_artifacts(1), "invalid artifact URI 1"),
    ],
)
def test_content_that_cannot_be_logged_is_refused(log: Callable[[], object], fault: str) -> None:
    with api.start_run() as run, pytest.raises(InvalidParameterError, match=fault):
        log()

    assert run.list_artifacts() == []


def test_a_dict_that_holds_itself_is_refused() -> None:
    endless: dict[str, object] = {}
    endless["again"] = endless

    with api.start_run(), pytest.raises(InvalidParameterError, match=r"the dict as 'd\.json': it holds itself"):
        api.log_dict(endless, "d.json")


def test_a_name_that_the_file_system_refuses_is_an_error_of_the_artifact() -> None:
    with (
        api.start_run() as run,
        pytest.raises(ArtifactWriteError, match=r"artifact 'xxx.*'\.\.\. could not be made: .*too long"),
    ):
        api.log_text("x", "x" * 300)

    assert run.list_artifacts() == []


def test_a_download_does_not_go_where_a_file_is() -> None:
    Path("taken").write_text("x")
    with api.start_run() as run:
        api.log_text("x", "t.txt")

    for attempt in (
        lambda: run.download_artifacts("t.txt", "taken"),
        lambda: api.artifacts.download_artifacts(f"runs:/{run.run_id}/t.txt", dst_path="taken"),
    ):
        with pytest.raises(InvalidParameterError, match="dst_path 'taken' is a file: expected a directory"):
            attempt()
    assert Path("taken").read_text() == "x"


def test_what_is_no_table_is_not_read_as_one() -> None:
    with api.start_run():
        api.log_text("no table", "t.json")

    with pytest.raises(InvalidParameterError, match=r"artifact 't\.json' is not a table that log_table wrote"):
        api.load_table("t.json")


def test_frames_as_people_have_them_are_datasets() -> None:
    frame = pd.DataFrame([[1, "x"]], columns=["a", "a"])
    frame["c"] = pd.Categorical(["k"])
    frame["n"] = pd.array([None], dtype="Int64")

    with api.start_run() as run:
        api.log_input(api.data.from_pandas(frame, name=1), context="training", tags={"rows": 1})
        api.log_input(api.data.from_numpy([1.0, 2.0], name="list"))
        api.log_input(api.data.from_numpy(np.array(3.0), name="scalar"))

    inputs = {i.dataset.name: i for i in api.get_run(run.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"1", "list", "scalar"}
    assert {t.key: t.value for t in inputs["1"].tags} == {"rows": "1", "mlflow.data.context": "training"}


def test_entries_of_a_batch_are_checked_like_single_calls() -> None:
    client = api.Client()
    run_id = client.create_run("0").info.run_id

    with pytest.raises(InvalidParameterError, match="invalid timestamp of metric 'a': got -1"):
        client.log_batch(run_id, [Metric("a", 1.0, -1)], [Param("p", "1")], [RunTag("t", "1")])

    assert client.get_run(run_id).data.params == {}
