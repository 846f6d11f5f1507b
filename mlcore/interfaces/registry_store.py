"""The contract of a registry store: where registered models and their versions are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from mlcore.entities import ModelVersion, Page, RegisteredModel


@runtime_checkable
class RegistryStore(Protocol):
    """Keep registered models, their versions, and who points to them.

    To write one, make two files: `plugin.py` with the hook `registry_store`, and `registry.py` with a class that
    has these methods. Each is one atomic step. `NotFoundError` for an unknown model, version or alias.
    """

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        ...

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        ...

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        ...

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        ...

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        ...

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        run_link: str | None,
        description: str,
        tags: Mapping[str, str],
    ) -> ModelVersion:
        """Add the next version; of many racing callers each gets a number of its own."""
        ...

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        ...

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is.

        archive_existing: move the versions that were in that stage to Archived, in the same step.
        """
        ...

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        ...

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        ...

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        ...

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        ...

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


@runtime_checkable
class SupportsModelAdoption(Protocol):
    """A registry store that takes over models and versions of another store as they are."""

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere.

        Versions and aliases are not looked at: they come by `adopt_version`. A second call returns the model as it is.
        """
        ...

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere.

        A second call returns the version as it is; an alias that points to another version already stays there.
        Raises NotFoundError: the model is not there.
        """
        ...
