"""The part of the contract suite of registry stores that is about moves: racing ones, and what they led to at a time.

Its tests are skipped for a registry that is no `SupportsMoves`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from attrs import evolve

from mlcore.entities import Move, MoveKind, MoveNote
from mlcore.errors import ConflictError, InvalidParameterError, InvalidStateError, NotFoundError
from mlcore.interfaces import RegistryStore, SupportsHistoryAdoption
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.registry_models import SOURCE
from mlcore.testing.registry_moves import (
    ADA,
    BOB,
    HOUR_NS,
    HistoryContract,
    check_history,
    filled,
    moves_of,
    moving,
    to_stage,
    to_version,
)
from mlcore.testing.threads import race

_RACERS = 12
_TOLD = [
    Move(1, "rose", MoveKind.MODEL, "rose", "", "rose", 1000),
    Move(2, "rose", MoveKind.MODEL, "rose", "rose", "iris", 2000, "ada", "ß"),
    Move(3, "iris", MoveKind.ALIAS, "best", "", "1", 3000, "ada"),
    Move(4, "iris", MoveKind.ALIAS, "best", "1", "2", 4000, "bob", "better"),
]


class AliasTimeContract(PluginModuleContract):
    """What is expected of `alias_at`."""

    def test_an_alias_is_told_as_it_was_at_a_time(self, registry: RegistryStore) -> None:
        filled(registry, 3)
        times: list[int] = []
        for version in ("1", "3", None, "2"):
            to_version(registry, "best", version)
            times.append(moves_of(registry)[-1].at)
            to_version(registry, "other", "1" if version else None)
            time.sleep(0.003)

        asked = [moving(registry).alias_at("iris", "best", at) for at in (0, times[0] - 1, *times, times[3] + 10**9)]

        assert asked == [None, None, "1", "3", None, "2", "2"]
        assert moving(registry).alias_at("iris", "never", times[3]) is None
        assert moving(registry).alias_at("iris", "Best", times[3]) is None

    def test_of_moves_within_one_millisecond_the_last_one_counts(
        self, registry: RegistryStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(registry, 3)
        clock = time.time_ns() + HOUR_NS
        monkeypatch.setattr(time, "time_ns", lambda: clock)

        for version in ("1", "3", "2"):
            to_version(registry, "best", version)

        assert moving(registry).alias_at("iris", "best", moves_of(registry)[-1].at) == "2"

    def test_the_aliases_of_a_deleted_version_or_model_were_there_until_then(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        to_version(registry, "best", "1")
        to_version(registry, "next", "2")
        there = moves_of(registry)[-1].at
        time.sleep(0.003)

        registry.delete_version("iris", "1")
        registry.delete_model("iris")

        at = moving(registry).alias_at
        assert (at("iris", "best", there), at("iris", "next", there)) == ("1", "2")
        assert (at("iris", "best", there + 10**6), at("iris", "next", there + 10**6)) == (None, None)

    def test_an_alias_of_a_model_that_had_the_name_before_is_told(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        to_version(registry, "best", "2")
        there = moves_of(registry)[-1].at
        time.sleep(0.003)
        registry.delete_model("iris")
        gone = moves_of(registry)[-1].at
        time.sleep(0.003)

        filled(registry, 1)
        to_version(registry, "best", "1")

        at = moving(registry).alias_at
        assert [at("iris", "best", time_ms) for time_ms in (there, gone, gone + 10**6)] == ["2", None, "1"]


class HistoryAdoptionContract(PluginModuleContract):
    """What is expected of `adopt_history`."""

    def test_an_adopted_history_comes_before_that_of_the_model(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)

        assert adopting.adopt_history("iris", _TOLD) == 4
        filled(registry, 1)

        assert moves_of(registry)[:4] == _TOLD
        assert [each.number for each in moves_of(registry)] == [1, 2, 3, 4, 1, 2]

    def test_a_history_that_comes_again_adds_what_is_new(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_history("iris", _TOLD[:2])
        filled(registry, 1)

        assert [adopting.adopt_history("iris", _TOLD) for _ in range(2)] == [2, 0]
        assert adopting.adopt_history("iris", moves_of(registry)) == 0
        assert moves_of(registry)[:4] == _TOLD
        assert [each.number for each in moves_of(registry)] == [1, 2, 3, 4, 1, 2]

    def test_an_alias_of_an_adopted_history_is_told_until_the_model_begins(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_history("iris", _TOLD)
        at = moving(registry).alias_at
        before = [at("iris", "best", time_ms) for time_ms in (999, 3000, 4000, 10**15)]

        filled(registry, 1)

        assert before == [None, "1", "2", "2"]
        assert [at("iris", "best", time_ms) for time_ms in (3000, 4000, moves_of(registry)[-1].at)] == ["1", "2", None]

    def test_a_history_that_began_like_another_one_is_kept_whole(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        filled(registry, 2)
        own = moves_of(registry)
        told = [*own[:2], evolve(own[2], after="s3://elsewhere"), evolve(own[2], number=4, subject="3")]

        assert [adopting.adopt_history("iris", told[:3]), adopting.adopt_history("iris", told)] == [1, 1]

        assert sorted(moves_of(registry), key=repr) == sorted([*own, *told], key=repr)

    def test_a_history_with_a_gap_is_refused_as_a_whole(self, registry: RegistryStore) -> None:
        adopting = _adopting(registry)
        adopting.adopt_history("iris", _TOLD[:1])

        with pytest.raises(InvalidParameterError, match=r"'iris' has a gap before move 4"):
            adopting.adopt_history("iris", [*_TOLD[:2], _TOLD[3]])

        assert moves_of(registry) == _TOLD[:1]
        assert adopting.adopt_history("iris", _TOLD) == 3


def _adopting(registry: RegistryStore) -> SupportsHistoryAdoption:
    if not isinstance(registry, SupportsHistoryAdoption):
        pytest.skip("the registry keeps no histories of other stores")
    return registry


class ExpectationContract(PluginModuleContract):
    """What is expected of moves that say what they believe to be there."""

    def test_a_move_that_believes_something_else_is_told_who_moved_it(self, registry: RegistryStore) -> None:
        filled(registry, 3)
        to_version(registry, "best", "2")
        to_stage(registry, "1", "Staging")
        before = moves_of(registry)

        with pytest.raises(ConflictError, match=r"'best'.*'2'.*'1'.*'ada' moved it at 20\d\d-\d\d-\d\dT[\d:.]+Z"):
            to_version(registry, "best", "3", note=BOB, expected="1")
        with pytest.raises(ConflictError, match=r"'1'.*'Staging'.*'Production'.*'ada' moved it at 20\d\d-"):
            to_stage(registry, "1", "Archived", note=BOB, expected="Production")

        assert moves_of(registry) == before
        assert registry.get_version_by_alias("iris", "best").version == "2"
        assert registry.get_version("iris", "1").current_stage == "Staging"

    def test_a_move_that_believes_what_is_there_succeeds(self, registry: RegistryStore) -> None:
        filled(registry, 2)

        to_version(registry, "best", "1", expected="")
        to_version(registry, "best", "2", expected="1")
        to_version(registry, "best", None, expected="2")
        to_stage(registry, "1", "Staging", expected="none")
        to_stage(registry, "1", "Production", expected="Staging")

        assert registry.get_model("iris").aliases == {}
        assert registry.get_version("iris", "1").current_stage == "Production"

    def test_an_alias_that_is_believed_to_be_free_and_is_not_stays(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        registry.set_alias("iris", "best", "1")

        with pytest.raises(ConflictError, match=r"'best'.*version '1', expected no version: somebody unknown moved it"):
            to_version(registry, "best", "2", expected="")
        with pytest.raises(ConflictError, match=r"'other'.*no version, expected version '1': nobody knows"):
            to_version(registry, "other", None, expected="1")

        assert registry.get_model("iris").aliases == {"best": "1"}

    def test_what_moved_since_to_the_wanted_place_is_a_conflict_all_the_same(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        to_version(registry, "best", "2")

        with pytest.raises(ConflictError, match="'ada' moved it"):
            to_version(registry, "best", "2", note=BOB, expected="1")

    def test_an_expected_stage_that_does_not_exist_is_refused(self, registry: RegistryStore) -> None:
        filled(registry, 1)

        with pytest.raises(InvalidParameterError, match=r"'Heaven'.*None, Staging, Production, Archived"):
            to_stage(registry, "1", "Production", expected="Heaven")

    def test_of_many_who_race_for_an_alias_one_wins_and_the_others_are_told_who(self, registry: RegistryStore) -> None:
        filled(registry, _RACERS + 1)
        to_version(registry, "best", "1", note=BOB)

        def work(number: int) -> None:
            to_version(registry, "best", str(number + 2), note=MoveNote(f"racer {number}"), expected="1")

        found = race(_RACERS, work)

        winner = _the_winner(found)
        assert registry.get_model("iris").aliases == {"best": str(winner + 2)}
        assert len(moves_of(registry)) == _RACERS + 4
        check_history(registry)

    def test_of_many_who_race_for_a_stage_one_wins_and_the_others_are_told_who(self, registry: RegistryStore) -> None:
        filled(registry, 1)
        stages = ("Staging", "Production", "Archived")

        def work(number: int) -> None:
            to_stage(registry, "1", stages[number % 3], note=MoveNote(f"racer {number}"), expected="None")

        found = race(_RACERS, work)

        winner = _the_winner(found)
        assert registry.get_version("iris", "1").current_stage == stages[winner % 3]
        check_history(registry)

    def test_the_history_of_racing_changes_has_no_gap(self, registry: RegistryStore) -> None:
        filled(registry, _RACERS)

        def work(number: int) -> None:
            version = str(number + 1)
            to_stage(registry, version, "Production", archive=True)
            registry.set_alias("iris", "best", version)
            to_version(registry, "best", None)
            registry.delete_version("iris", version)

        found = race(_RACERS, work)

        assert found == [None] * _RACERS
        check_history(registry)


class RemovalContract(PluginModuleContract):
    """What is expected of `remove_version`."""

    def test_a_version_in_production_is_removed_by_force_only(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        to_stage(registry, "1", "Production")
        before = moves_of(registry)

        with pytest.raises(InvalidStateError, match=r"'1'.*'iris' is in Production"):
            moving(registry).remove_version("iris", "1", note=BOB, force=False)

        assert moves_of(registry) == before
        moving(registry).remove_version("iris", "1", note=BOB, force=True)
        with pytest.raises(NotFoundError, match="'1'"):
            registry.get_version("iris", "1")

    def test_a_removed_version_takes_its_aliases_along_and_leaves_the_note(self, registry: RegistryStore) -> None:
        filled(registry, 2)
        to_version(registry, "best", "1", note=BOB)
        to_version(registry, "kept", "2", note=BOB)

        moving(registry).remove_version("iris", "1", note=ADA, force=False)

        assert registry.get_model("iris").aliases == {"kept": "2"}
        last = moves_of(registry)[-2:]
        assert [(each.kind.value, each.subject, each.before, each.after, each.user) for each in last] == [
            ("alias", "best", "1", "", "ada"),
            ("version", "1", SOURCE, "", "ada"),
        ]
        with pytest.raises(NotFoundError, match="'1'"):
            moving(registry).remove_version("iris", "1", note=ADA, force=True)


class MovesContract(HistoryContract, AliasTimeContract, HistoryAdoptionContract, ExpectationContract, RemovalContract):
    """What is expected of a registry that is `SupportsMoves`."""


def _the_winner(found: Sequence[Exception | None]) -> int:
    """Return the number of the only one that was not told of a conflict with it."""
    winners = [number for number, each in enumerate(found) if each is None]
    assert len(winners) == 1, found
    for each in found:
        if each is not None:
            assert isinstance(each, ConflictError), each
            assert f"'racer {winners[0]}' moved it at" in str(each)
    return winners[0]
