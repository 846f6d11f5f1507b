"""Logged models: a model that a run made, with what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen

from mlcore.entities.lifecycle import LifecycleStage
from mlcore.entities.metric import Metric


class LoggedModelStatus(StrEnum):
    """Whether a logged model's files are all there; values are those of the MLflow REST protocol."""

    UNSPECIFIED = "LOGGED_MODEL_STATUS_UNSPECIFIED"
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    UPLOAD_FAILED = "LOGGED_MODEL_UPLOAD_FAILED"


@frozen
class ModelMetric:
    """A metric point that was measured on a logged model.

    run_id: the run that measured it.
    dataset_name, dataset_digest: what it was measured with; empty when unknown.
    """

    model_id: str
    run_id: str
    point: Metric
    dataset_name: str = ""
    dataset_digest: str = ""


@frozen
class LoggedModel:
    """A model that a run made.

    model_id: `m-` and 32 lower-case hex digits by custom.
    creation_timestamp, last_updated_timestamp: ms since the epoch, UTC.
    metrics: the latest point of each key, run and dataset.
    """

    model_id: str
    experiment_id: str
    name: str
    artifact_uri: str
    creation_timestamp: int
    last_updated_timestamp: int
    status: LoggedModelStatus = LoggedModelStatus.PENDING
    status_message: str = ""
    creator_id: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    metrics: tuple[ModelMetric, ...] = ()
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE


@frozen
class NewLoggedModel:
    """A logged model to be created; its artifacts go below `<experiment's location>/models/<model_id>/artifacts`.

    model_id: chosen by the caller, so that a retried creation makes one model only.
    """

    model_id: str
    experiment_id: str
    name: str
    creator_id: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class LoggedModelChange:
    """What to change of a logged model; None and empty mean: leave as it is."""

    status: LoggedModelStatus | None = None
    lifecycle_stage: LifecycleStage | None = None
    add_params: Mapping[str, str] = field(factory=dict)
    set_tags: Mapping[str, str] = field(factory=dict)
    delete_tags: tuple[str, ...] = ()


@frozen
class ModelOutput:
    """A logged model as an output of a run, made at a step."""

    model_id: str
    step: int = 0
