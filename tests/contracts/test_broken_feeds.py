"""Tracking stores whose answers for pages are broken, each caught by the test that is about its fault."""

from __future__ import annotations

from array import array

from attrs import evolve

from mlcore.entities import Bucketed, BucketQuery, Changes, LifecycleStage, Overview, RunStatus, Stat
from mlcore.testing import MemoryTrackingStore, TrackingStoreContract
from mlcore.testing.proof import caught_by
from mlcore.tracking.buckets import buckets_by_history
from mlcore.tracking.changes import changes_by_search
from mlcore.tracking.overview import overviews_by_search


class FirstOfBucket(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        stats = tuple(Stat.MIN if stat is Stat.LAST else stat for stat in query.stats)
        return buckets_by_history(self, evolve(query, stats=stats))


class OddForgotten(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        found = buckets_by_history(self, query)
        return evolve(found, curves=tuple(evolve(one, nan=(), infinity=()) for one in found.curves))


class SinceForgotten(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        return buckets_by_history(self, evolve(query, since=query.since[:1]))


class BoundsOfSteps(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        return buckets_by_history(self, evolve(query, end=None if query.end is None else query.end + 1))


class NeverExact(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        return evolve(buckets_by_history(self, query), exact=False)


class EmptyBuckets(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        found = buckets_by_history(self, query)
        nothing = array("d", [float("nan")])
        curves = tuple(evolve(one, columns=tuple(column + nothing for column in one.columns)) for one in found.curves)
        return evolve(found, grid=found.grid + nothing, curves=curves)


class StartForgotten(MemoryTrackingStore):
    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        for kept in self.runs.values():
            kept.info = evolve(kept.info, start_time=kept.info.start_time + 1)
        return buckets_by_history(self, query)


class DeletionsUntold(MemoryTrackingStore):
    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        found = changes_by_search(self, experiment_ids, since, limit)
        shown = (one for one in found.run_ids if self.runs[one].info.lifecycle_stage is LifecycleStage.ACTIVE)
        return evolve(found, run_ids=tuple(shown))


class RestLost(MemoryTrackingStore):
    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        found = changes_by_search(self, experiment_ids, since, 10**9)
        return evolve(found, run_ids=found.run_ids[:limit], more=len(found.run_ids) > limit)


class ToldAgain(MemoryTrackingStore):
    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        return changes_by_search(self, experiment_ids, since and "x", limit)


class EveryExperiment(MemoryTrackingStore):
    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        return changes_by_search(self, tuple(self.experiments), since, limit)


class CountsTheEnded(MemoryTrackingStore):
    def overviews(self, experiment_ids: tuple[str, ...]) -> tuple[Overview, ...]:
        for kept in self.runs.values():
            kept.info = evolve(kept.info, status=RunStatus.RUNNING)
        return tuple(overviews_by_search(self, experiment_ids).values())


_FAULTS: list[tuple[type[MemoryTrackingStore], str]] = [
    (FirstOfBucket, "test_a_bucket_has_the_last_the_mean_and_the_extremes_of_its_points"),
    (OddForgotten, "test_what_is_not_finite_is_told_by_its_position"),
    (SinceForgotten, "test_only_points_after_the_place_of_their_run_are_told"),
    (BoundsOfSteps, "test_odd_curves_are_put_on_a_grid_as_the_kernel_would"),
    (NeverExact, "test_odd_curves_are_put_on_a_grid_as_the_kernel_would"),
    (EmptyBuckets, "test_buckets_without_a_point_are_left_out"),
    (StartForgotten, "test_time_counts_from_the_start_of_each_run"),
    (DeletionsUntold, "test_every_kind_of_change_is_told"),
    (DeletionsUntold, "test_new_runs_and_those_that_go_with_their_experiment_are_told"),
    (RestLost, "test_more_than_the_limit_comes_in_several_answers"),
    (ToldAgain, "test_every_kind_of_change_is_told"),
    (EveryExperiment, "test_other_experiments_are_not_told_of"),
    (CountsTheEnded, "test_active_runs_are_counted_with_their_latest_time"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        TrackingStoreContract, _test, store=_broken
    )
