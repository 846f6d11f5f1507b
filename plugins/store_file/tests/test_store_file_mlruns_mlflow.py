"""MLflow's file trees and ours, read by MLflow of three lines of releases and by mlcore: both see the same."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from mlcore_store_file.mlruns import open_registry, open_tracking
from mlcore_store_file.mlruns_reading import MlrunsReader
from mlcore_store_file.mlruns_registry import MlrunsRegistryStore
from mlcore_store_file.mlruns_tracking import MlrunsTrackingStore
from mlcore_store_file.mlruns_versions import MlrunsRegistryReader

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    InputTag,
    LifecycleStage,
    LoggedModelChange,
    LoggedModelQuery,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    Param,
    RegisteredModel,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.moving import copy_store

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[2] / ".cache" / "peers"
RELEASES = {"3.17": "mlflow", "2.22": "mlflow-2.22", "1.30": "mlflow-1.30"}
OPTIONAL = {"1.30"}  # it needs a Python that few machines still have
OURS = "0" * 31 + "a"
DELETE = ExperimentChange(lifecycle_stage=LifecycleStage.DELETED)
View = dict[str, Any]
Require = Callable[[str, bool, str], None]


@frozen
class Peer:
    """One MLflow at work on two trees, and what it has seen so far: a view of each tree."""

    release: str
    theirs: Path
    ours: Path
    first: View
    second: View
    read_first: View


@pytest.fixture(scope="session")
def _peers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Peer]:
    """Start all that are there at once: each takes seconds of importing."""
    started = {}
    for release, folder in RELEASES.items():
        python = PEERS / folder / "bin" / "python"
        if python.exists():
            place = tmp_path_factory.mktemp("mlflow")
            fill(place / "ours" / "mlruns", with_models=release.startswith("3."))
            started[release] = (place, start(python, place))
    seen = {}
    for release, (place, process) in started.items():
        theirs, ours = place / "theirs" / "mlruns", place / "ours" / "mlruns"
        first = answer(process)
        read_first = {"theirs": view(theirs), "ours": view(ours)}
        assert process.stdin is not None
        add(theirs)
        process.stdin.write("go on\n")
        process.stdin.flush()
        log_beside(ours)
        seen[release] = Peer(release, theirs, ours, first, answer(process), read_first)
        process.communicate(timeout=60)
    return seen


@pytest.fixture(params=RELEASES)
def peer(request: pytest.FixtureRequest, require: Require, _peers: dict[str, Peer]) -> Peer:
    release = request.param
    if release in OPTIONAL and release not in _peers:
        pytest.skip(f"MLflow {release} is absent: no Python that it supports was found by `make peer`")
    require(f"mlflow {release}", release in _peers, "make peer")
    return _peers[release]


def start(python: Path, place: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))}
    environment |= {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONWARNINGS": "ignore"}
    program = HERE / "peer" / "mlruns_mlflow.py"
    with (place / "log").open("wb") as log:
        return subprocess.Popen(
            [str(python), str(program), str(place / "theirs" / "mlruns"), str(place / "ours" / "mlruns")],
            cwd=place,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def answer(process: subprocess.Popen[str]) -> View:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"MLflow ended: {Path(str(process.args[2])).parents[1] / 'log'}"  # type: ignore[index]  # a list
    seen: View = json.loads(line)
    return seen


def fill(root: Path, *, with_models: bool) -> None:
    """Write with mlcore what MLflow shall read: the same variety as in the tree that MLflow writes.

    with_models: link runs to logged models, as MLflow 3 does; MLflow 2 cannot read such a run, whoever wrote it.
    """
    store = MlrunsTrackingStore(root)
    one = store.create_experiment("one", artifact_location=None, tags={"team": "a", "nested/tag": "ß\n"}).experiment_id
    store.create_experiment("elsewhere", artifact_location="s3://bucket/x y", tags={})
    run_id = OURS
    tags = {"mlflow.user": "ada", "a/b": "1", "empty": "", "note": "n"}
    store.create_run(NewRun(one, run_id, "näme: of, a run #1", "ada", 1_600_000_000_123, tags))
    values = (0.1, float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308)
    points = tuple(Metric("loss", value, 1_700_000_000_000 + n, n - 3) for n, value in enumerate(values))
    more = (Metric("val/loss", 2.0, 5, 0), Metric("val/acc", 0.5, 5, 2**40))
    params = (Param("lr", "0.1"), Param("model/depth", "3"), Param("text", "two\nlines, ß\r\n"))
    store.log_batch(run_id, Batch((*points, *more), params, (RunTag("long", "x" * 100),)))
    store.update_run(run_id, RunChange(status=RunStatus.FAILED, end_time=1_700_000_001_000))
    for number, change in enumerate(
        (RunChange(status=RunStatus.KILLED), RunChange(lifecycle_stage=LifecycleStage.DELETED))
    ):
        other = f"{number}{'b' * 31}"
        store.create_run(NewRun(one, other, "true", "", 5))
        store.update_run(other, change)
    for name in ("binned", "restored"):
        made = store.create_experiment(name, artifact_location=None, tags={}).experiment_id
        store.create_run(NewRun(made, f"{name[0]}0", "r", "u", 6))
        store.update_experiment(made, DELETE)
        if name == "restored":
            store.update_experiment(made, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))
    iris = DatasetInput(Dataset("iris", "d1", "local", "{}", "s", "p"), (InputTag("mlflow.data.context", "train"),))
    store.log_inputs(run_id, (iris, DatasetInput(Dataset("wine", "d2"))))
    model = store.create_logged_model(NewLoggedModel("m-1", one, "cnn", "ada", "agent", run_id, {"p": "2"}, {"t": "1"}))
    store.update_logged_model("m-1", LoggedModelChange(LoggedModelStatus.READY))
    measured = ModelMetric(model.model_id, "", Metric("acc", 0.5, 5, 1), "iris", "d1")
    store.log_model_metrics(run_id, (measured, ModelMetric("m-1", "", Metric("acc", 0.7, 5, 1))))
    if with_models:
        store.link_models(run_id, inputs=("m-1",), outputs=(ModelOutput("m-1", 3), ModelOutput("m-1", 4)))
    registry = MlrunsRegistryStore(root)
    registry.create_model("net", description="what it is", tags={"k": "v"})
    for number in range(3):
        registry.create_version(
            "net", f"s3://b/{number}", run_id=run_id, run_link=None, description="d", tags={"n": str(number)}
        )
    for version in ("1", "2"):
        registry.update_version("net", version, description=None, stage="Production", archive_existing=True)
    registry.set_alias("net", "best", "2")
    registry.set_alias("net", "worst", "3")
    registry.delete_version("net", "3")
    registry.create_version("net", "s3://b/4", run_id=None, run_link=None, description="", tags={})
    registry.create_model("before", description="", tags={})
    registry.update_model("before", new_name="after", description=None)


def add(theirs: Path) -> None:
    """Write with mlcore into a tree that MLflow made."""
    store = MlrunsTrackingStore(theirs)
    one = store.get_experiment_by_name("one")
    assert one is not None
    run = next(run for run in runs_of(store) if "lr" in run.data.params)
    run_id = run.info.run_id
    store.log_batch(
        run_id, Batch((Metric("loss", 0.25, 1_700_000_009_999, 99),), (Param("late", "1"),), (RunTag("by", "us"),))
    )
    store.update_run(run_id, RunChange(status=RunStatus.FINISHED, end_time=9, run_name="renamed by mlcore"))
    store.delete_tag(run_id, "empty")
    store.create_run(NewRun(one.experiment_id, "c" * 32, "ours", "us", 8, {"made": "by mlcore"}))
    gone = store.get_experiment_by_name("binned")
    assert gone is not None
    store.update_experiment(gone.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))
    store.update_experiment(one.experiment_id, ExperimentChange(name="uno", set_tags={"by": "us"}))


def log_beside(ours: Path) -> None:
    """Log points to the run, and to the metric, to which MLflow logs at this moment."""
    store = MlrunsTrackingStore(ours)
    for step in range(50, 100):
        store.log_batch(OURS, Batch((Metric("both", 0.5, 1_700_000_000_000, step),)))


def runs_of(store: MlrunsReader) -> list[Run]:
    found = store.search_experiments(ExperimentQuery(view=ViewType.ALL)).items
    ids = tuple(each.experiment_id for each in found)
    return list(store.search_runs(RunQuery(ids, view=ViewType.ALL)).items)


def view(root: Path) -> View:
    """Return what mlcore sees in a tree, in the words of the program that MLflow runs."""
    store, registry = open_tracking(root, None), open_registry(root)
    assert isinstance(store, MlrunsReader)
    assert isinstance(registry, MlrunsRegistryReader)
    experiments = store.search_experiments(ExperimentQuery(view=ViewType.ALL)).items
    ids = tuple(each.experiment_id for each in experiments)
    models = registry.search_models("", order_by=(), max_results=100, page_token=None).items
    logged = store.search_logged_models(LoggedModelQuery(ids)).items
    return {
        "experiments": {each.name: experiment_view(each) for each in experiments},
        "runs": {run.info.run_id: run_view(store, run) for run in runs_of(store)},
        "models": {each.name: model_view(registry, each) for each in models},
        "logged": {
            each.model_id: {
                "name": each.name,
                "experiment": each.experiment_id,
                "location": each.artifact_uri,
                "times": [each.creation_timestamp, each.last_updated_timestamp],
                "status": each.status.removeprefix("LOGGED_MODEL_"),
                "type": each.model_type,
                "source run": each.source_run_id,
                "params": each.params,
                "tags": each.tags,
                "metrics": sorted(
                    [
                        m.point.key,
                        repr(m.point.value),
                        m.point.timestamp,
                        m.point.step,
                        m.run_id,
                        m.dataset_name,
                        m.dataset_digest,
                    ]
                    for m in each.metrics
                ),
            }
            for each in logged
        },
    }


def experiment_view(each: Experiment) -> View:
    return {
        "id": each.experiment_id,
        "location": each.artifact_location,
        "stage": each.lifecycle_stage,
        "times": [each.creation_time, each.last_update_time],
        "tags": each.tags,
    }


def run_view(store: MlrunsReader, run: Run) -> View:
    info = run.info
    return {
        "experiment_id": info.experiment_id,
        "run_name": info.run_name,
        "user_id": info.user_id,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "artifact_uri": info.artifact_uri,
        "lifecycle_stage": info.lifecycle_stage,
        "params": run.data.params,
        "tags": run.data.tags,
        "latest": {key: repr(value) for key, value in run.data.metrics.items()},
        "histories": {
            key: sorted(
                [p.timestamp, p.step, repr(p.value)]
                for p in store.get_metric_history(info.run_id, key, max_results=100, page_token=None).items
            )
            for key in run.data.metrics
        },
        "found by id": store.get_run(info.run_id).info.status,
        "inputs": sorted(
            [
                u.dataset.name,
                u.dataset.digest,
                u.dataset.source_type,
                u.dataset.source,
                u.dataset.schema,
                u.dataset.profile,
                *sorted([tag.key, tag.value] for tag in u.tags),
            ]
            for u in run.inputs.dataset_inputs
        ),
        "models read": sorted(run.inputs.model_inputs),
        "models made": sorted([each.model_id, each.step] for each in run.outputs),
    }


def model_view(registry: MlrunsRegistryReader, model: RegisteredModel) -> View:
    found = registry.search_versions(f"name = '{model.name}'", order_by=(), max_results=100, page_token=None).items
    return {
        "description": model.description,
        "tags": model.tags,
        "aliases": model.aliases,
        "latest": sorted([each.current_stage, each.version] for each in model.latest_versions),
        "times": [model.creation_timestamp, model.last_updated_timestamp],
        "versions": {
            each.version: [
                each.source,
                each.run_id or "",
                each.current_stage,
                each.description,
                each.status,
                each.tags,
                sorted(each.aliases),
                [each.creation_timestamp, each.last_updated_timestamp],
            ]
            for each in found
        },
    }


def assert_same(mlflows: View, ours: View, release: str) -> None:
    """Compare two views part by part; MLflow's says less in releases that know less."""
    for part in mlflows:
        assert set(mlflows[part]) == set(ours[part]), part
        for name, seen in mlflows[part].items():
            known = {key: ours[part][name][key] for key in seen}
            assert known == seen, f"{part} {name!r}, seen by MLflow {release}"


