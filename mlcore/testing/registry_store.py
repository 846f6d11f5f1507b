"""The contract suite of registry stores.

To use it, inherit in a test module and give a fixture `registry`, a new and empty store for each test:

    class TestMyRegistry(RegistryStoreContract):
        plugin_module = "mlcore_my_store.plugin"

        @pytest.fixture
        def registry_uri(self, tmp_path: Path) -> str: ...  # only where other processes can open it

        @pytest.fixture
        def registry(self, registry_uri: str) -> RegistryStore: ...
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

from collections.abc import Callable

import pytest

from mlcore.entities import ModelVersionStatus
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import RegistryStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.registry_adoption import ModelAdoptionContract
from mlcore.testing.registry_expected import MovesContract
from mlcore.testing.registry_models import (
    SOURCE,
    ModelSearchContract,
    RegisteredModelContract,
    new_model,
    new_version,
)
from mlcore.testing.registry_oracle import RegistryOracleContract
from mlcore.testing.registry_processes import RegistryProcessContract
from mlcore.testing.registry_requests import RequestsContract
from mlcore.testing.registry_search import ChangeContract, RegistryRaceContract, VersionSearchContract
from mlcore.testing.threads import race


def move(registry: RegistryStore, version: str, stage: str, *, archive: bool = False) -> None:
    """Move a version of `iris` to a stage."""
    registry.update_version("iris", version, description=None, stage=stage, archive_existing=archive)


def stages(registry: RegistryStore) -> dict[str, str]:
    """Return version to stage of `iris`."""
    page = registry.search_versions("name = 'iris'", order_by=(), max_results=100, page_token=None)
    return {found.version: found.current_stage for found in page.items}


class ModelVersionContract(PluginModuleContract):
    """What is expected of versions."""

    def test_a_version_is_read_back(self, registry: RegistryStore) -> None:
        new_model(registry)

        made = registry.create_version(
            "iris", SOURCE, run_id="a" * 32, run_link="https://x/y", description="ß\n", tags={"k": "v", "empty": ""}
        )

        assert registry.get_version("iris", "1") == made
        assert (made.name, made.version, made.source) == ("iris", "1", SOURCE)
        assert (made.run_id, made.run_link, made.description) == ("a" * 32, "https://x/y", "ß\n")
        assert (made.current_stage, made.status, made.aliases) == ("None", ModelVersionStatus.READY, ())
        assert made.tags == {"k": "v", "empty": ""}

    def test_versions_are_counted_per_model(self, registry: RegistryStore) -> None:
        new_model(registry, "iris")
        new_model(registry, "wine")

        made = [new_version(registry, name).version for name in ("iris", "iris", "wine", "iris")]

        assert made == ["1", "2", "1", "3"]

    def test_the_number_of_a_deleted_version_is_not_used_again(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        new_version(registry)

        registry.delete_version("iris", "2")

        assert new_version(registry).version == "3"

    def test_of_many_racing_creators_each_gets_a_number_of_its_own(self, registry: RegistryStore) -> None:
        new_model(registry)

        found = race(16, lambda n: [new_version(registry, source=f"{SOURCE}{n}") for _ in range(4)])

        made = [version for each in found if isinstance(each, list) for version in each]
        assert sorted(int(each.version) for each in made) == list(range(1, 65))
        assert all(registry.get_version("iris", each.version).source == each.source for each in made)

    @pytest.mark.parametrize("version", ["2", "0", "-1", "abc", "1.0", "", "9" * 40])
    def test_an_unknown_version_is_not_found(self, registry: RegistryStore, version: str) -> None:
        new_model(registry)
        new_version(registry)

        with pytest.raises(NotFoundError, match=f"'{version[:20]}"):
            registry.get_version("iris", version)

    def test_an_unknown_version_is_not_found_by_any_method(self, registry: RegistryStore) -> None:
        new_model(registry)
        calls: list[Callable[[], object]] = [
            lambda: registry.update_version("iris", "7", description="x", stage=None, archive_existing=False),
            lambda: registry.delete_version("iris", "7"),
            lambda: registry.set_alias("iris", "best", "7"),
            lambda: registry.set_tag("iris", "7", "k", "v"),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match="'7'"):
                call()

    def test_describing_a_version_leaves_the_rest(self, registry: RegistryStore) -> None:
        new_model(registry)
        made = new_version(registry, k="v")

        changed = registry.update_version("iris", "1", description="good", stage=None, archive_existing=False)

        assert (changed.description, changed.current_stage, changed.tags) == ("good", "None", {"k": "v"})
        assert changed.creation_timestamp == made.creation_timestamp

    def test_a_change_of_a_version_is_a_change_of_its_model(self, registry: RegistryStore) -> None:
        new_model(registry)
        made = new_version(registry)

        changed = registry.update_version("iris", "1", description="x", stage=None, archive_existing=False)

        assert changed.last_updated_timestamp >= made.last_updated_timestamp
        assert registry.get_model("iris").last_updated_timestamp >= changed.last_updated_timestamp

    def test_tags_of_a_version_are_set_overwritten_and_removed(self, registry: RegistryStore) -> None:
        new_model(registry, "iris", model="kept")
        new_version(registry, a="1", b="2")

        registry.set_tag("iris", "1", "a", "3")
        registry.set_tag("iris", "1", "b", None)

        assert registry.get_version("iris", "1").tags == {"a": "3"}
        assert registry.get_model("iris").tags == {"model": "kept"}

    def test_versions_are_found_by_model_and_run(self, registry: RegistryStore) -> None:
        for name in ("iris", "wine"):
            new_model(registry, name)
            registry.create_version(name, SOURCE, run_id=f"run-{name}", run_link=None, description="", tags={})

        for text in ("name = 'wine'", "run_id = 'run-wine'", "name = 'wine' AND run_id = 'run-wine'"):
            page = registry.search_versions(text, order_by=(), max_results=10, page_token=None)
            assert [(found.name, found.version) for found in page.items] == [("wine", "1")]

    def test_pages_of_versions_hold_each_version_once(self, registry: RegistryStore) -> None:
        new_model(registry)
        for _ in range(5):
            new_version(registry)

        found: list[str] = []
        token: str | None = None
        while True:
            page = registry.search_versions("", order_by=("version_number ASC",), max_results=2, page_token=token)
            found += [each.version for each in page.items]
            token = page.next_token
            if token is None:
                break

        assert found == ["1", "2", "3", "4", "5"]


class StageContract(PluginModuleContract):
    """What is expected of stages."""

    def test_a_version_moves_to_a_stage(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        move(registry, "1", "Staging")

        assert registry.get_version("iris", "1").current_stage == "Staging"

    def test_moving_leaves_the_others_in_the_stage(self, registry: RegistryStore) -> None:
        new_model(registry)
        for version in ("1", "2"):
            new_version(registry)
            move(registry, version, "Production")

        assert stages(registry) == {"1": "Production", "2": "Production"}

    def test_moving_archives_the_others_of_that_stage_when_asked(self, registry: RegistryStore) -> None:
        new_model(registry)
        for version, stage in (("1", "Production"), ("2", "Staging"), ("3", "None")):
            new_version(registry)
            move(registry, version, stage)

        move(registry, "3", "Production", archive=True)

        assert stages(registry) == {"1": "Archived", "2": "Staging", "3": "Production"}

    def test_moving_to_the_stage_it_is_in_does_not_archive_itself(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        move(registry, "1", "Production")

        move(registry, "1", "Production", archive=True)

        assert stages(registry) == {"1": "Production"}

    def test_a_stage_is_taken_in_any_letter_case(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        move(registry, "1", "pRODUCTION")

        assert stages(registry) == {"1": "Production"}

    @pytest.mark.parametrize("stage", ["None", "Archived"])
    def test_only_versions_of_an_active_stage_can_be_archived(self, registry: RegistryStore, stage: str) -> None:
        new_model(registry)
        new_version(registry)
        new_version(registry)

        with pytest.raises(InvalidParameterError, match=f"cannot archive .* '{stage}' is not an active stage"):
            move(registry, "1", stage, archive=True)

        assert stages(registry) == {"1": "None", "2": "None"}

    def test_an_unknown_stage_is_named_and_changes_nothing(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        with pytest.raises(InvalidParameterError, match="'Heaven'"):
            registry.update_version("iris", "1", description="x", stage="Heaven", archive_existing=False)

        assert registry.get_version("iris", "1").description == ""

    def test_the_latest_versions_are_the_newest_of_each_stage(self, registry: RegistryStore) -> None:
        new_model(registry)
        for _ in range(11):
            new_version(registry)
        move(registry, "3", "Production")
        move(registry, "2", "Production")

        latest = registry.get_model("iris").latest_versions

        assert {found.current_stage: found.version for found in latest} == {"None": "11", "Production": "3"}


class AliasContract(PluginModuleContract):
    """What is expected of aliases."""

    def test_an_alias_points_to_a_version_and_can_be_moved(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        new_version(registry)
        registry.set_alias("iris", "best", "1")

        registry.set_alias("iris", "best", "2")

        assert registry.get_version_by_alias("iris", "best").version == "2"
        assert registry.get_model("iris").aliases == {"best": "2"}
        assert registry.get_version("iris", "1").aliases == ()
        assert registry.get_version("iris", "2").aliases == ("best",)

    def test_a_removed_alias_is_named_when_it_is_asked_for(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        registry.set_alias("iris", "best", "1")

        registry.set_alias("iris", "best", None)

        assert registry.get_model("iris").aliases == {}
        with pytest.raises(NotFoundError, match="'best'"):
            registry.get_version_by_alias("iris", "best")

    def test_a_deleted_version_takes_its_aliases_along(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        new_version(registry)
        registry.set_alias("iris", "gone", "1")
        registry.set_alias("iris", "kept", "2")

        registry.delete_version("iris", "1")

        assert registry.get_model("iris").aliases == {"kept": "2"}
        with pytest.raises(NotFoundError, match="'gone'"):
            registry.get_version_by_alias("iris", "gone")


class RegistryStoreContract(
    RegisteredModelContract,
    ModelSearchContract,
    ModelVersionContract,
    StageContract,
    AliasContract,
    VersionSearchContract,
    ChangeContract,
    ModelAdoptionContract,
    MovesContract,
    RequestsContract,
    RegistryRaceContract,
    RegistryProcessContract,
    RegistryOracleContract,
):
    """Everything that the kernel relies on in a registry store."""

    def test_the_registry_has_the_methods_of_the_contract(self, registry: RegistryStore) -> None:
        assert isinstance(registry, RegistryStore)
