"""The requests about logged models, as MLflow's clients from 3.0 on send them."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LoggedModelStatus
from mlcore.wire.messages import optional, required
from mlcore.wire.requests_tracking import Tag


@frozen
class CreateLoggedModel:
    """`POST logged-models`; a name is made when none is given.

    model_id: of mlcore: chosen by the caller, so that a repeated request makes one model.
    """

    experiment_id: str = required()
    name: str = optional("")
    model_type: str = optional("")
    source_run_id: str = optional("")
    params: tuple[Tag, ...] = optional(())
    tags: tuple[Tag, ...] = optional(())
    model_id: str = optional("")


@frozen
class LoggedModelId:
    """A request that only names a logged model."""

    model_id: str = required()
    allow_deleted: bool = optional(False)


@frozen
class FinalizeLoggedModel:
    """`PATCH logged-models/{model_id}`."""

    model_id: str = required()
    status: LoggedModelStatus = required()


@frozen
class LogModelParams:
    """`POST logged-models/{model_id}/params`."""

    model_id: str = required()
    params: tuple[Tag, ...] = optional(())


@frozen
class SetModelTags:
    """`PATCH logged-models/{model_id}/tags`."""

    model_id: str = required()
    tags: tuple[Tag, ...] = optional(())


@frozen
class DeleteModelTag:
    """`DELETE logged-models/{model_id}/tags/{tag_key}`."""

    model_id: str = required()
    tag_key: str = required()


@frozen
class ModelDataset:
    """A dataset that a search is restricted to."""

    dataset_name: str = required()
    dataset_digest: str = optional("")


@frozen
class ModelOrder:
    """One criterion of an order of logged models."""

    field_name: str = required()
    ascending: bool = optional(True)
    dataset_name: str = optional("")
    dataset_digest: str = optional("")


@frozen
class SearchLoggedModels:
    """`POST logged-models/search`."""

    experiment_ids: tuple[str, ...] = required()
    filter: str = optional("")
    datasets: tuple[ModelDataset, ...] = optional(())
    max_results: int = optional(50)
    order_by: tuple[ModelOrder, ...] = optional(())
    page_token: str = optional("")


@frozen
class ListModelArtifacts:
    """`GET logged-models/{model_id}/artifacts/directories`."""

    model_id: str = required()
    artifact_directory_path: str = optional("")


@frozen
class GetModelArtifact:
    """`GET logged-models/{model_id}/artifacts/files`."""

    model_id: str = required()
    artifact_file_path: str = required()
