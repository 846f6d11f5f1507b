"""Records of MLflow as ours, and ours as MLflow's."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Protocol

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    ViewType,
)
from mlcore.uris import absolute

RUN_ID_TAG = "mlcore.clientRunId"  # keeps the id that the caller chose, since MLflow's stores choose their own
NAME_TAG = "mlflow.runName"
VIEWS = {ViewType.ACTIVE_ONLY: 1, ViewType.DELETED_ONLY: 2, ViewType.ALL: 3}


class TheirExperiment(Protocol):
    """MLflow's Experiment; its times came with 1.28."""

    experiment_id: object
    name: str
    artifact_location: str | None
    lifecycle_stage: str
    tags: Mapping[str, str] | None


class TheirMetric(Protocol):
    """MLflow's Metric."""

    key: str
    value: float
    timestamp: int
    step: int | None


class TheirRunInfo(Protocol):
    """MLflow's RunInfo; `run_name` came with 1.30."""

    run_id: str
    experiment_id: object
    user_id: str | None
    status: object
    start_time: int | None
    end_time: int | None
    artifact_uri: str | None
    lifecycle_stage: str


class TheirRunData(Protocol):
    """MLflow's RunData."""

    metrics: Mapping[str, float]
    params: Mapping[str, str]
    tags: Mapping[str, str]


class TheirRun(Protocol):
    """MLflow's Run; `inputs` came with 2.4."""

    info: TheirRunInfo
    data: TheirRunData


def entities() -> ModuleType:
    """Return MLflow's module of records."""
    return import_module("mlflow.entities")


def experiment(theirs: TheirExperiment) -> Experiment:
    """Return an experiment as ours."""
    return Experiment(
        str(theirs.experiment_id),
        theirs.name,
        _place(theirs.artifact_location),
        LifecycleStage(theirs.lifecycle_stage),
        getattr(theirs, "creation_time", None),
        getattr(theirs, "last_update_time", None),
        dict(theirs.tags or {}),
    )


def run(theirs: TheirRun) -> Run:
    """Return a run as ours."""
    points: Iterable[TheirMetric] | None = getattr(theirs.data, "_metric_objs", None)
    latest = (
        [Metric(key, float(value), 0) for key, value in theirs.data.metrics.items()]
        if points is None
        else [metric(point) for point in points]
    )
    tags = {key: value for key, value in theirs.data.tags.items() if key != RUN_ID_TAG}
    data = RunData(tuple(sorted(latest, key=lambda point: point.key)), dict(theirs.data.params), tags)
    return Run(run_info(theirs.info, tags), data, _inputs(theirs))


def run_info(theirs: TheirRunInfo, tags: Mapping[str, str]) -> RunInfo:
    """Return what is known of a run apart from what it recorded; *tags* hold its name in old releases."""
    return RunInfo(
        run_id=theirs.run_id,
        experiment_id=str(theirs.experiment_id),
        run_name=getattr(theirs, "run_name", None) or tags.get(NAME_TAG, ""),
        user_id=theirs.user_id or "",
        status=_status(theirs.status),
        start_time=theirs.start_time or 0,
        end_time=theirs.end_time,
        artifact_uri=_place(theirs.artifact_uri),
        lifecycle_stage=LifecycleStage(theirs.lifecycle_stage),
    )


def metric(theirs: TheirMetric) -> Metric:
    """Return a point as ours. MLflow's SQL and REST stores keep infinities as the largest double."""
    value = float(theirs.value)
    if abs(value) == sys.float_info.max:
        value = math.copysign(math.inf, value)
    return Metric(theirs.key, value, int(theirs.timestamp), int(theirs.step or 0))


def batch(ours: Batch) -> dict[str, list[object]]:
    """Return the arguments of `log_batch`; of several tags with one key the last."""
    made = entities()
    tags = {tag.key: tag.value for tag in ours.tags}
    params = {param.key: param.value for param in ours.params}
    return {
        "metrics": [made.Metric(m.key, m.value, m.timestamp, m.step) for m in ours.metrics],
        "params": [made.Param(key, value) for key, value in params.items()],
        "tags": [made.RunTag(key, value) for key, value in tags.items()],
    }


def dataset_inputs(ours: Sequence[DatasetInput]) -> list[object]:
    """Return uses of datasets as MLflow's."""
    made = entities()
    return [
        made.DatasetInput(
            dataset=made.Dataset(
                name=each.dataset.name,
                digest=each.dataset.digest,
                source_type=each.dataset.source_type,
                source=each.dataset.source,
                schema=each.dataset.schema,
                profile=each.dataset.profile,
            ),
            tags=[made.InputTag(tag.key, tag.value) for tag in each.tags],
        )
        for each in ours
    ]


def _inputs(theirs: TheirRun) -> RunInputs:
    found = getattr(getattr(theirs, "inputs", None), "dataset_inputs", None) or ()
    return RunInputs(
        tuple(
            DatasetInput(
                Dataset(
                    use.dataset.name,
                    use.dataset.digest,
                    use.dataset.source_type,
                    use.dataset.source,
                    use.dataset.schema or None,
                    use.dataset.profile or None,
                ),
                tuple(InputTag(tag.key, tag.value) for tag in use.tags),
            )
            for use in found
        )
    )


def _place(theirs: str | None) -> str:
    """MLflow keeps local places as plain paths, too; what has a scheme or a drive stays as it is."""
    return absolute(theirs) if theirs and ":" not in theirs.partition("/")[0] else theirs or ""


def _status(theirs: object) -> RunStatus:
    """A status is a name, in some plugins the number that stands for it."""
    return RunStatus(entities().RunStatus.to_string(theirs) if isinstance(theirs, int) else str(theirs))
