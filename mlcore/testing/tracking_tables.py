"""The part of the contract suite of tracking stores that is about tables of runs: windows, trees, groups and keys.

A store that has none of these abilities is asked through the kernel, which then searches itself.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcore.entities import (
    Batch,
    Field,
    Filter,
    KeyFacets,
    Metric,
    NewRun,
    OrderBy,
    Param,
    RunChange,
    RunGroupQuery,
    RunQuery,
    RunStatus,
    RunTableQuery,
    RunTag,
    ViewType,
)
from mlcore.interfaces import SupportsKeyFacets, SupportsRunTables, SupportsSummaries, TrackingStore
from mlcore.testing.filter_strategies import (
    METRIC_KEYS,
    PARAM_KEYS,
    TAG_KEYS,
    RecordedRun,
    run_filters,
    run_lists,
    run_orders,
)
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_oracle import ORACLE_SETTINGS, record, shown
from mlcore.testing.tracking_samples import DEFAULT, DELETE_RUN, new_run
from mlcore.tracking.table_facets import key_facets, key_facets_by_search
from mlcore.tracking.table_groups import group_filter, run_groups
from mlcore.tracking.table_search import PARENT, run_cells_by_search, run_outline_by_search
from mlcore.tracking.table_summaries import summaries_of_runs, summaries_one_by_one
from mlcore.tracking.table_windows import run_table
from mlcore.wire.filter_parser import parse_run_filter

_FEWER = settings(ORACLE_SETTINGS, max_examples=60)
_STATS = ("last", "min", "max", "count")
_COLUMNS = (
    *(Field("metric", key, stat) for key in METRIC_KEYS for stat in _STATS),
    *(Field("param", key) for key in PARAM_KEYS),
    *(Field("tag", key) for key in TAG_KEYS),
    *(Field("attribute", key) for key in ("status", "duration", "start_time", "end_time", "experiment_id", "run_name")),
    Field("attribute", "lifecycle_stage"),
)


def _recorded(store: TrackingStore, recorded: Sequence[RecordedRun], above: Sequence[int | None] = ()) -> str:
    """Record runs into an experiment of their own; the n-th is a child of the run number *above[n]*."""
    where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
    ids = [uuid4().hex for _ in recorded]
    for number, run in enumerate(recorded):
        parent = above[number] if number < len(above) else None
        tags = {} if parent is None else {PARENT.key: "" if parent >= len(ids) else ids[parent]}
        record(store, evolve(run, new=evolve(run.new, run_id=ids[number], experiment_id=where, tags=tags)))
    return where


def _sorted(found: KeyFacets) -> list[str]:
    return sorted(shown(evolve(facet, distinct=int(facet.distinct))) for facet in found.keys)


class TableContract(PluginModuleContract):
    """What is expected of tables of runs: what the kernel makes of searches."""

    @_FEWER
    @given(
        recorded=run_lists(),
        above=st.lists(st.none() | st.integers(0, 8), max_size=6),
        tree=st.none() | run_filters(),
        order=run_orders(),
        columns=st.lists(st.sampled_from(_COLUMNS), max_size=12, unique=True),
    )
    def test_tables_are_those_that_searches_give(
        self,
        store: TrackingStore,
        recorded: list[RecordedRun],
        above: list[int | None],
        tree: Filter | None,
        order: tuple[OrderBy, ...],
        columns: list[Field],
    ) -> None:
        if not isinstance(store, SupportsRunTables):
            pytest.skip("the store has its tables made by the kernel")
        where = _recorded(store, recorded, above)
        query = RunQuery((where,), tree, order)

        outline = store.run_outline(query, parents=True)
        expected = run_outline_by_search(store, query, parents=True)

        assert list(outline.run_ids) == list(expected.run_ids)
        assert list(outline.parents) == list(expected.parents)
        assert list(store.run_outline(query, parents=False).run_ids) == list(expected.run_ids)
        cells = store.run_cells([*outline.run_ids, "nope"], columns)
        assert shown(sorted(cells.items(), key=str)) == shown(
            sorted(run_cells_by_search(store, (where,), outline.run_ids, columns).items(), key=str)
        )

    @_FEWER
    @given(recorded=run_lists(), tree=st.none() | run_filters(), values=st.integers(0, 3))
    def test_keys_are_those_of_the_runs_that_are_found(
        self, store: TrackingStore, recorded: list[RecordedRun], tree: Filter | None, values: int
    ) -> None:
        if not isinstance(store, SupportsKeyFacets):
            pytest.skip("the store has its keys counted by the kernel")
        query = RunQuery((_recorded(store, recorded),), tree)

        found, expected = store.key_facets(query, values), key_facets_by_search(store, query, values)

        assert found.total == expected.total
        assert _sorted(found) == _sorted(expected)

    @_FEWER
    @given(recorded=run_lists(), keys=st.none() | st.lists(st.sampled_from(METRIC_KEYS), unique=True))
    def test_summaries_of_many_runs_are_those_of_each(
        self, store: TrackingStore, recorded: list[RecordedRun], keys: list[str] | None
    ) -> None:
        if not isinstance(store, SupportsSummaries):
            pytest.skip("the store has its runs asked one by one by the kernel")
        where = _recorded(store, recorded)
        run_ids = [run.info.run_id for run in store.search_runs(RunQuery((where,))).items]

        found = store.summaries_of_runs([*run_ids, "nope"], keys)

        expected = summaries_one_by_one(store, run_ids, keys)
        assert shown(sorted(found.items())) == shown(sorted(expected.items()))

    def test_children_stand_below_their_parents_wherever_those_are(self, store: TrackingStore) -> None:
        made: dict[str, str] = {}
        plan = (("a", ""), ("b", "a"), ("c", "b"), ("d", "a"), ("gone", ""), ("e", "gone"), ("f", "f"))
        for start, (name, parent) in enumerate(plan):
            run_id = uuid4().hex
            tags = {PARENT.key: run_id if parent == name else made[parent]} if parent else {}
            made[name] = store.create_run(NewRun(DEFAULT, run_id, name, "ada", start, tags)).info.run_id
        x, y = (store.create_run(new_run(start_time=start)).info.run_id for start in (20, 21))
        store.log_batch(x, Batch(tags=(RunTag(PARENT.key, y), RunTag("mlflow.runName", "x"))))
        store.log_batch(y, Batch(tags=(RunTag(PARENT.key, x), RunTag("mlflow.runName", "y"))))
        store.update_run(made["gone"], DELETE_RUN)
        query = RunTableQuery((DEFAULT,), order_by=(OrderBy(Field("attribute", "start_time")),), tree=True)

        whole, page = run_table(store, query), run_table(store, evolve(query, offset=2, limit=3))
        closed = run_table(store, evolve(query, collapsed=frozenset((made["a"],))))
        binned = run_table(store, evolve(query, view=ViewType.ALL))

        rows = [(row.cells.info.run_name, row.depth, row.children) for row in whole.rows]
        expected = [
            ("a", 0, 2),
            ("b", 1, 1),
            ("c", 2, 0),
            ("d", 1, 0),
            ("e", 0, 0),
            ("f", 0, 0),
            ("x", 0, 1),
            ("y", 1, 0),
        ]
        assert rows == expected
        assert (whole.total, whole.matching) == (8, 8)
        assert (page.rows, page.total) == (whole.rows[2:5], 8)
        assert [row.cells.info.run_name for row in closed.rows] == ["a", "e", "f", "x", "y"]
        assert (closed.rows[0].children, closed.total, closed.matching) == (2, 5, 8)
        assert [row.depth for row in binned.rows if row.cells.info.run_name in ("gone", "e")] == [0, 1]

    def test_every_group_is_opened_by_its_filter(self, store: TrackingStore) -> None:
        texts = ("it's", 'say "x"', 'it\'s "x"', "it's 'x'", "plain", "é 日本", "a%b", "", "it\u00a0s")
        for number, text in enumerate((*texts, *texts[:3], None)):
            run_id = store.create_run(new_run(team=str(number % 2))).info.run_id
            params = () if text is None else (Param("p q", text),)
            store.log_batch(run_id, Batch((Metric("m", float(number), 1),), params))
        by, columns = (Field("param", "p q"), Field("tag", "team")), (Field("metric", "m"),)

        found = run_groups(store, RunGroupQuery((DEFAULT,), by, columns=columns))

        assert (found.matching, found.total) == (len(texts) + 4, len(found.groups))
        for group in found.groups:
            asked = parse_run_filter(group_filter(by, group.values))
            assert run_table(store, RunTableQuery((DEFAULT,), asked)).total == group.count, group.values
        assert found.groups[-1].values[0] is None

    def test_groups_leave_nan_out_and_say_where_infinities_are(self, store: TrackingStore) -> None:
        for value in (math.nan, 1.0, 3.0, math.inf):
            run_id = store.create_run(new_run(team="a" if value < 4 else "b")).info.run_id
            store.log_batch(run_id, Batch((Metric("m", value, 1), Metric("n", math.nan, 1))))
        columns = (Field("metric", "m"), Field("metric", "n"))

        found = run_groups(store, RunGroupQuery((DEFAULT,), (Field("tag", "team"),), columns=columns)).groups

        stats = {group.values[0]: group.stats for group in found}
        assert shown(stats["a"][columns[0]]) == "ColumnStats(min=1.0, max=3.0, mean=2.0)"
        # where a store keeps no infinities it keeps the largest float
        assert min(stats["b"][columns[0]].min, stats["b"][columns[0]].mean) >= sys.float_info.max
        assert all(columns[1] not in each for each in stats.values())

    def test_groups_have_means_of_params_that_are_numbers(self, store: TrackingStore) -> None:
        for team, depth in (("a", "2"), ("a", "4"), ("b", "1"), ("b", "deep")):
            run_id = store.create_run(new_run(team=team)).info.run_id
            store.log_batch(run_id, Batch(params=(Param("depth", depth),)))
        column = Field("param", "depth")

        found = run_groups(store, RunGroupQuery((DEFAULT,), (Field("tag", "team"),), columns=(column,))).groups

        stats = {group.values[0]: group.stats for group in found}
        assert shown(stats["a"][column]) == "ColumnStats(min=2.0, max=4.0, mean=3.0)"
        assert stats["b"] == {}

    def test_a_revision_tells_of_new_changed_and_deleted_runs(self, store: TrackingStore) -> None:
        def revision() -> str:
            return run_table(store, RunTableQuery((DEFAULT,), limit=1)).revision

        seen = [revision()]
        run_id = store.create_run(new_run()).info.run_id
        seen.append(revision())
        again = revision()
        store.update_run(run_id, RunChange(status=RunStatus.FINISHED, end_time=7))
        seen.append(revision())
        store.create_run(new_run())
        seen.append(revision())
        store.update_run(run_id, DELETE_RUN)
        seen.append(revision())

        assert again == seen[1]
        assert len(set(seen)) == 5

    def test_nothing_is_found_in_no_experiment(self, store: TrackingStore) -> None:
        for asked in ((), ("99",), ("abc",)):
            assert run_table(store, RunTableQuery(asked, tree=True)).total == 0
            assert key_facets(store, RunQuery(asked)).total == 0
        assert dict(summaries_of_runs(store, (), None)) == {}
