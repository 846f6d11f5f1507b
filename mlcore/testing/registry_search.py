"""The part of the contract suite of registry stores that is about searches for versions, and about racing changes."""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from mlcore.entities import RegisteredModel
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import RegistryStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.registry_models import SOURCE, model_names, new_model, new_version
from mlcore.testing.threads import race

_RACERS = 16
_STEPS = 3


def found_versions(registry: RegistryStore, text: str = "", *order: str) -> list[tuple[str, str]]:
    """Return name and number of the versions that a search gives, in order."""
    page = registry.search_versions(text, order_by=order, max_results=100, page_token=None)
    return [(found.name, found.version) for found in page.items]


def let_the_clock_move() -> None:
    """Wait until what happens next has a later time, in milliseconds."""
    time.sleep(0.003)


def with_run(registry: RegistryStore, name: str, run_id: str | None, source: str, tags: Mapping[str, str]) -> None:
    """Add a version."""
    registry.create_version(name, source, run_id=run_id, run_link=None, description="", tags=tags)


class VersionSearchContract(PluginModuleContract):
    """What is expected of searches for versions."""

    def test_versions_come_with_the_last_changed_first(self, registry: RegistryStore) -> None:
        for name in ("b", "a"):
            new_model(registry, name)
        for name in ("b", "a", "b"):
            new_version(registry, name)
            let_the_clock_move()
        before = found_versions(registry)

        registry.update_version("a", "1", description="changed", stage=None, archive_existing=False)

        assert before == [("b", "2"), ("a", "1"), ("b", "1")]
        assert found_versions(registry) == [("a", "1"), ("b", "2"), ("b", "1")]

    def test_versions_are_ordered_by_number_and_name_when_asked(self, registry: RegistryStore) -> None:
        for name, count in (("b", 1), ("a", 11)):
            new_model(registry, name)
            for _ in range(count):
                new_version(registry, name)

        rising = found_versions(registry, "", "version_number ASC", "name DESC")
        falling = found_versions(registry, "name = 'a'", "version_number DESC")

        assert rising == [("b", "1"), *(("a", str(n)) for n in range(1, 12))]
        assert falling == rising[:0:-1]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("run_id = 'r1'", ["1"]),
            ("run_id != 'r1'", ["2"]),
            ("source_path = 's3://b/two'", ["2"]),
            ("source_path LIKE 's3://b/t%'", ["2", "3"]),
            ("tags.k = 'v'", ["1"]),
            ("tags.k != 'v'", ["3"]),
        ],
    )
    def test_versions_are_found_by_run_source_and_tag_and_what_is_missing_is_not_unequal(
        self, registry: RegistryStore, text: str, expected: list[str]
    ) -> None:
        new_model(registry)
        with_run(registry, "iris", "r1", "s3://b/one", {"k": "v"})
        with_run(registry, "iris", "r2", "s3://b/two", {})
        with_run(registry, "iris", None, "s3://b/three", {"k": "w"})

        assert [version for _, version in found_versions(registry, text, "version_number ASC")] == expected

    @pytest.mark.parametrize("clause", ["color", "name SIDEWAYS", "name ASC DESC", ""])
    def test_an_order_that_makes_no_sense_is_refused_by_name(self, registry: RegistryStore, clause: str) -> None:
        with pytest.raises(InvalidParameterError) as models:
            registry.search_models("", order_by=(clause,), max_results=10, page_token=None)
        with pytest.raises(InvalidParameterError) as versions:
            registry.search_versions("", order_by=(clause,), max_results=10, page_token=None)

        assert clause.partition(" ")[2] in str(models.value)
        assert clause.partition(" ")[2] in str(versions.value)

    @pytest.mark.parametrize("text", ["color = 'red'", "name == 'a'", "nothing"])
    def test_a_filter_that_makes_no_sense_is_named_for_versions(self, registry: RegistryStore, text: str) -> None:
        with pytest.raises(InvalidParameterError, match=text.partition(" ")[0]):
            found_versions(registry, text)

    def test_a_deleted_version_is_not_found_any_more(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        new_version(registry)

        registry.delete_version("iris", "1")

        assert found_versions(registry) == [("iris", "2")]
        with pytest.raises(NotFoundError, match="'1'"):
            registry.get_version("iris", "1")


class ChangeContract(PluginModuleContract):
    """What is expected of changes: their time, their limits, and who owns the answers."""

    def test_changes_set_the_time_of_the_last_change(self, registry: RegistryStore) -> None:
        new_model(registry)
        for stage in ("Production", "None"):
            made = new_version(registry)
            registry.update_version("iris", made.version, description=None, stage=stage, archive_existing=False)
        model, one, two = registry.get_model("iris"), *(registry.get_version("iris", n) for n in "12")
        let_the_clock_move()

        registry.update_model("iris", new_name=None, description="x")
        registry.update_version("iris", "2", description=None, stage="Production", archive_existing=True)

        assert registry.get_model("iris").last_updated_timestamp > model.last_updated_timestamp
        for old in (one, two):
            new = registry.get_version("iris", old.version)
            assert new.last_updated_timestamp > old.last_updated_timestamp
            assert new.creation_timestamp == old.creation_timestamp

    @pytest.mark.parametrize("stage", ["None", "Staging", "Production", "Archived"])
    def test_every_stage_can_be_moved_to(self, registry: RegistryStore, stage: str) -> None:
        new_model(registry)
        new_version(registry)

        changed = registry.update_version("iris", "1", description="both", stage=stage, archive_existing=False)

        assert (changed.current_stage, changed.description) == (stage, "both")
        assert [found.current_stage for found in registry.get_model("iris").latest_versions] == [stage]

    def test_describing_a_version_archives_nothing(self, registry: RegistryStore) -> None:
        new_model(registry)
        for _ in range(2):
            new_version(registry)

        registry.update_version("iris", "1", description="x", stage=None, archive_existing=True)

        assert [registry.get_version("iris", n).current_stage for n in "12"] == ["None", "None"]

    def test_a_model_can_be_given_the_name_that_it_has(self, registry: RegistryStore) -> None:
        new_model(registry, "iris", team="a")
        new_version(registry)

        same = registry.update_model("iris", new_name="iris", description="x")

        assert (same.name, same.description, same.tags) == ("iris", "x", {"team": "a"})
        assert registry.get_version("iris", "1").name == "iris"

    def test_setting_a_tag_leaves_the_others(self, registry: RegistryStore) -> None:
        new_model(registry, "iris", a="1")
        new_version(registry, a="1")

        registry.set_tag("iris", None, "b", "2")
        registry.set_tag("iris", "1", "b", "2")

        assert registry.get_model("iris").tags == {"a": "1", "b": "2"}
        assert registry.get_version("iris", "1").tags == {"a": "1", "b": "2"}

    def test_the_aliases_of_a_version_are_sorted(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        for alias in ("b", "c", "a"):
            registry.set_alias("iris", alias, "1")

        assert registry.get_version("iris", "1").aliases == ("a", "b", "c")
        assert registry.get_version_by_alias("iris", "c").aliases == ("a", "b", "c")

    def test_what_was_given_and_what_was_told_belongs_to_the_caller(self, registry: RegistryStore) -> None:
        given = {"k": "v"}
        registry.create_model("iris", description="", tags=given)
        registry.create_version("iris", SOURCE, run_id=None, run_link=None, description="", tags=given)
        registry.set_alias("iris", "best", "1")

        given["k"] = "changed"
        aliases = registry.get_model("iris").aliases
        if isinstance(aliases, dict):
            aliases.clear()

        model = registry.get_model("iris")
        assert (model.tags, model.aliases) == ({"k": "v"}, {"best": "1"})
        assert registry.get_version("iris", "1").tags == {"k": "v"}


class RegistryRaceContract(PluginModuleContract):
    """What is expected when many threads change one model at one moment."""

    def test_of_many_racing_promotions_one_stays_in_the_stage(self, registry: RegistryStore) -> None:
        new_model(registry)
        for _ in range(_RACERS):
            new_version(registry)

        def promote(number: int) -> None:
            for _ in range(4):
                registry.update_version(
                    "iris", str(number + 1), description=None, stage="Production", archive_existing=True
                )

        found = race(_RACERS, promote)

        assert found == [None] * _RACERS
        stages = [registry.get_version("iris", str(n + 1)).current_stage for n in range(_RACERS)]
        assert sorted(stages) == ["Archived"] * (_RACERS - 1) + ["Production"]

    def test_no_tag_alias_or_version_is_lost_when_many_set_them(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        def change(number: int) -> None:
            registry.set_tag("iris", None, f"t{number}", "v")
            registry.set_tag("iris", "1", f"t{number}", "v")
            registry.set_alias("iris", f"a{number}", "1")
            registry.update_version("iris", "1", description=str(number), stage=None, archive_existing=False)

        found = race(_RACERS, change)

        tags = {f"t{number}": "v" for number in range(_RACERS)}
        assert found == [None] * _RACERS
        assert registry.get_model("iris").tags == tags
        assert registry.get_version("iris", "1").tags == tags
        assert len(registry.get_model("iris").aliases) == _RACERS

    def test_readers_and_writers_do_not_disturb_each_other(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)
        registry.set_alias("iris", "first", "1")

        def work(number: int) -> None:
            for step in range(_STEPS):
                if number % 2:
                    registry.get_model("iris")
                    registry.get_version_by_alias("iris", "first")
                    registry.search_models("", order_by=(), max_results=100, page_token=None)
                    found_versions(registry)
                    continue
                made = new_version(registry)
                registry.set_alias("iris", f"a{number}-{step}", made.version)
                registry.delete_version("iris", new_version(registry).version)
                new_model(registry, f"m{number}-{step}")

        found = race(_RACERS, work)

        assert found == [None] * _RACERS
        assert len(registry.get_model("iris").aliases) == _RACERS // 2 * _STEPS + 1
        assert len(found_versions(registry, "name = 'iris'")) == _RACERS // 2 * _STEPS + 1

    def test_of_many_racing_renames_one_succeeds(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        found = race(_RACERS, lambda n: registry.update_model("iris", new_name=f"m{n}", description=None))

        won = [each.name for each in found if isinstance(each, RegisteredModel)]
        assert len(won) == 1
        assert sum(isinstance(each, NotFoundError) for each in found) == _RACERS - 1
        assert model_names(registry) == won
        assert registry.get_version(won[0], "1").name == won[0]

    def test_of_many_racing_deletions_one_succeeds(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        versions = race(_RACERS, lambda _: registry.delete_version("iris", "1"))
        models = race(_RACERS, lambda _: registry.delete_model("iris"))

        for found in (versions, models):
            assert found.count(None) == 1
            assert sum(isinstance(each, NotFoundError) for each in found) == _RACERS - 1
