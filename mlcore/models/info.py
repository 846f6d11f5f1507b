"""What a model says of itself, readable without the library that made it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from mlcore.models.mlmodel import FILE, MLModel
from mlcore.models.places import fetched_part
from mlcore.models.schema import ModelSignature


@frozen
class ModelInfo:
    """A saved or logged model.

    model_uri: what `load_model` takes. artifact_path, run_id: where it was logged; None for a model in a directory.
    registered_model_version: its number, when it was registered as it was logged.
    """

    model_uri: str
    flavors: Mapping[str, Mapping[str, object]]
    artifact_path: str | None = None
    run_id: str | None = None
    model_uuid: str | None = None
    model_id: str | None = None
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, object] | None = None
    metadata: Mapping[str, object] | None = None
    utc_time_created: str | None = None
    mlcore_version: str | None = None
    mlflow_version: str | None = None
    model_size_bytes: int | None = None
    registered_model_version: str | None = None

    @property
    def signature_dict(self) -> dict[str, object] | None:
        """The signature as `MLmodel` holds it."""
        return self.signature.to_dict() if self.signature else None

    @classmethod
    def of(cls, model_uri: str, model: MLModel, registered_version: str | None = None) -> ModelInfo:
        """Describe the model whose `MLmodel` is *model*."""
        return cls(
            model_uri=model_uri,
            flavors=model.flavors,
            artifact_path=model.artifact_path,
            run_id=model.run_id,
            model_uuid=model.model_uuid,
            model_id=model.model_id,
            signature=model.signature,
            saved_input_example_info=model.saved_input_example_info,
            metadata=model.metadata,
            utc_time_created=model.utc_time_created,
            mlcore_version=model.mlcore_version,
            mlflow_version=model.mlflow_version,
            model_size_bytes=model.model_size_bytes,
            registered_model_version=registered_version,
        )


def get_model_info(model_uri: str) -> ModelInfo:
    """Read what a model says of itself; fetches its `MLmodel` and nothing else.

    Raises ModelFormatError: it cannot be read. ArtifactNotFoundError: there is no model.
    """
    with fetched_part(model_uri, FILE) as path:
        return ModelInfo.of(model_uri, MLModel.read(path))
