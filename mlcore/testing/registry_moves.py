"""The part of the contract suite of registry stores that is about the history of moves: what it tells.

Its tests are skipped for a registry that is no `SupportsMoves`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import time

import pytest

from mlcore.entities import Move, MoveKind, MoveNote
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import RegistryStore, SupportsMoves, SupportsNotes
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.registry_models import SOURCE, new_model, new_version
from mlcore.testing.tokens import BAD_TOKENS

ADA, BOB = MoveNote("ada", "it is better"), MoveNote("bob")
HOUR_NS = 3_600_000_000_000


def moving(registry: RegistryStore) -> SupportsMoves:
    """Return the registry with its ability to keep a history; skip the test when it has none."""
    if not isinstance(registry, SupportsMoves):
        pytest.skip("the registry keeps no history of moves")
    return registry


def moves_of(registry: RegistryStore, name: str = "iris") -> list[Move]:
    """Return the whole history of a model, the first move first, read in pages of 7."""
    found: list[Move] = []
    token: str | None = None
    while True:
        page = moving(registry).history(name, max_results=7, page_token=token)
        found += page.items
        token = page.next_token
        if token is None:
            return found[::-1]


def lines_of(registry: RegistryStore, name: str = "iris") -> list[tuple[str, str, str, str]]:
    """Return kind, subject, before and after of all moves of a model, the first one first."""
    return [(each.kind.value, each.subject, each.before, each.after) for each in moves_of(registry, name)]


def replayed(moves: list[Move]) -> tuple[dict[str, str], dict[str, str]]:
    """Return version to stage, and alias to version, as the moves of one model leave them."""
    stages: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for move in moves:
        if move.kind is MoveKind.VERSION:
            stages[move.subject] = "None"
        held = stages if move.kind is MoveKind.STAGE else aliases
        if move.kind in (MoveKind.STAGE, MoveKind.ALIAS):
            assert held.get(move.subject, "") == move.before, f"the history has a gap before {move}"
            held[move.subject] = move.after
        if not move.after:
            (stages if move.kind is MoveKind.VERSION else aliases).pop(move.subject, None)
    return stages, aliases


def check_history(registry: RegistryStore, name: str = "iris") -> None:
    """Fail unless the history of a model leads to what it is now, without a gap."""
    found = moves_of(registry, name)
    page = registry.search_versions(f"name = '{name}'", order_by=(), max_results=1000, page_token=None)
    assert replayed(found) == (
        {each.version: each.current_stage for each in page.items},
        dict(registry.get_model(name).aliases),
    )
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert [each.at for each in found] == sorted(each.at for each in found)


def to_stage(
    registry: RegistryStore,
    version: str,
    stage: str,
    *,
    note: MoveNote = ADA,
    expected: str | None = None,
    archive: bool = False,
) -> None:
    """Move a version of `iris` to a stage."""
    moving(registry).move_stage("iris", version, stage, archive_existing=archive, note=note, expected=expected)


def to_version(
    registry: RegistryStore, alias: str, version: str | None, *, note: MoveNote = ADA, expected: str | None = None
) -> None:
    """Point an alias of `iris` to a version."""
    moving(registry).move_alias("iris", alias, version, note=note, expected=expected)


def filled(registry: RegistryStore, versions: int = 2) -> None:
    """Make `iris` with some versions."""
    moving(registry)
    new_model(registry)
    for _ in range(versions):
        new_version(registry)


class HistoryContract(PluginModuleContract):
    """What is expected of the history: what it tells, and that it only grows."""

    def test_what_comes_moves_and_goes_leaves_a_line(self, registry: RegistryStore) -> None:
        filled(registry)
        registry.update_version("iris", "1", description="x", stage="staging", archive_existing=False)
        registry.set_alias("iris", "best", "1")
        registry.set_alias("iris", "best", "2")
        registry.set_alias("iris", "best", None)
        registry.delete_version("iris", "2")

        assert lines_of(registry) == [
            ("model", "iris", "", "iris"),
            ("version", "1", "", SOURCE),
            ("version", "2", "", SOURCE),
            ("stage", "1", "None", "Staging"),
            ("alias", "best", "", "1"),
            ("alias", "best", "1", "2"),
            ("alias", "best", "2", ""),
            ("version", "2", SOURCE, ""),
        ]
        assert {(each.name, each.user, each.comment) for each in moves_of(registry)} == {("iris", "", "")}
        check_history(registry)

    def test_moves_keep_who_wanted_them_and_why(self, registry: RegistryStore) -> None:
        filled(registry, 1)

        to_stage(registry, "1", "Production")
        to_version(registry, "best", "1", note=BOB)

        stage, alias = moves_of(registry)[-2:]
        assert (stage.user, stage.comment, alias.user, alias.comment) == ("ada", "it is better", "bob", "")
        assert abs(stage.at - time.time() * 1000) < 60_000

    def test_a_move_does_what_the_method_without_a_note_does(self, registry: RegistryStore) -> None:
        filled(registry)
        to_stage(registry, "1", "production")

        made = moving(registry).move_stage("iris", "2", "Production", archive_existing=True, note=ADA, expected="None")
        to_version(registry, "best", "2")

        assert (made.version, made.current_stage) == ("2", "Production")
        assert registry.get_version("iris", "1").current_stage == "Archived"
        assert registry.get_version_by_alias("iris", "best").version == "2"
        to_version(registry, "best", None)
        assert registry.get_model("iris").aliases == {}

    def test_versions_that_are_archived_have_a_line_with_the_same_note_before(self, registry: RegistryStore) -> None:
        filled(registry, 3)
        for version in "12":
            to_stage(registry, version, "Production", note=BOB)

        to_stage(registry, "3", "Production", archive=True)

        last = moves_of(registry)[-3:]
        assert {(each.subject, each.before, each.after) for each in last[:2]} == {
            ("1", "Production", "Archived"),
            ("2", "Production", "Archived"),
        }
        assert (last[2].subject, last[2].after) == ("3", "Production")
        assert {(each.user, each.comment) for each in last} == {("ada", "it is better")}

    def test_what_stays_where_it_is_leaves_no_line(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        to_stage(registry, "1", "Production")
        to_version(registry, "best", "1")
        before = lines_of(registry)

        to_stage(registry, "1", "PRODUCTION", archive=True)
        to_version(registry, "best", "1")
        to_version(registry, "nope", None)
        registry.update_version("iris", "1", description="x", stage=None, archive_existing=False)
        registry.update_model("iris", new_name="iris", description="x")
        registry.set_tag("iris", "1", "k", "v")

        assert lines_of(registry) == before

    def test_what_is_refused_leaves_no_line(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        before = lines_of(registry)

        with pytest.raises(NotFoundError, match="'7'"):
            to_stage(registry, "7", "Production")
        with pytest.raises(NotFoundError, match="'7'"):
            to_version(registry, "best", "7")
        with pytest.raises(InvalidParameterError, match=r"'Heaven'.*None, Staging, Production, Archived"):
            to_stage(registry, "1", "Heaven")
        with pytest.raises(InvalidParameterError, match="'Archived' is not an active stage"):
            to_stage(registry, "1", "Archived", archive=True)
        with pytest.raises(NotFoundError, match="'nope'"):
            moving(registry).move_alias("nope", "best", "1", note=ADA, expected=None)

        assert lines_of(registry) == before

    def test_a_history_goes_on_under_the_next_name(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        to_version(registry, "best", "1")

        registry.update_model("iris", new_name="rose", description=None)
        registry.set_alias("rose", "best", None)

        found = moves_of(registry, "rose")
        assert [(each.number, each.name, each.kind.value) for each in found[-3:]] == [
            (3, "iris", "alias"),
            (4, "iris", "model"),
            (5, "rose", "alias"),
        ]
        assert (found[3].subject, found[3].before, found[3].after) == ("iris", "iris", "rose")
        with pytest.raises(NotFoundError, match=r"'iris'.*'rose'"):
            moves_of(registry, "iris")

    def test_the_history_of_a_deleted_model_stays(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        to_version(registry, "best", "1")
        before = moves_of(registry)

        registry.delete_model("iris")

        assert moves_of(registry)[:3] == before
        assert lines_of(registry)[3:] == [
            ("alias", "best", "1", ""),
            ("version", "1", SOURCE, ""),
            ("model", "iris", "iris", ""),
        ]

    def test_a_model_with_the_name_of_a_deleted_one_has_numbers_of_its_own(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        registry.delete_model("iris")

        filled(registry, 1)

        assert [each.number for each in moves_of(registry)] == [1, 2, 3, 4, 1, 2]
        registry.update_model("iris", new_name="rose", description=None)
        assert [each.number for each in moves_of(registry, "rose")] == [1, 2, 3]
        assert [each.number for each in moves_of(registry)] == [1, 2, 3, 4]

    def test_histories_of_models_do_not_mix(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        new_model(registry, "Iris")
        new_version(registry, "Iris", "s3://other")

        assert lines_of(registry, "Iris") == [("model", "Iris", "", "Iris"), ("version", "1", "", "s3://other")]
        assert len(moves_of(registry)) == 2

    def test_pages_of_a_history_begin_with_the_last_move(self, registry: RegistryStore) -> None:
        filled(registry, 4)

        first = moving(registry).history("iris", max_results=3, page_token=None)
        second = moving(registry).history("iris", max_results=2, page_token=first.next_token)

        assert [each.number for each in (*first.items, *second.items)] == [5, 4, 3, 2, 1]
        assert second.next_token is None

    @pytest.mark.parametrize("token", BAD_TOKENS)
    def test_a_bad_page_token_of_a_history_is_refused(self, registry: RegistryStore, token: str) -> None:
        filled(registry, 1)

        with pytest.raises(InvalidParameterError, match="page token"):
            moving(registry).history("iris", max_results=10, page_token=token)

    def test_what_never_was_has_no_history(self, registry: RegistryStore) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            moves_of(registry, "nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            moving(registry).alias_at("nope", "best", 0)

    def test_times_never_go_back_even_when_the_clock_does(
        self, registry: RegistryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(registry, 1)
        clock = time.time_ns
        monkeypatch.setattr(time, "time_ns", lambda: clock() - HOUR_NS)

        to_stage(registry, "1", "Production")
        to_version(registry, "best", "1")
        last = moves_of(registry)[-1].at

        check_history(registry)
        assert moving(registry).alias_at("iris", "best", last) == "1"
        assert moving(registry).alias_at("iris", "best", last - 1) in (None, "1")

    def test_a_registry_with_a_note_leaves_it_at_every_move(self, registry: RegistryStore) -> None:
        if not isinstance(registry, SupportsNotes):
            pytest.skip("the registry takes no notes at the methods of the contract")
        noted = registry.noting(ADA)

        filled(noted)
        noted.update_version("iris", "1", description=None, stage="Staging", archive_existing=False)
        noted.set_alias("iris", "best", "2")
        noted.delete_version("iris", "1")
        noted.update_model("iris", new_name="rose", description=None)
        registry.set_alias("rose", "best", None)
        noted.delete_model("rose")

        users = [each.user for each in moves_of(registry, "rose")]
        assert users == ["ada"] * 7 + [""] + ["ada"] * 2
