"""The requests about registered models and their versions."""

from __future__ import annotations

from attrs import frozen

from mlcore.wire.messages import optional, required
from mlcore.wire.requests_tracking import Tag


@frozen
class CreateModel:
    """`POST registered-models/create`."""

    name: str = required()
    tags: tuple[Tag, ...] = optional(())
    description: str = optional("")


@frozen
class ModelName:
    """A request that only names a registered model."""

    name: str = required()


@frozen
class UpdateModel:
    """`PATCH registered-models/update`; an absent description clears it."""

    name: str = required()
    description: str = optional("")


@frozen
class RenameModel:
    """`POST registered-models/rename`."""

    name: str = required()
    new_name: str = required()


@frozen
class SearchModels:
    """`GET registered-models/search` and, without filter, `list` of MLflow 1.x."""

    filter: str = optional("")
    max_results: int = optional(100)
    order_by: tuple[str, ...] = optional(())
    page_token: str = optional("")


@frozen
class LatestVersions:
    """`POST` and `GET registered-models/get-latest-versions`; no stage stands for all."""

    name: str = required()
    stages: tuple[str, ...] = optional(())


@frozen
class SetModelTag:
    """`POST registered-models/set-tag`."""

    name: str = required()
    key: str = required()
    value: str = optional("")


@frozen
class DeleteModelTag:
    """`DELETE registered-models/delete-tag`."""

    name: str = required()
    key: str = required()


@frozen
class SetAlias:
    """`POST registered-models/alias`."""

    name: str = required()
    alias: str = required()
    version: str = required()


@frozen
class Alias:
    """`GET` and `DELETE registered-models/alias`."""

    name: str = required()
    alias: str = required()


@frozen
class CreateVersion:
    """`POST model-versions/create`."""

    name: str = required()
    source: str = required()
    run_id: str = optional("")
    run_link: str = optional("")
    description: str = optional("")
    tags: tuple[Tag, ...] = optional(())
    model_id: str = optional("")


@frozen
class Version:
    """A request that only names a model version."""

    name: str = required()
    version: str = required()


@frozen
class UpdateVersion:
    """`PATCH model-versions/update`; an absent description clears it."""

    name: str = required()
    version: str = required()
    description: str = optional("")


@frozen
class TransitionStage:
    """`POST model-versions/transition-stage`."""

    name: str = required()
    version: str = required()
    stage: str = required()
    archive_existing_versions: bool = optional(False)


@frozen
class SearchVersions:
    """`GET model-versions/search`."""

    filter: str = optional("")
    max_results: int = optional(200_000)
    order_by: tuple[str, ...] = optional(())
    page_token: str = optional("")


@frozen
class SetVersionTag:
    """`POST model-versions/set-tag`."""

    name: str = required()
    version: str = required()
    key: str = required()
    value: str = optional("")


@frozen
class DeleteVersionTag:
    """`DELETE model-versions/delete-tag`."""

    name: str = required()
    version: str = required()
    key: str = required()
