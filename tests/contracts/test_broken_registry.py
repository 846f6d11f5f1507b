"""Broken registry stores, each caught by the test that is about its fault."""

from __future__ import annotations

import time
from typing import Any

from attrs import evolve

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import InvalidParameterError
from mlcore.testing import MemoryRegistryStore, RegistryStoreContract
from mlcore.testing.proof import caught_by


class NumbersAreUsedAgain(MemoryRegistryStore):
    def delete_version(self, name: str, version: str) -> None:
        super().delete_version(name, version)
        self.lines[name].count -= 1


class CountsOverAllModels(MemoryRegistryStore):
    def create_version(self, name: str, source: str, **kwargs: Any) -> ModelVersion:
        self._line(name).count = sum(len(line.versions) for line in self.lines.values())
        return super().create_version(name, source, **kwargs)


class RacingNumbers(MemoryRegistryStore):
    def create_version(self, name: str, source: str, **kwargs: Any) -> ModelVersion:
        count = self._line(name).count
        time.sleep(0.01)
        self._line(name).count = count
        return super().create_version(name, source, **kwargs)


class LatestByText(MemoryRegistryStore):
    def get_model(self, name: str) -> RegisteredModel:
        found = super().get_model(name)
        latest = {v.current_stage: v for v in sorted(self._line(name).versions.values(), key=lambda v: v.version)}
        return evolve(found, latest_versions=tuple(latest.values()))


class ArchivesEverything(MemoryRegistryStore):
    def update_version(self, name: str, version: str, **kwargs: Any) -> ModelVersion:
        if kwargs["archive_existing"]:
            line = self._line(name)
            line.versions = {n: evolve(v, current_stage="Archived") for n, v in line.versions.items()}
        return super().update_version(name, version, **kwargs)


class AlwaysArchives(MemoryRegistryStore):
    def update_version(self, name: str, version: str, **kwargs: Any) -> ModelVersion:
        return super().update_version(name, version, **{**kwargs, "archive_existing": True})


class HalfAVersionUpdate(MemoryRegistryStore):
    def update_version(self, name: str, version: str, **kwargs: Any) -> ModelVersion:
        super().update_version(name, version, **{**kwargs, "stage": None})
        return super().update_version(name, version, **{**kwargs, "description": None})


class DanglingAlias(MemoryRegistryStore):
    def delete_version(self, name: str, version: str) -> None:
        aliases = dict(self._line(name).aliases)
        super().delete_version(name, version)
        self._line(name).aliases = aliases


class RenameLosesAliases(MemoryRegistryStore):
    def update_model(self, name: str, **kwargs: Any) -> RegisteredModel:
        self._line(name).aliases.clear()
        return super().update_model(name, **kwargs)


class RenameOverwrites(MemoryRegistryStore):
    def update_model(self, name: str, **kwargs: Any) -> RegisteredModel:
        self.lines.pop(kwargs["new_name"], None)
        return super().update_model(name, **kwargs)


class VersionTagsOnTheModel(MemoryRegistryStore):
    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        super().set_tag(name, None, key, value)


class IgnoresCase(MemoryRegistryStore):
    def create_model(self, name: str, **kwargs: Any) -> RegisteredModel:
        return super().create_model(name.lower(), **kwargs)


class ModelTimezoneSlip(MemoryRegistryStore):
    def create_model(self, name: str, **kwargs: Any) -> RegisteredModel:
        made = super().create_model(name, **kwargs)
        return evolve(made, creation_timestamp=made.creation_timestamp - 7_200_000)


class TokenOnAFullLastPage(MemoryRegistryStore):
    def search_models(self, filter_string: str, **kwargs: Any) -> Page[RegisteredModel]:
        found = super().search_models(filter_string, **kwargs)
        full = len(found.items) == kwargs["max_results"]
        return evolve(found, next_token=found.next_token or ("eyJvZmZzZXQiOiA5OX0=" if full else None))


class SwallowedFilterError(MemoryRegistryStore):
    def search_models(self, filter_string: str, **kwargs: Any) -> Page[RegisteredModel]:
        try:
            return super().search_models(filter_string, **kwargs)
        except InvalidParameterError:
            return Page(())


class FiltersVersionsNot(MemoryRegistryStore):
    def search_versions(self, filter_string: str, **kwargs: Any) -> Page[ModelVersion]:
        del filter_string
        return super().search_versions("", **kwargs)


class IgnoresOrders(MemoryRegistryStore):
    def search_versions(self, filter_string: str, **kwargs: Any) -> Page[ModelVersion]:
        return super().search_versions(filter_string, **{**kwargs, "order_by": ()})


class ShowsPrompts(MemoryRegistryStore):
    def search_models(self, filter_string: str, **kwargs: Any) -> Page[RegisteredModel]:
        either = "tags.mlflow.prompt.is_prompt = 'x' OR NOT tags.mlflow.prompt.is_prompt = 'x'"
        return super().search_models(f"({filter_string}) AND ({either})" if filter_string else either, **kwargs)


class ArchivesTheArchived(MemoryRegistryStore):
    def update_version(self, name: str, version: str, **kwargs: Any) -> ModelVersion:
        if kwargs["stage"] in ("None", "Archived"):
            kwargs["archive_existing"] = False
        return super().update_version(name, version, **kwargs)


_FAULTS: list[tuple[type[MemoryRegistryStore], str]] = [
    (NumbersAreUsedAgain, "test_the_number_of_a_deleted_version_is_not_used_again"),
    (CountsOverAllModels, "test_versions_are_counted_per_model"),
    (RacingNumbers, "test_of_many_racing_creators_each_gets_a_number_of_its_own"),
    (LatestByText, "test_the_latest_versions_are_the_newest_of_each_stage"),
    (ArchivesEverything, "test_moving_archives_the_others_of_that_stage_when_asked"),
    (AlwaysArchives, "test_moving_leaves_the_others_in_the_stage"),
    (HalfAVersionUpdate, "test_an_unknown_stage_is_named_and_changes_nothing"),
    (DanglingAlias, "test_a_deleted_version_takes_its_aliases_along"),
    (RenameLosesAliases, "test_a_renamed_model_takes_versions_tags_and_aliases_along"),
    (RenameOverwrites, "test_renaming_a_model_to_a_taken_name_is_refused"),
    (VersionTagsOnTheModel, "test_tags_of_a_version_are_set_overwritten_and_removed"),
    (IgnoresCase, "test_names_differ_by_case"),
    (ModelTimezoneSlip, "test_times_are_milliseconds_of_utc"),
    (TokenOnAFullLastPage, "test_a_full_last_page_has_no_token"),
    (SwallowedFilterError, "test_a_filter_that_makes_no_sense_is_refused"),
    (IgnoresOrders, "test_searches_find_the_versions_that_the_reference_finds_in_its_order"),
    (ShowsPrompts, "test_searches_find_the_models_that_the_reference_finds_in_its_order"),
    (ArchivesTheArchived, "test_only_versions_of_an_active_stage_can_be_archived"),
    (FiltersVersionsNot, "test_versions_are_found_by_model_and_run"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}"] = caught_by(RegistryStoreContract, _test, registry=_broken)
