"""Broken tracking stores, each caught by the test that is about its fault."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetSummary,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Facet,
    Field,
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    Metric,
    ModelMetric,
    NewRun,
    Page,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
    RunStatus,
    Series,
    SeriesQuery,
)
from mlcore.errors import AlreadyExistsError, MlcoreError, NotFoundError
from mlcore.testing import MemoryTrackingStore, TrackingStoreContract
from mlcore.testing.proof import caught_by


class WrongOrder(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        found = super().search_runs(query)
        return evolve(found, items=found.items[::-1])


class OffByOnePage(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        found = super().search_runs(query)
        return evolve(found, items=found.items[:-1]) if found.next_token else found


class TokenAfterTheLastPage(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        found = super().search_runs(query)
        return evolve(found, next_token=found.next_token or "eyJvZmZzZXQiOiA5OTl9")


class IgnoresBadTokens(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        try:
            return super().search_runs(query)
        except MlcoreError:
            return super().search_runs(evolve(query, page_token=None))


class TimezoneSlip(MemoryTrackingStore):
    def create_experiment(self, name: str, **kwargs: Any) -> Experiment:
        made = super().create_experiment(name, **kwargs)
        slipped = (made.creation_time or 0) + 3_600_000
        self.experiments[made.experiment_id] = evolve(made, creation_time=slipped, last_update_time=slipped)
        return self.experiments[made.experiment_id]


class Seconds(MemoryTrackingStore):
    def create_experiment(self, name: str, **kwargs: Any) -> Experiment:
        made = super().create_experiment(name, **kwargs)
        seconds = int(time.time())
        self.experiments[made.experiment_id] = evolve(made, creation_time=seconds, last_update_time=seconds)
        return self.experiments[made.experiment_id]


class HalfABatch(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        super().log_batch(run_id, Batch(metrics=batch.metrics, tags=batch.tags))
        super().log_batch(run_id, Batch(params=batch.params))


class LostUpdate(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        kept = self._writable(run_id)
        before = dict(kept.points)
        super().log_batch(run_id, batch)
        kept.points = before | {k: v for k, v in kept.points.items() if v in batch.metrics[-1:]}


class SwallowedConflict(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        try:
            super().log_batch(run_id, batch)
        except MlcoreError:
            return


class KeepsEveryRetry(MemoryTrackingStore):
    count = 0

    def log_batch(self, run_id: str, batch: Batch) -> None:
        super().log_batch(run_id, batch)
        for point in batch.metrics:
            self.count += 1
            self.runs[run_id].points[(point.key, point.step, point.timestamp, str(self.count))] = point


class NanBecomesZero(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        points = tuple(evolve(p, value=p.value if abs(p.value) < float("inf") else 0.0) for p in batch.metrics)
        super().log_batch(run_id, evolve(batch, metrics=points))


class StepsWithoutSign(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        super().log_batch(run_id, evolve(batch, metrics=tuple(evolve(p, step=abs(p.step)) for p in batch.metrics)))


class LatestByArrival(MemoryTrackingStore):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        last = {point.key: point for point in self.runs[run_id].points.values()}
        return evolve(run, data=evolve(run.data, latest=tuple(last[key] for key in sorted(last))))


class HistoryByStep(MemoryTrackingStore):
    def get_metric_history(self, run_id: str, key: str, **kwargs: Any) -> Page[Metric]:
        found = super().get_metric_history(run_id, key, **kwargs)
        return evolve(found, items=tuple(sorted(found.items, key=lambda point: point.step)))


class RetryFails(MemoryTrackingStore):
    def create_run(self, new: NewRun) -> Run:
        with self._lock:
            if new.run_id in self.runs:
                raise AlreadyExistsError(f"run {new.run_id!r} already exists")
            return super().create_run(new)


class RetryStartsOver(MemoryTrackingStore):
    def create_run(self, new: NewRun) -> Run:
        self.runs.pop(new.run_id, None)
        return super().create_run(new)


class ChecksThenActs(MemoryTrackingStore):
    def _refuse_taken(self, name: str) -> None:
        super()._refuse_taken(name)

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        self._refuse_taken(name)
        time.sleep(0.01)
        number = str(len(self.experiments))
        made = Experiment(number, name, artifact_location or f"memory:/{number}", tags=tags)
        self.experiments[number] = made
        return made


class DeletedRunsComeBack(MemoryTrackingStore):
    def _move_runs(self, experiment_id: str, stage: Any) -> None:
        for kept in self.runs.values():
            kept.info = evolve(kept.info, lifecycle_stage=stage)


class WritesToDeletedRuns(MemoryTrackingStore):
    def _refuse_deleted(self, what: str, stage: Any) -> None:
        return


class NameTagForgotten(MemoryTrackingStore):
    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        tags = dict(self._find(run_id).tags)
        info = super().update_run(run_id, change)
        self.runs[run_id].tags = tags
        return info


class EndsRunsByItself(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: Batch) -> None:
        super().log_batch(run_id, batch)
        super().update_run(run_id, RunChange(status=RunStatus.FINISHED))


class HalfAChange(MemoryTrackingStore):
    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        if change.name:
            super().update_experiment(experiment_id, ExperimentChange(name=change.name))
        return super().update_experiment(experiment_id, evolve(change, name=None))


class PythonErrors(MemoryTrackingStore):
    def get_run(self, run_id: str) -> Run:
        if run_id not in self.runs:
            raise NotFoundError("not found")
        return super().get_run(run_id)


class FilterAfterThePage(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        page = super().search_runs(evolve(query, filter=None))
        hits = {r.info.run_id for r in super().search_runs(evolve(query, max_results=1000, page_token=None)).items}
        return evolve(page, items=tuple(r for r in page.items if r.info.run_id in hits))


class ShowsDeletedExperiments(MemoryTrackingStore):
    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        from mlcore.entities import ViewType

        return super().search_experiments(evolve(query, view=ViewType.ALL))


class TurnsTheOrder(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        turned = tuple(evolve(order, ascending=not order.ascending) for order in query.order_by)
        return super().search_runs(evolve(query, order_by=turned))


class IgnoresTheFilter(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        return super().search_runs(evolve(query, filter=None))


class ForgetsOnClose(MemoryTrackingStore):
    def close(self) -> None:
        self.runs.clear()


class GroupOfAllOrNothing(MemoryTrackingStore):
    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        found = super().log_batches(items)
        return [next((each for each in found if each), None)] * len(found)


class GroupInAnyOrder(MemoryTrackingStore):
    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        return super().log_batches(items[::-1])[::-1]


class GroupKeepsHalves(MemoryTrackingStore):
    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        for run_id, batch in items:
            kept = self.runs.get(run_id)
            if kept is not None:
                kept.points.update({(p.key, p.step, p.timestamp, repr(p.value)): p for p in batch.metrics})
        return super().log_batches(items)


class GroupForgetsTheFirst(MemoryTrackingStore):
    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        return [None for _ in items[:1]] + super().log_batches(items[1:])


class ModelMetricsByArrival(MemoryTrackingStore):
    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        for metric in metrics:
            model = self.get_logged_model(metric.model_id)
            if any(each.point.key == metric.point.key and each.run_id == run_id for each in model.metrics):
                kept = tuple(each for each in model.metrics if each.dataset_digest != metric.dataset_digest)
                self.models[metric.model_id] = evolve(model, metrics=kept)
            super().log_model_metrics(run_id, (metric,))


class ShowsDeletedModels(MemoryTrackingStore):
    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        del allow_deleted
        return super().get_logged_model(model_id, allow_deleted=True)


class HalfAModelChange(MemoryTrackingStore):
    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        super().update_logged_model(model_id, evolve(change, delete_tags=(), add_params={}, set_tags={"new": "1"}))
        return super().update_logged_model(model_id, change)


class LinksTwice(MemoryTrackingStore):
    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        return evolve(run, outputs=run.outputs * 2)


class ForgetsDatasetsOfFilters(MemoryTrackingStore):
    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        return super().search_logged_models(evolve(query, datasets=()))


class EveryNthPoint(MemoryTrackingStore):
    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        whole = super().metric_series(evolve(query, max_points=10_000))
        return tuple(evolve(each, points=each.points[:: 1 + each.count // query.max_points]) for each in whole)


class SeriesByKey(MemoryTrackingStore):
    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        return tuple(sorted(super().metric_series(query), key=lambda each: each.key))


class BoundsLeftOut(MemoryTrackingStore):
    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        low = None if query.min_step is None else query.min_step + 1
        return super().metric_series(evolve(query, min_step=low))


class CountsThePage(MemoryTrackingStore):
    def count_runs(self, query: RunQuery) -> int:
        return len(self.search_runs(evolve(query, max_results=1)).items)


class RareValuesFirst(MemoryTrackingStore):
    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        return super().run_facets(query, field, limit)[::-1]


class DatasetsOfDeletedRuns(MemoryTrackingStore):
    def search_datasets(self, experiment_ids: tuple[str, ...], max_results: int) -> tuple[DatasetSummary, ...]:
        for kept in self.runs.values():
            kept.info = evolve(kept.info, lifecycle_stage=LifecycleStage.ACTIVE)
        return super().search_datasets(experiment_ids, max_results)


class BareColumns(MemoryTrackingStore):
    def search_runs(self, query: RunQuery) -> Page[Run]:
        found = super().search_runs(query)
        if query.columns is None:
            return found
        return evolve(found, items=tuple(Run(run.info) for run in found.items))


_FAULTS: list[tuple[type[MemoryTrackingStore], str]] = [
    (WrongOrder, "test_runs_come_newest_first_with_everything_recorded"),
    (WrongOrder, "test_pages_of_runs_with_equal_times_hold_each_run_once"),
    (OffByOnePage, "test_pages_follow_each_other_and_the_last_one_says_so"),
    (TokenAfterTheLastPage, "test_pages_follow_each_other_and_the_last_one_says_so"),
    (IgnoresBadTokens, "test_a_bad_page_token_is_refused"),
    (TimezoneSlip, "test_times_of_an_experiment_are_milliseconds_of_utc"),
    (Seconds, "test_times_of_an_experiment_are_milliseconds_of_utc"),
    (HalfABatch, "test_a_param_with_another_value_is_refused_and_nothing_of_the_batch_is_kept"),
    (LostUpdate, "test_a_batch_is_read_back"),
    (SwallowedConflict, "test_one_batch_cannot_give_a_param_two_values"),
    (KeepsEveryRetry, "test_a_batch_that_is_sent_again_changes_nothing"),
    (KeepsEveryRetry, "test_a_point_that_is_there_already_is_kept_once"),
    (NanBecomesZero, "test_summaries_hold_last_min_max_and_count_of_each_curve"),
    (StepsWithoutSign, "test_the_largest_and_smallest_steps_and_timestamps_are_kept"),
    (LatestByArrival, "test_the_latest_point_is_the_greatest_by_step_then_timestamp_then_value"),
    (HistoryByStep, "test_history_is_ordered_by_timestamp_then_step_then_value"),
    (RetryFails, "test_creating_the_same_run_again_returns_it_as_it_is"),
    (RetryFails, "test_64_threads_that_create_one_run_all_get_that_run"),
    (RetryStartsOver, "test_creating_the_same_run_again_returns_it_as_it_is"),
    (ChecksThenActs, "test_of_64_threads_that_create_one_experiment_one_succeeds_and_all_find_it"),
    (DeletedRunsComeBack, "test_a_run_that_was_deleted_before_its_experiment_stays_deleted"),
    (WritesToDeletedRuns, "test_a_deleted_run_is_read_but_not_written"),
    (NameTagForgotten, "test_a_renamed_run_has_its_name_in_the_tag"),
    (EndsRunsByItself, "test_any_series_of_calls_has_the_outcome_that_it_has_in_memory"),
    (HalfAChange, "test_deleting_a_missing_experiment_tag_is_not_found_and_changes_nothing"),
    (PythonErrors, "test_an_unknown_run_is_not_found_by_any_method"),
    (FilterAfterThePage, "test_a_filter_and_an_order_apply_before_the_page_is_cut"),
    (ShowsDeletedExperiments, "test_experiments_are_searched_by_filter_view_and_page"),
    (TurnsTheOrder, "test_searches_find_the_runs_that_the_reference_finds_in_its_order"),
    (IgnoresTheFilter, "test_searches_find_the_runs_that_the_reference_finds_in_its_order"),
    (GroupOfAllOrNothing, "test_a_refused_batch_leaves_nothing_and_the_others_are_kept"),
    (GroupKeepsHalves, "test_a_refused_batch_leaves_nothing_and_the_others_are_kept"),
    (GroupInAnyOrder, "test_of_two_batches_that_give_a_param_two_values_the_first_is_kept"),
    (GroupInAnyOrder, "test_of_several_tags_of_one_key_the_one_of_the_last_batch_wins"),
    (GroupForgetsTheFirst, "test_batches_together_have_the_outcome_that_they_have_one_by_one"),
    (GroupForgetsTheFirst, "test_groups_of_many_threads_lose_nothing"),
    (ModelMetricsByArrival, "test_the_latest_point_of_each_key_run_and_dataset_is_kept"),
    (ShowsDeletedModels, "test_a_deleted_logged_model_is_hidden_and_can_be_deleted_again_and_restored"),
    (HalfAModelChange, "test_a_refused_change_of_a_logged_model_changes_nothing"),
    (LinksTwice, "test_models_that_a_run_read_and_made_come_with_the_run"),
    (ForgetsDatasetsOfFilters, "test_searches_find_the_logged_models_that_the_reference_finds_in_its_order"),
    (EveryNthPoint, "test_a_long_curve_keeps_its_ends_and_its_peaks"),
    (SeriesByKey, "test_short_curves_come_whole_by_run_in_the_order_asked_then_by_key"),
    (BoundsLeftOut, "test_steps_outside_of_the_bounds_are_left_out"),
    (CountsThePage, "test_counts_heed_experiments_and_view"),
    (RareValuesFirst, "test_counts_heed_experiments_and_view"),
    (DatasetsOfDeletedRuns, "test_datasets_are_listed_once_per_experiment_and_context"),
    (BareColumns, "test_wanted_columns_come_with_the_info_of_the_runs"),
    (ForgetsOnClose, "test_a_closed_store_opens_again_by_itself"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        TrackingStoreContract, _test, store=_broken
    )
