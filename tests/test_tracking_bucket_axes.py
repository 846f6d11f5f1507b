"""Curves over another metric in place of the step."""

from __future__ import annotations

import math
from uuid import uuid4

from mlcore.entities import Batch, BucketQuery, Metric, NewRun, Stat
from mlcore.testing import MemoryTrackingStore
from mlcore.tracking.bucket_axes import MetricAxis, buckets_over

_ALL = tuple(Stat)


def recorded(store: MemoryTrackingStore, **curves: dict[int, float]) -> str:
    run_id = store.create_run(NewRun("0", uuid4().hex, "r", "u", 1)).info.run_id
    points = [Metric(key, value, 1, step) for key, curve in curves.items() for step, value in curve.items()]
    store.log_batch(run_id, Batch(tuple(points)))
    return run_id


def test_points_are_where_the_other_metric_is_at_their_step() -> None:
    store = MemoryTrackingStore()
    curve = {0: 5.0, 1: 4.0, 2: math.nan, 3: 2.0, 9: 1.0}
    run_id = recorded(store, loss=curve, tokens={0: 100.0, 2: 300.0, 3: 50.0})

    found = buckets_over(store, BucketQuery((run_id,), ("loss",)), MetricAxis("tokens"))

    (one,) = found.curves
    assert (found.exact, list(found.grid)) == (True, [50.0, 100.0, 200.0, 300.0])
    assert (repr(list(one.columns[0])), one.nan) == ("[2.0, 5.0, 4.0, nan]", (3,))
    assert (one.count, one.first_x, one.last_x, one.last) == (5, 50.0, 300.0, 1.0)


def test_steps_at_one_place_are_put_together() -> None:
    store = MemoryTrackingStore()
    values = {step: float(value) for step, value in enumerate((3, 1, 8, 5))}
    run_id = recorded(store, loss=values, epoch={0: 1.0, 1: 1.0, 2: 1.0, 3: 2.0})

    found = buckets_over(store, BucketQuery((run_id,), ("loss",), stats=_ALL), MetricAxis("epoch"))

    assert [list(column) for column in found.curves[0].columns] == [[8.0, 5.0], [4.0, 5.0], [1.0, 5.0], [8.0, 5.0]]


def test_runs_without_the_other_metric_and_bounds_without_values_give_nothing() -> None:
    store = MemoryTrackingStore()
    one, two = recorded(store, loss={0: 1.0}, epoch={0: 1.0}), recorded(store, loss={0: 1.0})
    query = BucketQuery((one, two), ("loss",))

    assert [curve.run_id for curve in buckets_over(store, query, MetricAxis("epoch")).curves] == [one]
    assert buckets_over(store, query, MetricAxis("epoch", 2.0, 3.0)).curves == ()
    assert buckets_over(store, query, MetricAxis("nope")).curves == ()
    assert buckets_over(store, query, MetricAxis("nope", 0.0)).curves == ()


def test_many_places_are_cut_into_buckets_of_equal_width() -> None:
    store = MemoryTrackingStore()
    steps = range(300)
    run_id = recorded(store, loss={step: float(step) for step in steps}, x={step: -step / 3 for step in steps})

    found = buckets_over(store, BucketQuery((run_id,), ("loss",), buckets=10, stats=(Stat.MIN,)), MetricAxis("x"))

    assert (found.exact, len(found.grid)) == (False, 10)
    assert list(found.grid) == sorted(found.grid)
    assert list(found.curves[0].columns[0]) == sorted(found.curves[0].columns[0], reverse=True)
