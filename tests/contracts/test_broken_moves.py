"""Broken histories and requests, each caught by the test that is about its fault."""

from __future__ import annotations

import time
from typing import Any

from attrs import evolve

from mlcore.entities import Move, MoveKind, MoveNote, Page, RequestStatus, TransitionRequest
from mlcore.testing import MemoryRegistryStore, RegistryStoreContract
from mlcore.testing.memory_moves import Line
from mlcore.testing.proof import caught_by


class ForgetsAliases(MemoryRegistryStore):
    def _remember(self, line: Line, kind: MoveKind, *what: Any) -> None:
        if kind is not MoveKind.ALIAS:
            super()._remember(line, kind, *what)


class RemembersStandstill(MemoryRegistryStore):
    def move_alias(self, name: str, alias: str, version: str | None, **kwargs: Any) -> None:
        before = self._line(name).aliases.get(alias, "")
        super().move_alias(name, alias, version, **kwargs)
        if before == (version or ""):
            self._remember(self._line(name), MoveKind.ALIAS, alias, before, before, kwargs["note"])


class RemembersAttempts(MemoryRegistryStore):
    def move_alias(self, name: str, alias: str, version: str | None, **kwargs: Any) -> None:
        if name in self.lines and version is not None and version not in self.lines[name].versions:
            self._remember(self.lines[name], MoveKind.ALIAS, alias, "", version, kwargs["note"])
        super().move_alias(name, alias, version, **kwargs)


class ForgetsWho(MemoryRegistryStore):
    def _remember(self, line: Line, kind: MoveKind, *what: Any) -> None:
        super()._remember(line, kind, *what[:-1], MoveNote())


class FollowsTheClock(MemoryRegistryStore):
    def _remember(self, line: Line, kind: MoveKind, *what: Any) -> None:
        line.moved_at = 0
        super()._remember(line, kind, *what)


class HistoryGoesWithTheModel(MemoryRegistryStore):
    def delete_model(self, name: str) -> None:
        line = self._line(name)
        super().delete_model(name)
        self.moves = [(owner, move) for owner, move in self.moves if owner is not line]


class NewNameNewHistory(MemoryRegistryStore):
    def update_model(self, name: str, **kwargs: Any) -> Any:
        line = self._line(name)
        if kwargs["new_name"] not in (None, name):
            line.moved = 0
        return super().update_model(name, **kwargs)


class FirstMoveFirst(MemoryRegistryStore):
    def history(self, name: str, **kwargs: Any) -> Page[Move]:
        found = super().history(name, **kwargs)
        return evolve(found, items=found.items[::-1])


class MixesModels(MemoryRegistryStore):
    def _lines_named(self, name: str) -> list[Line]:
        super()._lines_named(name)
        return list(self.lines.values())


class AliasOfTheMomentBefore(MemoryRegistryStore):
    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        return super().alias_at(name, alias, at - 1)


class AliasOfToday(MemoryRegistryStore):
    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        super().alias_at(name, alias, at)
        return self.lines[name].aliases.get(alias) if name in self.lines else None


class BelievesAnything(MemoryRegistryStore):
    def move_alias(self, name: str, alias: str, version: str | None, **kwargs: Any) -> None:
        super().move_alias(name, alias, version, **{**kwargs, "expected": None})


class LooksThenMoves(MemoryRegistryStore):
    def move_alias(self, name: str, alias: str, version: str | None, **kwargs: Any) -> None:
        before = self._line(name).aliases.get(alias, "")
        if kwargs["expected"] in (None, before):
            time.sleep(0.01)
            kwargs["expected"] = None
        super().move_alias(name, alias, version, **kwargs)


class RemovesFromProduction(MemoryRegistryStore):
    def remove_version(self, name: str, version: str, **kwargs: Any) -> None:
        super().remove_version(name, version, **{**kwargs, "force": True})


class NotesOnlyOnce(MemoryRegistryStore):
    def _remember(self, line: Line, kind: MoveKind, *what: Any) -> None:
        super()._remember(line, kind, *what)
        self._note = MoveNote()


class BelievesTheirDecision(MemoryRegistryStore):
    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        made = super().create_request(request)
        self.requests[made.request_id] = (self._line(made.name), evolve(made, status=request.status))
        return self.get_request(made.request_id)


class MakesTwo(MemoryRegistryStore):
    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        self.requests.pop(request.request_id, None)
        return super().create_request(request)


class DecidesAgain(MemoryRegistryStore):
    def decide_request(self, request_id: str, status: RequestStatus, *, note: MoveNote) -> TransitionRequest:
        line, asked = self.requests.get(request_id, (None, None))
        if line is not None and asked is not None:
            self.requests[request_id] = (line, evolve(asked, status=RequestStatus.PENDING))
        return super().decide_request(request_id, status, note=note)


class ApprovesInWordsOnly(MemoryRegistryStore):
    def move_stage(self, name: str, version: str, stage: str, **kwargs: Any) -> Any:
        if "approved by" in kwargs["note"].comment:
            return self.get_version(name, version)
        return super().move_stage(name, version, stage, **kwargs)


class KeepsWaitingForTheDead(MemoryRegistryStore):
    def _cancel(self, line: Line, version: str | None, note: MoveNote) -> None:
        del line, version, note


_FAULTS: list[tuple[type[MemoryRegistryStore], str]] = [
    (ForgetsAliases, "test_what_comes_moves_and_goes_leaves_a_line"),
    (RemembersStandstill, "test_what_stays_where_it_is_leaves_no_line"),
    (RemembersAttempts, "test_what_is_refused_leaves_no_line"),
    (ForgetsWho, "test_moves_keep_who_wanted_them_and_why"),
    (FollowsTheClock, "test_times_never_go_back_even_when_the_clock_does"),
    (HistoryGoesWithTheModel, "test_the_history_of_a_deleted_model_stays"),
    (NewNameNewHistory, "test_a_history_goes_on_under_the_next_name"),
    (FirstMoveFirst, "test_pages_of_a_history_begin_with_the_last_move"),
    (MixesModels, "test_histories_of_models_do_not_mix"),
    (AliasOfTheMomentBefore, "test_an_alias_is_told_as_it_was_at_a_time"),
    (AliasOfToday, "test_the_aliases_of_a_deleted_version_or_model_were_there_until_then"),
    (BelievesAnything, "test_a_move_that_believes_something_else_is_told_who_moved_it"),
    (LooksThenMoves, "test_of_many_who_race_for_an_alias_one_wins_and_the_others_are_told_who"),
    (RemovesFromProduction, "test_a_version_in_production_is_removed_by_force_only"),
    (NotesOnlyOnce, "test_a_registry_with_a_note_leaves_it_at_every_move"),
    (BelievesTheirDecision, "test_a_request_cannot_bring_its_own_approval"),
    (MakesTwo, "test_a_request_that_comes_again_is_one"),
    (DecidesAgain, "test_a_request_is_decided_once"),
    (ApprovesInWordsOnly, "test_an_approved_request_moves_the_version_for_who_asked"),
    (KeepsWaitingForTheDead, "test_requests_for_what_is_deleted_are_cancelled"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}"] = caught_by(RegistryStoreContract, _test, registry=_broken)
