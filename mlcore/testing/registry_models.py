"""The part of the contract suite of registry stores that is about registered models."""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.interfaces import RegistryStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.threads import race
from mlcore.testing.tokens import BAD_TOKENS

SOURCE = "s3://bucket/run/artifacts/model"
SLACK_MS = 60_000  # clocks of servers differ by less than any timezone


def new_model(registry: RegistryStore, name: str = "iris", **tags: str) -> RegisteredModel:
    """Create a registered model."""
    return registry.create_model(name, description="", tags=tags)


def new_version(registry: RegistryStore, name: str = "iris", source: str = SOURCE, **tags: str) -> ModelVersion:
    """Add a version."""
    return registry.create_version(name, source, run_id=None, run_link=None, description="", tags=tags)


def model_page(
    registry: RegistryStore, text: str = "", *order: str, size: int = 100, token: str | None = None
) -> Page[RegisteredModel]:
    """Search registered models."""
    return registry.search_models(text, order_by=order, max_results=size, page_token=token)


def model_names(registry: RegistryStore, text: str = "", *order: str) -> list[str]:
    """Return the names that a search gives, in order."""
    return [found.name for found in model_page(registry, text, *order).items]


class RegisteredModelContract(PluginModuleContract):
    """What is expected of registered models."""

    def test_a_created_model_is_read_back(self, registry: RegistryStore) -> None:
        made = registry.create_model("Grüße 日本 a.b:c", description="what\nit is", tags={"team": "ß", "empty": ""})

        assert registry.get_model("Grüße 日本 a.b:c") == made
        assert (made.description, made.tags) == ("what\nit is", {"team": "ß", "empty": ""})
        assert (made.latest_versions, made.aliases) == ((), {})

    def test_times_are_milliseconds_of_utc(self, registry: RegistryStore) -> None:
        made = new_model(registry)
        version = new_version(registry)

        now = time.time() * 1000
        for told in (made.creation_timestamp, made.last_updated_timestamp, version.creation_timestamp):
            assert abs(told - now) < SLACK_MS

    def test_a_model_name_is_taken_once(self, registry: RegistryStore) -> None:
        new_model(registry, "iris", kept="1")

        with pytest.raises(AlreadyExistsError, match="'iris'"):
            new_model(registry, "iris")

        assert registry.get_model("iris").tags == {"kept": "1"}

    def test_names_differ_by_case(self, registry: RegistryStore) -> None:
        new_model(registry, "iris")
        new_model(registry, "Iris")

        assert sorted(model_names(registry)) == ["Iris", "iris"]

    def test_of_many_racing_creators_of_one_model_exactly_one_succeeds(self, registry: RegistryStore) -> None:
        found = race(16, lambda _: new_model(registry))

        assert sum(isinstance(each, RegisteredModel) for each in found) == 1
        assert sum(isinstance(each, AlreadyExistsError) for each in found) == 15

    def test_an_unknown_model_is_named_by_every_method(self, registry: RegistryStore) -> None:
        calls: list[Callable[[], object]] = [
            lambda: registry.get_model("nope"),
            lambda: registry.update_model("nope", new_name=None, description="x"),
            lambda: registry.delete_model("nope"),
            lambda: new_version(registry, "nope"),
            lambda: registry.get_version("nope", "1"),
            lambda: registry.set_alias("nope", "a", "1"),
            lambda: registry.get_version_by_alias("nope", "a"),
            lambda: registry.set_tag("nope", None, "k", "v"),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match="'nope'"):
                call()

    def test_describing_a_model_leaves_the_rest(self, registry: RegistryStore) -> None:
        made = new_model(registry, "iris", team="a")

        changed = registry.update_model("iris", new_name=None, description="better")

        assert (changed.description, changed.tags, changed.name) == ("better", {"team": "a"}, "iris")
        assert changed.creation_timestamp == made.creation_timestamp
        assert changed.last_updated_timestamp >= made.last_updated_timestamp

    def test_a_renamed_model_takes_versions_tags_and_aliases_along(self, registry: RegistryStore) -> None:
        new_model(registry, "old", team="a")
        new_version(registry, "old")
        registry.set_alias("old", "best", "1")

        renamed = registry.update_model("old", new_name="new", description=None)

        assert (renamed.name, renamed.tags, renamed.aliases) == ("new", {"team": "a"}, {"best": "1"})
        assert registry.get_version("new", "1").name == "new"
        assert registry.get_version_by_alias("new", "best").version == "1"
        with pytest.raises(NotFoundError, match="'old'"):
            registry.get_model("old")

    def test_renaming_a_model_to_a_taken_name_is_refused(self, registry: RegistryStore) -> None:
        new_model(registry, "one")
        new_model(registry, "two")

        with pytest.raises(AlreadyExistsError, match="'two'"):
            registry.update_model("one", new_name="two", description="x")

        assert model_names(registry) == ["one", "two"]
        assert registry.get_model("one").description == ""

    def test_a_deleted_model_takes_its_versions_along_and_frees_the_name(self, registry: RegistryStore) -> None:
        new_model(registry)
        new_version(registry)

        registry.delete_model("iris")

        with pytest.raises(NotFoundError, match="'iris'"):
            registry.get_version("iris", "1")
        assert model_names(registry) == []
        assert new_model(registry).latest_versions == ()

    def test_tags_of_a_model_are_set_overwritten_and_removed(self, registry: RegistryStore) -> None:
        new_model(registry, "iris", a="1", b="2")

        registry.set_tag("iris", None, "a", "3")
        registry.set_tag("iris", None, "b", None)

        assert registry.get_model("iris").tags == {"a": "3"}


