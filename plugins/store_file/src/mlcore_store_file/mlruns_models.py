"""Logged models of MLflow 3 in an `mlruns` tree: what their files mean."""

from __future__ import annotations

import math
import os

from mlcore.entities import LifecycleStage, LoggedModel, LoggedModelStatus, ModelMetric, NewLoggedModel
from mlcore_store_file.mlruns_lines import read_model_lines
from mlcore_store_file.mlruns_locations import Locations
from mlcore_store_file.mlruns_records import number, text
from mlcore_store_file.mlruns_tree import ARTIFACTS, META, METRICS, MODELS, PARAMS, TAGS, Tree

_STATUSES = dict(enumerate(LoggedModelStatus))
_NUMBERS = {status: number for number, status in _STATUSES.items()}


def read_model(tree: Tree, locations: Locations, experiment: str, folder: str) -> LoggedModel | None:
    """Return the logged model in *folder*; None when there is none, or it cannot be read, which is reported."""
    fields = tree.meta(folder)
    if fields is None:
        return None
    model_id, where = os.path.basename(folder), os.path.basename(experiment)
    if (text(fields, "model_id"), text(fields, "experiment_id")) != (model_id, where):
        tree.report(os.path.join(folder, META), "says that it is another logged model: left out here")
        return None
    recorded = text(fields, "artifact_location")
    deleted = text(fields, "lifecycle_stage") == LifecycleStage.DELETED
    return LoggedModel(
        model_id=model_id,
        experiment_id=where,
        name=text(fields, "name"),
        artifact_uri=locations.below_experiment(where, experiment, recorded, f"{MODELS}/{model_id}/{ARTIFACTS}"),
        creation_timestamp=number(fields, "creation_timestamp") or 0,
        last_updated_timestamp=number(fields, "last_updated_timestamp") or 0,
        status=_STATUSES.get(number(fields, "status") or 0, LoggedModelStatus.UNSPECIFIED),
        status_message=text(fields, "status_message"),
        creator_id=text(fields, "creator_id"),
        model_type=text(fields, "model_type"),
        source_run_id=text(fields, "source_run_id"),
        params=tree.texts(tree.files(os.path.join(folder, PARAMS))),
        tags=tree.texts(tree.files(os.path.join(folder, TAGS))),
        metrics=_metrics(tree, model_id, os.path.join(folder, METRICS)),
        lifecycle_stage=LifecycleStage.DELETED if deleted else LifecycleStage.ACTIVE,
    )


def new_model_fields(new: NewLoggedModel, artifact_location: str, now_ms: int) -> dict[str, object]:
    """Return the fields of a new logged model; `creator_id` is ours, MLflow reads over it."""
    return {
        "artifact_location": artifact_location,
        "creation_timestamp": now_ms,
        "creator_id": new.creator_id,
        "experiment_id": new.experiment_id,
        "last_updated_timestamp": now_ms,
        "lifecycle_stage": str(LifecycleStage.ACTIVE),
        "model_id": new.model_id,
        "model_type": new.model_type or None,
        "name": new.name,
        "source_run_id": new.source_run_id or None,
        "status": _NUMBERS[LoggedModelStatus.PENDING],
        "status_message": None,
    }


def status_number(status: LoggedModelStatus) -> int:
    """Return the number under which MLflow writes a logged model's status."""
    return _NUMBERS[status]


def _metrics(tree: Tree, model_id: str, folder: str) -> tuple[ModelMetric, ...]:
    """Return the latest point of each key, run and dataset."""
    latest: dict[tuple[str, str, str, str], ModelMetric] = {}
    for file in tree.files(folder):
        try:
            found, faults = read_model_lines(model_id, file.key, tree.data(file.path))
        except FileNotFoundError:  # removed this moment
            continue
        for fault in faults:
            tree.report(file.path, fault)
        for each in found:
            curve = (each.point.key, each.run_id, each.dataset_name, each.dataset_digest)
            known = latest.get(curve)
            if known is None or _recency(each) > _recency(known):
                latest[curve] = each
    return tuple(latest[curve] for curve in sorted(latest))


def _recency(each: ModelMetric) -> tuple[int, int, bool, float]:
    gap = math.isnan(each.point.value)
    return each.point.step, each.point.timestamp, not gap, 0.0 if gap else each.point.value
