"""Registered models and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import field, frozen


class ModelVersionStatus(StrEnum):
    """Whether a version can be used yet."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"


@frozen
class ModelVersion:
    """One version of a registered model.

    version: a positive decimal number as text, counted per model.
    source: artifact URI of the model's directory.
    creation_timestamp, last_updated_timestamp: ms since the epoch, UTC.
    """

    name: str
    version: str
    source: str
    creation_timestamp: int
    last_updated_timestamp: int
    run_id: str | None = None
    run_link: str | None = None
    current_stage: str = "None"
    status: ModelVersionStatus = ModelVersionStatus.READY
    status_message: str = ""
    description: str = ""
    user_id: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    aliases: tuple[str, ...] = ()


@frozen
class RegisteredModel:
    """A named line of model versions.

    latest_versions: the newest version of each stage.
    aliases: alias name to version number.
    creation_timestamp, last_updated_timestamp: ms since the epoch, UTC.
    """

    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: tuple[ModelVersion, ...] = ()
    tags: Mapping[str, str] = field(factory=dict)
    aliases: Mapping[str, str] = field(factory=dict)
