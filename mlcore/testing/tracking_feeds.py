"""The part of the contract suite of tracking stores that is about what pages ask for again and again.

A store that has none of these abilities is asked through the kernel, which then reads and compares itself.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from uuid import uuid4

import pytest

from mlcore.entities import (
    Axis,
    Batch,
    Bucketed,
    BucketQuery,
    LifecycleStage,
    Metric,
    Overview,
    Param,
    RunChange,
    RunStatus,
    RunTag,
    Stat,
)
from mlcore.entities.experiment import ExperimentChange
from mlcore.interfaces import SupportsBuckets, TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_samples import DELETE_RUN, RESTORE_RUN, new_run
from mlcore.tracking.buckets import buckets, buckets_by_history
from mlcore.tracking.changes import changes
from mlcore.tracking.overview import overviews, overviews_by_search

_ALL = tuple(Stat)
_END = 2**63 - 1

# Odd curves by name, as pairs of step and value; the timestamps rise with the position.
_CURVES: dict[str, Sequence[tuple[int, float]]] = {
    "one point": [(7, 1.5)],
    "one that is no number": [(3, math.nan)],
    "long": [(step, math.sin(step) * step) for step in range(-300, 900)],
    "gaps": [(step, math.nan if step % 3 else float(step)) for step in range(0, 600, 2)],
    "nothing but gaps": [(step, math.nan) for step in range(200)],
    "infinities": [(step, (math.inf, -math.inf, 1.0, math.nan)[step % 4]) for step in range(150)],
    "largest": [(step, 1.7976931348623157e308 if step == 50 else -1.0) for step in range(100)],
    "equal steps": [(5, float(number)) for number in range(300)],
    "pairs of steps": [(number // 2, float(number % 7)) for number in range(400)],
    "backwards": [(400 - number, float(number)) for number in range(400)],
    "sparse": [(number * number * 1000, float(number)) for number in range(100)],
    "ends of the range": [(-_END - 1, 1.0), (-1, 2.0), (0, 3.0), (_END, 4.0)],
}


def _head(found: Bucketed) -> list[object]:
    """Return everything but the values, with NaN as something that equals itself."""
    curves = [(one.run_id, one.key, one.count, one.first_x, one.last_x, repr(one.last)) for one in found.curves]
    odd = [(one.nan, one.infinity, one.minus_infinity) for one in found.curves]
    return [found.exact, list(found.grid), curves, odd]


def _check(store: TrackingStore, query: BucketQuery) -> Bucketed:
    """Ask the store and the kernel, and compare."""
    found, expected = buckets(store, query), buckets_by_history(store, query)
    assert _head(found) == _head(expected)
    for own, other in zip(found.curves, expected.curves, strict=True):
        for column, meant in zip(own.columns, other.columns, strict=True):
            assert len(column) == len(found.grid)
            for value, wanted in zip(column, meant, strict=True):
                assert (
                    value == wanted
                    or math.isclose(value, wanted, rel_tol=1e-9)
                    or (value != value and wanted != wanted)
                )
    return found


class BucketContract(PluginModuleContract):
    """What is expected of curves on one grid: what reading the whole curves gives."""

    @pytest.mark.parametrize("axis", Axis)
    def test_odd_curves_are_put_on_a_grid_as_the_kernel_would(self, store: TrackingStore, axis: Axis) -> None:
        if not isinstance(store, SupportsBuckets):
            pytest.skip("the store leaves it to the kernel to put curves on a grid")
        runs = [store.create_run(new_run(start_time=500)).info.run_id for _ in range(2)]
        for place, (name, curve) in enumerate(_CURVES.items()):
            points = tuple(Metric(name, value, 1000 + number, step) for number, (step, value) in enumerate(curve))
            for start in range(0, len(points), 1000):
                store.log_batch(runs[place % 2], Batch(points[start : start + 1000]))
        names = tuple(_CURVES)

        for name in names:
            for wanted in (2, 40, 2000):
                for stats in (_ALL, (Stat.LAST,)):
                    _check(store, BucketQuery((*runs, "nope"), (name,), axis, buckets=wanted, stats=stats))
        for bounds in ((None, None), (0, 100), (None, 1100), (-5, None), (10**6, None), (_END, -_END)):
            found = _check(store, BucketQuery(tuple(runs), names[:-1], axis, bounds[0], bounds[1], 20, _ALL))
            assert all(bounds[0] is None or curve.first_x >= bounds[0] for curve in found.curves)

    def test_a_bucket_has_the_last_the_mean_and_the_extremes_of_its_points(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        values = [4.0, -2.0, math.nan, 1.0, 8.0, math.nan]
        store.log_batch(run_id, Batch(tuple(Metric("m", value, 1, step) for step, value in enumerate(values))))

        found = buckets(store, BucketQuery((run_id,), ("m",), buckets=2, stats=_ALL))

        (curve,) = found.curves
        assert (found.exact, list(found.grid)) == (False, [1.0, 4.0])
        assert [list(column) for column in curve.columns] == [[-2.0, 8.0], [1.0, 4.5], [-2.0, 1.0], [4.0, 8.0]]
        assert (curve.count, curve.first_x, curve.last_x, math.isnan(curve.last)) == (6, 0, 5, True)

    @pytest.mark.parametrize("more", [0, 400])
    def test_what_is_not_finite_is_told_by_its_position(self, store: TrackingStore, more: int) -> None:
        """In buckets, too, and also when nothing else is in them."""
        run_id = store.create_run(new_run()).info.run_id
        values = [1.0, math.nan, 2.0, math.inf, 5.0, -math.inf, 5.0, math.nan, *([3.0] * more)]
        points = [Metric("m", value, 1, step * 10) for step, value in enumerate(values)]
        store.log_batch(run_id, Batch(tuple(points)))

        found = buckets(store, BucketQuery((run_id,), ("m",), buckets=100))

        (curve,) = found.curves
        expected = ((0, 1), (0,), (1,)) if more else ((1, 7), (3,), (5,))
        assert (found.exact, curve.nan, curve.infinity, curve.minus_infinity) == (not more, *expected)
        assert len(curve.columns[0]) == len(found.grid)

    @pytest.mark.parametrize("axis", Axis)
    def test_only_points_after_the_place_of_their_run_are_told(self, store: TrackingStore, axis: Axis) -> None:
        one, two, all_of_it = (store.create_run(new_run(start_time=100)).info.run_id for _ in range(3))
        for run_id in (one, two, all_of_it):
            points = tuple(Metric("m", float(at), 100 + at, at) for at in range(-1, 4))
            store.log_batch(run_id, Batch(points))
        base = 100 if axis is Axis.TIME else 0
        since = ((one, base + 1), (two, base + 9))

        found = buckets(store, BucketQuery((one, two, all_of_it), ("m",), axis, since=since))
        later = buckets(store, BucketQuery((one,), ("m",), axis, base + 3, since=since))

        assert [(curve.run_id, curve.count) for curve in found.curves] == [(one, 2), (all_of_it, 5)]
        assert [curve.count for curve in later.curves] == [1]

    def test_time_counts_from_the_start_of_each_run(self, store: TrackingStore) -> None:
        runs = [store.create_run(new_run(start_time=start)).info.run_id for start in (1000, 5000)]
        for run_id, start in zip(runs, (1000, 5000), strict=True):
            store.log_batch(run_id, Batch((Metric("m", 1.0, start + 10, 3), Metric("m", 2.0, start + 30, 1))))

        relative = buckets(store, BucketQuery(tuple(runs), ("m",), Axis.RELATIVE, 10, 20))
        absolute = buckets(store, BucketQuery(tuple(runs), ("m",), Axis.TIME))

        assert (list(relative.grid), [curve.count for curve in relative.curves]) == ([10.0], [1, 1])
        assert list(absolute.grid) == [1010.0, 1030.0, 5010.0, 5030.0]

    def test_buckets_without_a_point_are_left_out(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        steps = [0, 1, 2, 1000, 1001, 10**15]
        store.log_batch(run_id, Batch(tuple(Metric("m", float(step), 1, step) for step in steps)))

        found = buckets(store, BucketQuery((run_id,), ("m",), buckets=5))

        assert [list(column) for column in found.curves[0].columns] == [[1001.0, 1e15]]
        assert len(found.grid) == 2


class ChangeCursorContract(PluginModuleContract):
    """What is expected of the question what has changed: it misses nothing."""

    def test_every_kind_of_change_is_told(self, store: TrackingStore) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        one, two = (store.create_run(new_run(where)).info.run_id for _ in range(2))
        cursor = changes(store, (where,), None).cursor
        steps: list[Callable[[], object]] = [
            lambda: store.log_batch(one, Batch((Metric("m", math.nan, 1, 1),))),
            lambda: store.log_batch(one, Batch((Metric("m", 1.0, 1, 2),))),
            lambda: store.log_batch(one, Batch(params=(Param("p", "1"),))),
            lambda: store.log_batch(one, Batch(tags=(RunTag("t", "1"),))),
            lambda: store.log_batch(one, Batch(tags=(RunTag("mlflow.runName", "new"),))),
            lambda: store.delete_tag(one, "t"),
            lambda: store.update_run(one, RunChange(run_name="newer")),
            lambda: store.update_run(one, DELETE_RUN),
            lambda: store.update_run(one, RESTORE_RUN),
            lambda: store.update_run(one, RunChange(status=RunStatus.FINISHED, end_time=5)),
        ]

        for step in steps:
            step()
            found = changes(store, (where,), cursor)
            assert (one in found.run_ids, found.more, found.cursor != cursor) == (True, False, True)
            cursor = found.cursor
            again = changes(store, (where,), cursor)
            assert (again.run_ids, again.cursor) == ((), cursor)
        assert changes(store, (where,), cursor).running == 1
        assert two

    def test_new_runs_and_those_that_go_with_their_experiment_are_told(self, store: TrackingStore) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        begin = changes(store, (where,), None)
        made = {store.create_run(new_run(where)).info.run_id for _ in range(3)}

        created = changes(store, (where,), begin.cursor)
        store.update_experiment(where, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))
        deleted = changes(store, (where,), created.cursor)
        store.update_experiment(where, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))
        restored = changes(store, (where,), deleted.cursor)

        assert [set(found.run_ids) for found in (begin, created, deleted, restored)] == [set(), made, made, made]
        assert [found.running for found in (begin, created, deleted, restored)] == [0, 3, 0, 3]

    def test_more_than_the_limit_comes_in_several_answers(self, store: TrackingStore) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        cursor = changes(store, (where,), None).cursor
        made = {store.create_run(new_run(where)).info.run_id for _ in range(12)}

        told: list[str] = []
        for _ in range(20):
            found = changes(store, (where,), cursor, 3)
            told += found.run_ids
            cursor = found.cursor
            if not found.more:
                break

        assert (set(told), found.more) == (made, False)
        assert changes(store, (where,), cursor).run_ids == ()

    def test_other_experiments_are_not_told_of(self, store: TrackingStore) -> None:
        places = [store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id for _ in "abc"]
        asked = (places[1], places[0], "987654321")
        cursor = changes(store, asked, None).cursor

        store.create_run(new_run(places[2]))
        quiet = changes(store, asked, cursor)
        made = [store.create_run(new_run(place)).info.run_id for place in places[:2]]
        found = changes(store, asked, quiet.cursor)

        assert (quiet.run_ids, quiet.cursor, quiet.running) == ((), cursor, 0)
        assert (set(found.run_ids), found.running) == (set(made), 2)

    @pytest.mark.parametrize("cursor", ["", "x", "0", "1:2", "999999999:1", "1.5", "Ж", "A" * 600, "-1", "1:x,2"])
    def test_a_cursor_that_is_none_counts_as_one_before_everything(self, store: TrackingStore, cursor: str) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        run_id = store.create_run(new_run(where)).info.run_id

        found = changes(store, (where,), cursor)

        assert found.run_ids == (run_id,)
        assert changes(store, (where,), found.cursor).run_ids == ()


class OverviewContract(PluginModuleContract):
    """What is expected of overviews: what a look at every run says."""

    def test_active_runs_are_counted_with_their_latest_time(self, store: TrackingStore) -> None:
        places = [store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id for _ in "abc"]
        runs = [store.create_run(new_run(places[0], start_time=start)).info.run_id for start in (5, 90, 7)]
        store.update_run(runs[0], RunChange(status=RunStatus.FAILED, end_time=60))
        store.update_run(runs[1], DELETE_RUN)
        store.create_run(new_run(places[1], start_time=3))
        asked = (*places, "987654321", "abc")

        found = overviews(store, asked)

        assert found == overviews_by_search(store, asked)
        assert found[places[0]] == Overview(places[0], 2, 1, 60)
        assert found[places[1]] == Overview(places[1], 1, 1, 3)
        assert [found[one] for one in asked[2:]] == [Overview(one) for one in asked[2:]]
        assert overviews(store, ()) == {}