def test_mlcore_sees_in_the_tree_of_mlflow_what_mlflow_sees(peer: Peer) -> None:
    assert_same(expected(peer.first["theirs"]), peer.read_first["theirs"], peer.release)


def test_mlflow_sees_in_the_tree_of_mlcore_what_mlcore_sees(peer: Peer) -> None:
    assert_same(expected(peer.first["ours"]), peer.read_first["ours"], peer.release)


def test_what_mlcore_added_to_the_tree_of_mlflow_is_seen_by_both(peer: Peer) -> None:
    seen = peer.second["theirs"]

    assert_same(expected(seen), view(peer.theirs), peer.release)
    assert seen["experiments"]["uno"]["tags"]["by"] == "us"
    assert seen["runs"]["c" * 32]["tags"] == {"made": "by mlcore", "mlflow.runName": "ours"}


def test_what_mlflow_added_to_the_tree_of_mlcore_is_seen_by_both(peer: Peer) -> None:
    seen = peer.second["ours"]

    assert_same(expected(seen), view(peer.ours), peer.release)
    run = seen["runs"][OURS]
    assert run["run_name"] == "renamed by mlflow"
    assert [1_700_000_009_999, 99, "0.25"] in run["histories"]["loss"]


def test_points_that_both_log_to_one_metric_at_one_time_are_all_kept(peer: Peer) -> None:
    points = peer.second["ours"]["runs"][OURS]["histories"]["both"]

    assert [step for _, step, _ in points] == list(range(100))


