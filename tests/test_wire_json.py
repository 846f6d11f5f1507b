"""Entities as the JSON of the protocol, and back."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from mlcore.wire import models_json, tracking_json

INFO = RunInfo("r1", "7", "calm-owl-1", "ann", RunStatus.FINISHED, 5, 9, "mlflow-artifacts:/7/r1/artifacts")
INT64 = st.integers(-(2**63), 2**63 - 1)


def test_a_run_survives_the_way() -> None:
    used = DatasetInput(Dataset("d", "x1", "local", "{}", None, "{}"), (InputTag("mlflow.data.context", "train"),))
    run = Run(
        INFO,
        RunData((Metric("a", 0.5, 3, -2), Metric("b", math.inf, 4, 1)), {"p": "1"}, {"t": ""}),
        RunInputs((used,), ("m-1",)),
        (ModelOutput("m-2", 4),),
    )

    assert tracking_json.run_in(tracking_json.run_out(run)) == run


def test_what_is_empty_is_left_out() -> None:
    run = Run(RunInfo("r1", "7", "n", "", RunStatus.RUNNING, 5, None, "file:///a"))

    out = tracking_json.run_out(run)

    assert (out["data"], out["inputs"], "outputs" in out, "end_time" in out["info"]) == ({}, {}, False, False)


def test_a_run_of_a_server_of_2020_is_understood() -> None:
    run = tracking_json.run_in(
        {
            "info": {
                "run_uuid": "r1",
                "experiment_id": "0",
                "status": "FINISHED",
                "start_time": "1700000000000",
                "end_time": "1700000000001",
                "artifact_uri": "file:///x",
                "lifecycle_stage": "active",
            },
            "data": {
                "metrics": [{"key": "m", "value": 1, "timestamp": "5", "step": "2"}],
                "tags": [{"key": "mlflow.runName", "value": "old"}],
            },
        }
    )

    assert (run.info.run_id, run.info.run_name, run.info.end_time) == ("r1", "old", 1_700_000_000_001)
    assert run.data.latest == (Metric("m", 1.0, 5, 2),)


@given(st.floats(allow_nan=False), INT64, st.integers(0, 2**63 - 1))
def test_any_point_survives_the_way(value: float, step: int, timestamp: int) -> None:
    point = Metric("k", value, timestamp, step)

    assert tracking_json.metric_in(tracking_json.metric_out(point)) == point


def test_nan_travels_as_a_text() -> None:
    out = tracking_json.metric_out(Metric("k", math.nan, 1))

    assert out["value"] == "NaN"
    assert math.isnan(tracking_json.metric_in(out).value)


def test_an_experiment_survives_the_way() -> None:
    experiment = Experiment("3", "e", "file:///x", LifecycleStage.DELETED, 1, 2, {"k": "v"})

    assert tracking_json.experiment_in(tracking_json.experiment_out(experiment)) == experiment


def test_a_logged_model_survives_the_way() -> None:
    metrics = (ModelMetric("m-1", "r1", Metric("a", 0.5, 3, 1), "d", "x1"),)
    model = LoggedModel(
        "m-1",
        "3",
        "n",
        "file:///x",
        1,
        2,
        LoggedModelStatus.READY,
        "",
        "ann",
        "tree",
        "r1",
        {"p": "1"},
        {"t": "2"},
        metrics,
    )

    assert models_json.logged_model_in(models_json.logged_model_out(model)) == model


def test_a_registered_model_survives_the_way_without_the_aliases_of_its_versions() -> None:
    version = ModelVersion("m", "2", "s3://b/x", 1, 2, "r1", None, "Production", tags={"a": "b"})
    model = RegisteredModel("m", 1, 2, "about", (version,), {"k": "v"}, {"champion": "2"})

    assert models_json.model_in(models_json.model_out(model)) == model
