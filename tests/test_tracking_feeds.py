"""What the kernel works out for pages, beyond what the contract suite of stores asks."""

from __future__ import annotations

import math
from uuid import uuid4

import pytest

from mlcore.entities import Batch, BucketQuery, Metric, NewRun, RunTag, Stat
from mlcore.errors import InvalidParameterError
from mlcore.testing import MemoryRegistryStore, MemoryTrackingStore
from mlcore.tracking.buckets import Curve, bucketed, buckets
from mlcore.tracking.changes import changes
from mlcore.tracking.finding import find


def new_run(store: MemoryTrackingStore, name: str = "r", where: str = "0", start_time: int = 1) -> str:
    return store.create_run(NewRun(where, uuid4().hex, name, "u", start_time)).info.run_id


def everything(_: str, ids: object) -> frozenset[str]:
    return frozenset(ids)  # type: ignore[call-overload, no-any-return]  # a sequence of ids


def test_an_answer_that_nobody_could_draw_is_refused() -> None:
    curves = [Curve("r", str(number), range(3000), [1.0] * 3000) for number in range(1400)]

    with pytest.raises(InvalidParameterError, match="1400 curves with 1500 buckets and 4 stats are 8400000 values"):
        bucketed(BucketQuery((), (), buckets=1500, stats=tuple(Stat)), curves)


def test_curves_that_do_not_exist_make_an_empty_answer() -> None:
    found = buckets(MemoryTrackingStore(), BucketQuery(("nope",), ("m",)))

    assert (found.exact, list(found.grid), found.curves) == (True, [], ())


def test_a_mean_of_both_infinities_is_no_number() -> None:
    store = MemoryTrackingStore()
    run_id = new_run(store)
    points = tuple(Metric("m", value, 1, 0) for value in (math.inf, -math.inf))
    store.log_batch(run_id, Batch(points))

    (curve,) = buckets(store, BucketQuery((run_id,), ("m",), stats=tuple(Stat))).curves

    assert [repr(column[0]) for column in curve.columns] == ["inf", "nan", "-inf", "inf"]


def test_a_cursor_stays_short_however_many_runs_there_are() -> None:
    store = MemoryTrackingStore()
    runs = [new_run(store) for _ in range(300)]
    cursor = changes(store, ("0",), None).cursor

    store.log_batch(runs[7], Batch(tags=(RunTag("t", "1"),)))
    found = changes(store, ("0",), cursor)

    assert len(cursor) == 512
    assert runs[7] in found.run_ids
    assert len(found.run_ids) < 40  # those of one group


def test_the_best_names_come_first() -> None:
    store, registry = MemoryTrackingStore(), MemoryRegistryStore()
    for name in ("the loss", "loss of all", "Loss", "other"):
        store.create_experiment(name, artifact_location=None, tags={})
        registry.create_model(name, description="", tags={})

    found = find(store, registry, "loss", 10, everything)

    assert [one.name for one in found.experiments][:2] == ["Loss", "loss of all"]
    assert set(found.models) == {"the loss", "loss of all", "Loss"}


def test_what_may_not_be_read_takes_no_place_of_what_may() -> None:
    store = MemoryTrackingStore()
    hidden = store.create_experiment("hidden", artifact_location=None, tags={}).experiment_id
    for _ in range(5):
        new_run(store, "wanted", hidden, start_time=9)
    shown = new_run(store, "wanted")

    found = find(store, None, "wanted", 1, lambda _, ids: frozenset(ids) - {hidden})

    assert [run.info.run_id for run in found.runs] == [shown]
    assert found.models == ()


def test_a_run_that_is_called_exactly_so_comes_before_many_newer_ones() -> None:
    store = MemoryTrackingStore()
    for number in range(1, 21):
        new_run(store, f"run {number}", start_time=number)

    found = find(store, None, "run 1", 8, everything)

    assert found.runs[0].info.run_name == "run 1"
    assert len(found.runs) == 8
