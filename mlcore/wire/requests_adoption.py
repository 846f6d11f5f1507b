"""The requests that take over what another store has, with its ids, numbers and times."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LifecycleStage, ModelVersionStatus
from mlcore.wire.messages import optional, required
from mlcore.wire.requests_tracking import Tag


@frozen
class AdoptExperiment:
    """`POST experiments/adopt`; an empty location lets the server choose."""

    experiment_id: str = required()
    name: str = required()
    artifact_location: str = optional("")
    lifecycle_stage: LifecycleStage = optional(LifecycleStage.ACTIVE)
    creation_time: int | None = optional()
    last_update_time: int | None = optional()
    tags: tuple[Tag, ...] = optional(())


@frozen
class AdoptModel:
    """`POST registered-models/adopt`."""

    name: str = required()
    creation_timestamp: int = optional(0)
    last_updated_timestamp: int = optional(0)
    description: str = optional("")
    tags: tuple[Tag, ...] = optional(())


@frozen
class AdoptVersion:
    """`POST model-versions/adopt`."""

    name: str = required()
    version: str = required()
    source: str = required()
    creation_timestamp: int = optional(0)
    last_updated_timestamp: int = optional(0)
    run_id: str = optional("")
    run_link: str = optional("")
    current_stage: str = optional("None")
    status: ModelVersionStatus = optional(ModelVersionStatus.READY)
    status_message: str = optional("")
    description: str = optional("")
    user_id: str = optional("")
    tags: tuple[Tag, ...] = optional(())
    aliases: tuple[str, ...] = optional(())
    model_id: str = optional("")
