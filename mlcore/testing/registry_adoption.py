"""The part of the contract suite of registry stores that is about models and versions of other stores.

Its tests are skipped for a registry that is no `SupportsModelAdoption`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import pytest
from attrs import evolve

from mlcore.entities import ModelVersion, ModelVersionStatus, RegisteredModel
from mlcore.errors import NotFoundError
from mlcore.interfaces import RegistryStore, SupportsModelAdoption
from mlcore.testing.plugin_module import PluginModuleContract

_MODEL = RegisteredModel("gäme", 1_400_000_000_123, 1_500_000_000_456, "a line", tags={"team": "ß"})


def _version(number: int) -> ModelVersion:
    return ModelVersion("gäme", str(number), f"s3://bucket/{number}", 1000 + number, 2000 + number)


def _adopting(registry: RegistryStore) -> SupportsModelAdoption:
    if not isinstance(registry, SupportsModelAdoption):
        pytest.skip("the registry takes over no models")
    return registry


class ModelAdoptionContract(PluginModuleContract):
    """What is expected of `adopt_model` and `adopt_version`."""

    def test_an_adopted_model_is_what_it_was(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        other = _version(1)

        made = adopting.adopt_model(evolve(_MODEL, latest_versions=(other,), aliases={"champion": "1"}))

        assert made == _MODEL == registry.get_model("gäme")

    def test_an_adopted_version_is_what_it_was(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_model(_MODEL)
        old = evolve(
            _version(3),
            run_id="0123456789abcdef0123456789abcdef",
            run_link="https://example.org/run",
            current_stage="Production",
            status=ModelVersionStatus.FAILED_REGISTRATION,
            status_message="why",
            description="ß",
            user_id="ada",
            tags={"a": "1", "b": ""},
            aliases=("blue", "champion"),
        )

        made = adopting.adopt_version(old)

        assert made == old == registry.get_version("gäme", "3")
        assert registry.get_version_by_alias("gäme", "champion") == old
        model = registry.get_model("gäme")
        assert (model.creation_timestamp, model.last_updated_timestamp) == (1_400_000_000_123, 1_500_000_000_456)
        assert (model.aliases, [each.version for each in model.latest_versions]) == (
            {"blue": "3", "champion": "3"},
            ["3"],
        )

    def test_numbers_keep_their_gaps_and_new_ones_come_after_the_greatest(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_model(_MODEL)
        for number in (7, 2, 5):
            adopting.adopt_version(_version(number))

        own = registry.create_version("gäme", "s3://own", run_id=None, run_link=None, description="", tags={})

        assert own.version == "8"
        found = registry.search_versions("name = 'gäme'", order_by=(), max_results=10, page_token=None).items
        assert sorted(each.version for each in found) == ["2", "5", "7", "8"]
        assert [each.version for each in registry.get_model("gäme").latest_versions] == ["8"]
        with pytest.raises(NotFoundError):
            registry.get_version("gäme", "1")

    def test_the_latest_version_of_a_stage_has_the_greatest_number_whatever_came_last(
        self, registry: RegistryStore
    ) -> None:
        adopting = _adopting(registry)
        adopting.adopt_model(_MODEL)
        for number in (10, 9):
            adopting.adopt_version(evolve(_version(number), current_stage="Staging"))

        assert [each.version for each in registry.get_model("gäme").latest_versions] == ["10"]

    def test_adopting_again_changes_nothing(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_model(_MODEL)
        adopting.adopt_version(evolve(_version(1), aliases=("champion",)))
        before = (registry.get_model("gäme"), registry.get_version("gäme", "1"))

        model = adopting.adopt_model(evolve(_MODEL, description="other", creation_timestamp=9, tags={"x": "1"}))
        version = adopting.adopt_version(evolve(_version(1), source="s3://other", tags={"x": "1"}, aliases=("other",)))

        assert (model, version) == before == (registry.get_model("gäme"), registry.get_version("gäme", "1"))

    def test_an_alias_that_is_taken_stays_where_it_is(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_model(_MODEL)
        adopting.adopt_version(evolve(_version(1), aliases=("champion",)))

        made = adopting.adopt_version(evolve(_version(2), aliases=("champion", "challenger")))

        assert made.aliases == ("challenger",)
        assert registry.get_model("gäme").aliases == {"champion": "1", "challenger": "2"}

    def test_a_version_of_an_unknown_model_is_not_found(self, registry: RegistryStore) -> None:
        with pytest.raises(NotFoundError):
            _adopting(registry).adopt_version(_version(1))
