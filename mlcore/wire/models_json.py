"""Logged models, registered models and model versions as the JSON of the REST protocol, and back."""

from __future__ import annotations

from mlcore.entities import (
    LoggedModel,
    LoggedModelStatus,
    ModelMetric,
    ModelVersion,
    ModelVersionStatus,
    RegisteredModel,
)
from mlcore.wire.enums import by_number
from mlcore.wire.tracking_json import Json, metric_in, metric_out, tags_in, tags_out


def logged_model_out(model: LoggedModel) -> Json:
    """Return a logged model as JSON values."""
    info: Json = {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": model.creation_timestamp,
        "last_updated_timestamp_ms": model.last_updated_timestamp,
        "artifact_uri": model.artifact_uri,
        "status": model.status.value,
    }
    for name in ("creator_id", "model_type", "source_run_id", "status_message"):
        if value := getattr(model, name):
            info[name] = value
    if model.tags:
        info["tags"] = tags_out(model.tags)
    data: Json = {}
    if model.params:
        data["params"] = tags_out(model.params)
    if model.metrics:
        data["metrics"] = [_metric_out(metric) for metric in model.metrics]
    return {"info": info, "data": data}


def logged_model_in(given: Json) -> LoggedModel:
    """Return the logged model that JSON values tell of."""
    info, data = given["info"], given.get("data") or {}
    status = info.get("status", LoggedModelStatus.UNSPECIFIED)
    found = by_number(LoggedModelStatus, status)
    return LoggedModel(
        info["model_id"],
        str(info.get("experiment_id", "")),
        info.get("name", ""),
        info.get("artifact_uri", ""),
        int(info.get("creation_timestamp_ms") or 0),
        int(info.get("last_updated_timestamp_ms") or 0),
        LoggedModelStatus(found.value if found else status),
        info.get("status_message", ""),
        str(info.get("creator_id", "")),
        info.get("model_type", ""),
        info.get("source_run_id", ""),
        tags_in(data.get("params")),
        tags_in(info.get("tags")),
        tuple([_metric_in(metric, info["model_id"]) for metric in data.get("metrics") or ()]),
    )


def _metric_out(metric: ModelMetric) -> Json:
    out = metric_out(metric.point) | {"model_id": metric.model_id, "run_id": metric.run_id}
    if metric.dataset_name:
        out |= {"dataset_name": metric.dataset_name, "dataset_digest": metric.dataset_digest}
    return out


def _metric_in(given: Json, model_id: str) -> ModelMetric:
    return ModelMetric(
        given.get("model_id", model_id),
        given.get("run_id", ""),
        metric_in(given),
        given.get("dataset_name", ""),
        given.get("dataset_digest", ""),
    )


def version_out(version: ModelVersion, *, aliases: bool = True) -> Json:
    """Return a model version as JSON values; in the list of a model's latest versions they go without aliases."""
    out: Json = {
        "name": version.name,
        "version": version.version,
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
        "current_stage": version.current_stage,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id or "",
        "status": version.status.value,
        "run_link": version.run_link or "",
    }
    if version.user_id:
        out["user_id"] = version.user_id
    if version.status_message:
        out["status_message"] = version.status_message
    if version.tags:
        out["tags"] = tags_out(version.tags)
    if aliases and version.aliases:
        out["aliases"] = list(version.aliases)
    return out


def version_in(given: Json) -> ModelVersion:
    """Return the model version that JSON values tell of."""
    return ModelVersion(
        given["name"],
        str(given["version"]),
        given.get("source", ""),
        int(given.get("creation_timestamp") or 0),
        int(given.get("last_updated_timestamp") or 0),
        given.get("run_id") or None,
        given.get("run_link") or None,
        given.get("current_stage", "None"),
        ModelVersionStatus(given.get("status", "READY")),
        given.get("status_message", ""),
        given.get("description", ""),
        given.get("user_id", ""),
        tags_in(given.get("tags")),
        tuple(given.get("aliases") or ()),
    )


def model_out(model: RegisteredModel) -> Json:
    """Return a registered model as JSON values."""
    out: Json = {
        "name": model.name,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
    }
    if model.description:
        out["description"] = model.description
    if model.latest_versions:
        out["latest_versions"] = [version_out(version, aliases=False) for version in model.latest_versions]
    if model.tags:
        out["tags"] = tags_out(model.tags)
    if model.aliases:
        out["aliases"] = [{"alias": alias, "version": version} for alias, version in model.aliases.items()]
    return out


def model_in(given: Json) -> RegisteredModel:
    """Return the registered model that JSON values tell of."""
    return RegisteredModel(
        given["name"],
        int(given.get("creation_timestamp") or 0),
        int(given.get("last_updated_timestamp") or 0),
        given.get("description", ""),
        tuple([version_in(version) for version in given.get("latest_versions") or ()]),
        tags_in(given.get("tags")),
        {pair["alias"]: str(pair["version"]) for pair in given.get("aliases") or ()},
    )
