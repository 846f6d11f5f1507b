"""Stores that make wrong tables of runs, each caught by the test that is about its fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from attrs import evolve

from mlcore.entities import Field, KeyFacets, MetricSummary, RunCells, RunOutline, RunQuery, ViewType
from mlcore.testing import MemoryTrackingStore, TrackingStoreContract
from mlcore.testing.proof import caught_by
from mlcore.testing.tracking_tables import TableContract
from mlcore.tracking.table_facets import key_facets_by_search
from mlcore.tracking.table_search import run_cells_by_search, run_outline_by_search
from mlcore.tracking.table_summaries import summaries_one_by_one


class MakesTables(MemoryTrackingStore):
    """Has every ability of tables, and does nothing wrong."""

    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        return run_outline_by_search(self, query, parents=parents)

    def run_cells(self, run_ids: Sequence[str], columns: Sequence[Field]) -> Mapping[str, RunCells]:
        return run_cells_by_search(self, tuple(self.experiments), run_ids, columns)

    def key_facets(self, query: RunQuery, values: int) -> KeyFacets:
        return key_facets_by_search(self, query, values)

    def summaries_of_runs(
        self, run_ids: Sequence[str], keys: Sequence[str] | None
    ) -> Mapping[str, tuple[MetricSummary, ...]]:
        return summaries_one_by_one(self, run_ids, keys)


class KeepsItsOwnOrder(MakesTables):
    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        return super().run_outline(evolve(query, order_by=()), parents=parents)


class ForgetsTheFilter(MakesTables):
    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        return super().run_outline(evolve(query, filter=None), parents=parents)


class KnowsNoParents(MakesTables):
    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        found = super().run_outline(query, parents=parents)
        return evolve(found, parents=[None] * len(found.parents))


class ShowsTheBin(MakesTables):
    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        return super().run_outline(evolve(query, view=ViewType.ALL), parents=parents)


class NeverRevises(MakesTables):
    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        return evolve(super().run_outline(query, parents=parents), revision="1")


class ShowsTheLastForAll(MakesTables):
    def run_cells(self, run_ids: Sequence[str], columns: Sequence[Field]) -> Mapping[str, RunCells]:
        return super().run_cells(run_ids, [evolve(column, stat="last") for column in columns])


class ShowsHalfOfThem(MakesTables):
    def run_cells(self, run_ids: Sequence[str], columns: Sequence[Field]) -> Mapping[str, RunCells]:
        return super().run_cells(run_ids[::2], columns)


class ForgetsAttributes(MakesTables):
    def key_facets(self, query: RunQuery, values: int) -> KeyFacets:
        found = super().key_facets(query, values)
        return evolve(found, keys=tuple(facet for facet in found.keys if facet.field.entity != "attribute"))


class CountsAllRuns(MakesTables):
    def key_facets(self, query: RunQuery, values: int) -> KeyFacets:
        return super().key_facets(evolve(query, filter=None), values)


class TellsEveryMetric(MakesTables):
    def summaries_of_runs(
        self, run_ids: Sequence[str], keys: Sequence[str] | None
    ) -> Mapping[str, tuple[MetricSummary, ...]]:
        return super().summaries_of_runs(run_ids, None)


class TestMakesTables(TableContract):
    """Right tables pass; the class of the contract that is about them is enough."""

    @pytest.fixture
    def store(self) -> MakesTables:
        return MakesTables()


_TABLES = "test_tables_are_those_that_searches_give"
_KEYS = "test_keys_are_those_of_the_runs_that_are_found"
_FAULTS: list[tuple[type[MakesTables], str]] = [
    (KeepsItsOwnOrder, _TABLES),
    (ForgetsTheFilter, _TABLES),
    (KnowsNoParents, "test_children_stand_below_their_parents_wherever_those_are"),
    (ShowsTheBin, "test_children_stand_below_their_parents_wherever_those_are"),
    (NeverRevises, "test_a_revision_tells_of_new_changed_and_deleted_runs"),
    (ShowsTheLastForAll, _TABLES),
    (ShowsHalfOfThem, _TABLES),
    (ForgetsAttributes, _KEYS),
    (CountsAllRuns, _KEYS),
    (TellsEveryMetric, "test_summaries_of_many_runs_are_those_of_each"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        TrackingStoreContract, _test, store=_broken
    )