def test_artifacts_of_the_tree_are_where_the_runs_say(peer: Peer) -> None:
    store = open_tracking(peer.theirs, None)
    assert isinstance(store, MlrunsReader)
    run = next(run for run in runs_of(store) if "lr" in run.data.params)

    folder = Path(run.info.artifact_uri.removeprefix("file://"))

    assert [each.read_text() for each in (folder / "sub").iterdir()] == ["content"]


def test_a_tree_of_mlflow_is_copied_without_loss(peer: Peer, tmp_path: Path) -> None:
    copy = tmp_path / "copy"

    report = copy_store(peer.theirs.as_uri(), f"{copy.as_uri()}?layout=mlflow")

    assert report.failures == ()
    there, here = view(peer.theirs), view(copy)
    for part, entries in there.items():
        moved = json.loads(json.dumps(entries).replace(peer.theirs.as_uri(), copy.as_uri()))
        copied = json.loads(json.dumps(here[part]))
        for name, entry in moved.items():
            own = {"location": None, "artifact_uri": None}  # artifacts come along, into the copy
            if name == "Default" or part == "logged":
                own["times"] = None  # a new tree has the first already, and no store takes over times of the others
            assert {**copied[name], **own} == {**entry, **own}, f"{part} {name!r}"


def expected(seen: View) -> View:
    """Return what MLflow saw, with what mlcore says otherwise.

    MLflow 1.x leaves the runs of a deleted experiment as they were. Artifacts of such runs are in the bin, where no
    release of MLflow looks for them. Points that were measured on a dataset have lines of five fields, of which MLflow
    does not read the step.
    """
    binned = {each["id"]: each for each in seen["experiments"].values() if each["stage"] == "deleted"}
    runs = {}
    for run_id, told in seen["runs"].items():
        run = {**told, "histories": dict(told["histories"]), "latest": dict(told["latest"])}
        if "acc" in run["histories"]:
            assert run["histories"]["acc"] == [[5, 0, "0.5"], [5, 1, "0.7"], [6, 0, "0.6"]]
            run["histories"]["acc"] = [[5, 1, "0.5"], [5, 1, "0.7"], [6, 2, "0.6"]]
            run["latest"]["acc"] = "0.6"
        where = binned.get(run["experiment_id"])
        if where is None:
            runs[run_id] = run
            continue
        local = run["artifact_uri"].startswith("file:")
        uri = run["artifact_uri"].replace("/mlruns/", "/mlruns/.trash/") if local else run["artifact_uri"]
        runs[run_id] = {**run, "artifact_uri": uri, "lifecycle_stage": "deleted"}
    return {**seen, "runs": runs}