class ModelSearchContract(PluginModuleContract):
    """What is expected of searches for registered models."""

    def test_models_come_by_name(self, registry: RegistryStore) -> None:
        for name in ("b", "c", "a"):
            new_model(registry, name)

        assert model_names(registry) == ["a", "b", "c"]
        assert model_names(registry, "", "name DESC") == ["c", "b", "a"]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("name = 'tree'", ["tree"]),
            ("name LIKE 't%'", ["tree", "two"]),
            ("name ILIKE 'T%'", ["Tea", "tree", "two"]),
            ("tags.team = 'a'", ["tree", "two"]),
            ("name LIKE 't%' AND tags.team = 'a'", ["tree", "two"]),
            ("name = 'nope'", []),
        ],
    )
    def test_models_are_found_by_name_and_tag(self, registry: RegistryStore, text: str, expected: list[str]) -> None:
        for name, team in (("tree", "a"), ("two", "a"), ("Tea", "b"), ("other", "b")):
            new_model(registry, name, team=team)

        assert model_names(registry, text) == expected

    @pytest.mark.parametrize("text", ["name", "name = ", "color = 'red'", "name == 'a'", "'"])
    def test_a_filter_that_makes_no_sense_is_refused(self, registry: RegistryStore, text: str) -> None:
        with pytest.raises(InvalidParameterError, match=text.partition(" ")[0]):
            model_page(registry, text)

    @pytest.mark.parametrize(
        ("text", "expected"), [("tags.team != 'a'", ["other"]), ("name != 'tree'", ["other", "untold"])]
    )
    def test_what_is_missing_is_not_unequal(self, registry: RegistryStore, text: str, expected: list[str]) -> None:
        new_model(registry, "tree", team="a")
        new_model(registry, "other", team="b")
        new_model(registry, "untold")

        assert model_names(registry, text) == expected

    def test_pages_of_models_follow_each_other_and_the_last_one_says_so(self, registry: RegistryStore) -> None:
        for number in range(5):
            new_model(registry, f"m{number}")

        found: list[str] = []
        sizes: list[int] = []
        token: str | None = None
        while True:
            page = model_page(registry, size=2, token=token)
            found += [each.name for each in page.items]
            sizes.append(len(page.items))
            token = page.next_token
            if token is None:
                break

        assert found == [f"m{number}" for number in range(5)]
        assert sizes == [2, 2, 1]

    def test_a_full_last_page_has_no_token(self, registry: RegistryStore) -> None:
        for number in range(4):
            new_model(registry, f"m{number}")

        first = model_page(registry, size=2)

        assert model_page(registry, size=2, token=first.next_token).next_token is None

    @pytest.mark.parametrize("token", BAD_TOKENS)
    def test_a_bad_page_token_of_models_is_refused(self, registry: RegistryStore, token: str) -> None:
        with pytest.raises(InvalidParameterError, match="page token"):
            model_page(registry, token=token)

    def test_a_closed_registry_opens_again_by_itself(self, registry: RegistryStore) -> None:
        new_model(registry)

        registry.close()

        assert model_names(registry) == ["iris"]
