"""The shapes of answers about logged models, registered models and model versions."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LoggedModelStatus, ModelVersionStatus
from mlcore.wire.answers import KeyValue, MetricShape


@frozen
class LoggedModelInfoShape:
    """Who, when and where of a logged model."""

    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: LoggedModelStatus
    creator_id: str = ""
    model_type: str = ""
    source_run_id: str = ""
    status_message: str = ""
    tags: tuple[KeyValue, ...] = ()


@frozen
class LoggedModelDataShape:
    """What is known of a logged model."""

    params: tuple[KeyValue, ...] = ()
    metrics: tuple[MetricShape, ...] = ()


@frozen
class LoggedModelShape:
    """A logged model."""

    info: LoggedModelInfoShape
    data: LoggedModelDataShape


@frozen
class LoggedModelAnswer:
    """One logged model."""

    model: LoggedModelShape


@frozen
class LoggedModelPage:
    """A page of logged models."""

    models: tuple[LoggedModelShape, ...] = ()
    next_page_token: str = ""


@frozen
class VersionShape:
    """A model version."""

    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    description: str
    source: str
    run_id: str
    status: ModelVersionStatus
    run_link: str
    user_id: str = ""
    status_message: str = ""
    tags: tuple[KeyValue, ...] = ()
    aliases: tuple[str, ...] = ()


@frozen
class AliasShape:
    """An alias and the version that it points to."""

    alias: str
    version: str


@frozen
class ModelShape:
    """A registered model."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: tuple[VersionShape, ...] = ()
    tags: tuple[KeyValue, ...] = ()
    aliases: tuple[AliasShape, ...] = ()


@frozen
class ModelAnswer:
    """One registered model."""

    registered_model: ModelShape


@frozen
class ModelPage:
    """A page of registered models."""

    registered_models: tuple[ModelShape, ...] = ()
    next_page_token: str = ""


@frozen
class VersionAnswer:
    """One model version."""

    model_version: VersionShape


@frozen
class VersionPage:
    """A page of model versions."""

    model_versions: tuple[VersionShape, ...] = ()
    next_page_token: str = ""
