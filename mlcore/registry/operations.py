"""Registered models and their versions, under MLflow's method names: the registry half of the client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import ModelVersion, PagedList, RegisteredModel
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError
from mlcore.interfaces import RegistryStore
from mlcore.registry.finding import newest_of_stages, version_named, with_alias
from mlcore.registry.moving import Mover
from mlcore.registry.names import check_alias, check_model_name, check_registry_tags, check_version
from mlcore.wire import limits
from mlcore.wire.stages import STAGES, canonical_stage

_MODELS_AT_A_TIME = 100
_VERSIONS_AT_A_TIME = 10_000


class RegistryOperations:
    """Work with one registry. Safe to use from any thread.

    Raises everywhere: NotFoundError for an unknown model or version, InvalidParameterError for values that are not
    acceptable, StoreUnavailableError when the registry does not answer.
    """

    @property
    def _registry(self) -> RegistryStore:
        raise NotImplementedError

    @property
    def _mover(self) -> Mover:
        raise NotImplementedError

    # Registered models

    def create_registered_model(
        self, name: str, tags: Mapping[str, object] | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        checked = check_registry_tags(tags or {})
        return self._mover.create_model(check_model_name(name), description=description or "", tags=checked)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model with the newest version of each stage and its aliases."""
        return self._registry.get_model(name)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; versions and aliases come along."""
        return self._mover.rename_model(name, check_model_name(new_name))

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModel:
        """Describe a registered model, in markdown."""
        return self._registry.update_model(name, new_name=None, description=description or "")

    def delete_registered_model(self, name: str, force: bool = False) -> None:
        """Remove a registered model with all its versions.

        Raises InvalidStateError: a version is in Production; *force* deletes it all the same.
        """
        if not force:
            for version in self._registry.get_model(name).latest_versions:
                _refuse_production(version)
        self._mover.delete_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = _MODELS_AT_A_TIME,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return a page of registered models that fit, by name unless ordered otherwise; see docs/search.md."""
        page = self._registry.search_models(
            filter_string or "",
            order_by=tuple(order_by or ()),
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token) or None,
        )
        return PagedList(page.items, page.next_token)

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each stage, all stages when none is named, by number."""
        wanted = {canonical_stage(stage) for stage in stages or STAGES}
        return newest_of_stages(self._registry.get_model(name), wanted)

    def set_registered_model_tag(self, name: str, key: str, value: object) -> None:
        """Set a tag of a registered model over any earlier value."""
        self._registry.set_tag(name, None, key, check_registry_tags({key: value})[key])

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a registered model; one that is not there is fine."""
        if limits.check_key(key) in self._registry.get_model(name).tags:
            self._registry.set_tag(name, None, key, None)

    # Versions

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """Return one version. Raises NotFoundError: it is not there; names those that are."""
        return version_named(self._registry, name, check_version(version))

    def update_model_version(self, name: str, version: str | int, description: str | None = None) -> ModelVersion:
        """Describe a version, in markdown."""
        number = check_version(version)
        return self._registry.update_version(
            name, number, description=description or "", stage=None, archive_existing=False
        )

    def transition_model_version_stage(
        self,
        name: str,
        version: str | int,
        stage: str,
        archive_existing_versions: bool = False,
        *,
        comment: str = "",
        expected: str | None = None,
    ) -> ModelVersion:
        """Move a version to a stage: None, Staging, Production or Archived, in any letter case.

        archive_existing_versions: move those that were in Staging or Production until now to Archived, in the same step.
        comment: why, for the history. expected: the stage that it is believed to be in; None for any.
        Raises PermissionDeniedError: a plugin refuses, and says why. ConflictError: it is not in the stage *expected*.
        """
        return self._mover.move_stage(
            name,
            check_version(version),
            canonical_stage(stage, archive_existing=archive_existing_versions),
            archive_existing=archive_existing_versions,
            comment=comment,
            expected=None if expected is None else canonical_stage(expected),
        )

    def delete_model_version(self, name: str, version: str | int, force: bool = False) -> None:
        """Remove a version and the aliases that point to it; its files stay.

        Raises InvalidStateError: it is in Production; *force* deletes it all the same.
        """
        number = check_version(version)
        if not force:
            _refuse_production(version_named(self._registry, name, number))
        self._mover.delete_version(name, number, force=force)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = _VERSIONS_AT_A_TIME,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Return a page of versions that fit, the last changed first unless ordered otherwise; see docs/search.md."""
        page = self._registry.search_versions(
            filter_string or "",
            order_by=tuple(order_by or ()),
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token) or None,
        )
        return PagedList(page.items, page.next_token)

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Return where the files of a version are."""
        return self.get_model_version(name, version).source

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:  # noqa: ARG002  # MLflow's signature
        """Return the stages that a version can be in."""
        return list(STAGES)

    def set_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        value: object = None,
        stage: str | None = None,
    ) -> None:
        """Set a tag of a version, named by its number or as the newest one of a stage."""
        checked = check_registry_tags({limits.check_key(key or ""): "" if value is None else value})
        number = self._number(name, version, stage)
        for tag, text in checked.items():
            self._registry.set_tag(name, number, tag, text)

    def delete_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Remove a tag of a version; one that is not there is fine."""
        found = version_named(self._registry, name, self._number(name, version, stage))
        if limits.check_key(key or "") in found.tags:
            self._registry.set_tag(name, found.version, str(key), None)

    # Aliases

    def set_registered_model_alias(
        self, name: str, alias: str, version: str | int, *, comment: str = "", expected: str | int | None = None
    ) -> None:
        """Point an alias to a version; it leaves the one that it pointed to before.

        comment: why, for the history. expected: the version that it is believed to point to, `""` for none; None for any.
        Raises PermissionDeniedError: a plugin refuses, and says why. ConflictError: it does not point to *expected*.
        """
        believed = check_version(expected) if expected not in (None, "") else expected
        self._mover.move_alias(
            name,
            check_alias(alias),
            check_version(version),
            comment=comment,
            expected=None if believed is None else str(believed),
        )

    def delete_registered_model_alias(self, name: str, alias: str, *, comment: str = "") -> None:
        """Remove an alias; one that is not there is fine. Raises PermissionDeniedError: a plugin refuses."""
        if alias in self._registry.get_model(name).aliases:
            self._mover.move_alias(name, alias, None, comment=comment)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points to; `latest` is the newest. NotFoundError names the aliases there are."""
        return with_alias(self._registry, name, alias)

    def _number(self, name: str, version: str | int | None, stage: str | None) -> str:
        if (version is None) == (stage is None):
            raise InvalidParameterError(
                f"a version is named by its number or by its stage, got version={version!r} and stage={stage!r}"
            )
        if version is not None:
            return check_version(version)
        newest = newest_of_stages(self._registry.get_model(name), {canonical_stage(str(stage))})
        if not newest:
            raise NotFoundError(f"registered model {name!r} has no version in stage {canonical_stage(str(stage))!r}")
        return newest[0].version


def _refuse_production(version: ModelVersion) -> None:
    if version.current_stage == "Production":
        raise InvalidStateError(
            f"version {version.version} of registered model {version.name!r} is in Production and is not deleted: "
            "move it to another stage first, or pass force=True"
        )
