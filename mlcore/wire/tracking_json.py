"""Experiments, runs and metrics as the JSON of the REST protocol, and back.

Out: what is unset or an empty list is left out; NaN and infinities are texts. In: whatever MLflow servers of any
release send, int64 as texts included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlcore.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    Metric,
    ModelOutput,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from mlcore.wire.enums import by_number
from mlcore.wire.messages import number_out

Json = dict[str, Any]  # Any: what JSON holds

_INFINITY = float("inf")
_FLOATS = {"NaN": float("nan"), "Infinity": _INFINITY, "-Infinity": -_INFINITY}


def tags_out(tags: Mapping[str, str]) -> list[Json]:
    """Return tags or params as a list of keys and values."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def tags_in(given: Iterable[Json] | None) -> dict[str, str]:
    """Return tags or params from a list of keys and values."""
    return {tag["key"]: tag.get("value", "") for tag in given or ()}


def experiment_out(experiment: Experiment) -> Json:
    """Return an experiment as JSON values."""
    out: Json = {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "artifact_location": experiment.artifact_location,
        "lifecycle_stage": experiment.lifecycle_stage.value,
    }
    if experiment.last_update_time is not None:
        out["last_update_time"] = experiment.last_update_time
    if experiment.creation_time is not None:
        out["creation_time"] = experiment.creation_time
    if experiment.tags:
        out["tags"] = tags_out(experiment.tags)
    return out


def experiment_in(given: Json) -> Experiment:
    """Return the experiment that JSON values tell of."""
    return Experiment(
        str(given["experiment_id"]),
        given.get("name", ""),
        given.get("artifact_location", ""),
        LifecycleStage(given.get("lifecycle_stage", "active")),
        int_in(given.get("creation_time")),
        int_in(given.get("last_update_time")),
        tags_in(given.get("tags")),
    )


def metric_out(metric: Metric) -> Json:
    """Return a point as JSON values."""
    value = metric.value
    if not -_INFINITY < value < _INFINITY:
        return {
            "key": metric.key,
            "value": number_out(value),
            "timestamp": metric.timestamp,
            "step": metric.step,
        }
    return {"key": metric.key, "value": value, "timestamp": metric.timestamp, "step": metric.step}


def metric_in(given: Json) -> Metric:
    """Return the point that JSON values tell of."""
    return Metric(
        given["key"],
        float_in(given.get("value", 0.0)),
        int(given.get("timestamp", 0)),
        int(given.get("step", 0)),
    )


def run_info_out(info: RunInfo) -> Json:
    """Return who, when and where of a run as JSON values."""
    out: Json = {
        "run_uuid": info.run_id,
        "experiment_id": info.experiment_id,
        "run_name": info.run_name,
        "user_id": info.user_id,
        "status": info.status.value,
        "start_time": info.start_time,
        "artifact_uri": info.artifact_uri,
        "lifecycle_stage": info.lifecycle_stage.value,
        "run_id": info.run_id,
    }
    if info.end_time is not None:
        out["end_time"] = info.end_time
    return out


def run_info_in(given: Json, tags: Mapping[str, str] | None = None) -> RunInfo:
    """Return the info that JSON values tell of; servers before 1.30 know a run's name only by its tag."""
    status = given.get("status", "RUNNING")
    found = by_number(RunStatus, status)
    return RunInfo(
        given.get("run_id") or given["run_uuid"],
        str(given.get("experiment_id", "")),
        given.get("run_name") or (tags or {}).get("mlflow.runName", ""),
        given.get("user_id", ""),
        RunStatus(found.value if found else status),
        int(given.get("start_time") or 0),
        int_in(given.get("end_time")),
        given.get("artifact_uri", ""),
        LifecycleStage(given.get("lifecycle_stage", "active")),
    )


def run_out(run: Run) -> Json:
    """Return a run as JSON values."""
    data: Json = {}
    if run.data.latest:
        data["metrics"] = [metric_out(point) for point in run.data.latest]
    if run.data.params:
        data["params"] = tags_out(run.data.params)
    if run.data.tags:
        data["tags"] = tags_out(run.data.tags)
    inputs: Json = {}
    if run.inputs.dataset_inputs:
        inputs["dataset_inputs"] = [dataset_input_out(used) for used in run.inputs.dataset_inputs]
    if run.inputs.model_inputs:
        inputs["model_inputs"] = [{"model_id": model_id} for model_id in run.inputs.model_inputs]
    out: Json = {"info": run_info_out(run.info), "data": data, "inputs": inputs}
    if run.outputs:
        out["outputs"] = {"model_outputs": [{"model_id": o.model_id, "step": o.step} for o in run.outputs]}
    return out


def run_in(given: Json) -> Run:
    """Return the run that JSON values tell of."""
    data, inputs = given.get("data") or {}, given.get("inputs") or {}
    outputs = (given.get("outputs") or {}).get("model_outputs") or ()
    tags = tags_in(data.get("tags"))
    latest = sorted((metric_in(point) for point in data.get("metrics") or ()), key=lambda point: point.key)
    return Run(
        run_info_in(given["info"], tags),
        RunData(tuple(latest), tags_in(data.get("params")), tags),
        RunInputs(
            tuple([dataset_input_in(used) for used in inputs.get("dataset_inputs") or ()]),
            tuple([used["model_id"] for used in inputs.get("model_inputs") or ()]),
        ),
        tuple([ModelOutput(made["model_id"], int(made.get("step", 0))) for made in outputs]),
    )


def dataset_input_out(used: DatasetInput) -> Json:
    """Return a dataset's use as JSON values."""
    dataset: Json = {
        "name": used.dataset.name,
        "digest": used.dataset.digest,
        "source_type": used.dataset.source_type,
        "source": used.dataset.source,
    }
    if used.dataset.schema is not None:
        dataset["schema"] = used.dataset.schema
    if used.dataset.profile is not None:
        dataset["profile"] = used.dataset.profile
    out: Json = {"dataset": dataset}
    if used.tags:
        out["tags"] = [{"key": tag.key, "value": tag.value} for tag in used.tags]
    return out


def dataset_input_in(given: Json) -> DatasetInput:
    """Return the dataset's use that JSON values tell of."""
    dataset = given.get("dataset") or {}
    return DatasetInput(
        Dataset(
            dataset.get("name", ""),
            dataset.get("digest", ""),
            dataset.get("source_type", ""),
            dataset.get("source", ""),
            dataset.get("schema"),
            dataset.get("profile"),
        ),
        tuple([InputTag(tag["key"], tag.get("value", "")) for tag in given.get("tags") or ()]),
    )


def int_in(value: object) -> int | None:
    """Return an int64 that came as a number or as a text; None for None."""
    return None if value is None else int(str(value))


def float_in(value: object) -> float:
    """Return a float64 that came as a number or as a text such as `NaN`."""
    if isinstance(value, float):
        return value
    text = str(value)
    return _FLOATS[text] if text in _FLOATS else float(text)
