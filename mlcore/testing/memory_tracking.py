"""A tracking store in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetInput,
    DatasetSummary,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Facet,
    Field,
    LifecycleStage,
    Metric,
    MetricSummary,
    NewRun,
    Page,
    Param,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunQuery,
    RunStatus,
    Series,
    SeriesQuery,
)
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    InvalidStateError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
)
from mlcore.testing.memory_logged import Kept
from mlcore.testing.memory_paging import page_of
from mlcore.testing.memory_replay import MemoryReplay
from mlcore.tracking.counts import count_runs_by_search, run_facets_by_search, search_datasets_by_search
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.series import series_by_history
from mlcore.tracking.summaries import summarize_all

NAME_TAG = "mlflow.runName"
ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class MemoryTrackingStore(MemoryReplay):
    """Keep experiments and runs in dicts; one lock makes each method one step."""

    def __init__(self) -> None:
        """Start with the default experiment."""
        super().__init__()
        self.experiments: dict[str, Experiment] = {}
        self.runs: dict[str, Kept] = {}
        self.create_experiment("Default", artifact_location=None, tags={})

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has. Raises AlreadyExistsError: the name is taken."""
        with self._lock:
            self._refuse_taken(name)
            made = str(1 + max((int(number) for number in self.experiments), default=-1))
            now = time.time_ns() // 1_000_000
            place = artifact_location or f"memory:/artifacts/{made}"
            self.experiments[made] = Experiment(made, name, place, ACTIVE, now, now, dict(tags))
            return self.experiments[made]

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere."""
        with self._lock:
            number, now = experiment.experiment_id, time.time_ns() // 1_000_000
            known = self.experiments.get(number)
            if known is not None and known.name == experiment.name:
                return known
            self._refuse_taken(experiment.name)
            if known is not None:
                raise AlreadyExistsError(f"the experiment {known.name!r} has the id {number!r} already")
            if not number.isdigit():
                raise InvalidParameterError(f"the id {number!r} is no decimal number, as ids are here")
            created = now if experiment.creation_time is None else experiment.creation_time
            changed = created if experiment.last_update_time is None else experiment.last_update_time
            place = experiment.artifact_location or f"memory:/artifacts/{number}"
            self.experiments[number] = evolve(
                experiment,
                artifact_location=place,
                creation_time=created,
                last_update_time=changed,
                tags=dict(experiment.tags),
            )
            return self.experiments[number]

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        with self._lock:
            if experiment_id not in self.experiments:
                raise NotFoundError(f"no experiment with id='{experiment_id}'")
            return self.experiments[experiment_id]

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        with self._lock:
            return next((found for found in self.experiments.values() if found.name == name), None)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it."""
        with self._lock:
            old, stage = self.get_experiment(experiment_id), change.lifecycle_stage
            self._check_change(old, change)
            tags = {key: value for key, value in old.tags.items() if key not in change.delete_tags}
            self.experiments[experiment_id] = evolve(
                old,
                name=change.name or old.name,
                lifecycle_stage=stage or old.lifecycle_stage,
                tags={**tags, **change.set_tags},
                last_update_time=time.time_ns() // 1_000_000,
            )
            if stage is not None:
                self._move_runs(experiment_id, stage)
            return self.experiments[experiment_id]

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        with self._lock:
            shown = [each for each in self.experiments.values() if query.view.shows(each.lifecycle_stage)]
        found = [each for each in shown if experiment_matches(query.filter, each)]
        return page_of(sort_experiments(found, query.order_by), query.max_results, query.page_token)

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run; a second call with the same run_id and experiment returns the run as it is."""
        with self._lock:
            place = self.get_experiment(new.experiment_id)
            known = self.runs.get(new.run_id)
            if known is not None:
                return self._same_experiment(known, new)
            self._refuse_deleted(f"experiment '{place.experiment_id}'", place.lifecycle_stage)
            info = RunInfo(
                run_id=new.run_id,
                experiment_id=new.experiment_id,
                run_name=new.run_name,
                user_id=new.user_id,
                status=RunStatus.RUNNING,
                start_time=new.start_time,
                end_time=None,
                artifact_uri=f"{place.artifact_location}/{new.run_id}/artifacts",
            )
            self.runs[new.run_id] = Kept(info, tags={**new.tags, NAME_TAG: new.run_name})
            return self.get_run(new.run_id)

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        with self._lock:
            kept = self._find(run_id)
            latest = tuple(summary.last for summary in summarize_all(kept.points.values()).values())
            data = RunData(latest, dict(kept.params), dict(kept.tags))
            inputs = RunInputs(tuple(kept.inputs.values()), tuple(kept.model_inputs))
            return Run(kept.info, data, inputs, tuple(kept.outputs))

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; a rename rewrites the tag `mlflow.runName`."""
        with self._lock:
            kept = self._find(run_id)
            if change != RunChange(lifecycle_stage=change.lifecycle_stage) and change.lifecycle_stage is not ACTIVE:
                self._refuse_deleted(f"run '{run_id}'", kept.info.lifecycle_stage)
            old = kept.info
            kept.info = evolve(
                old,
                status=change.status or old.status,
                end_time=_end(old, change),
                run_name=change.run_name or old.run_name,
                lifecycle_stage=change.lifecycle_stage or old.lifecycle_stage,
            )
            kept.tags[NAME_TAG] = kept.info.run_name
            return kept.info

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        with self._lock:
            kept = self._writable(run_id)
            kept.params = self._joined(kept.params, batch.params)
            for point in batch.metrics:
                kept.points[(point.key, point.step, point.timestamp, repr(point.value))] = point
            kept.tags |= {tag.key: tag.value for tag in batch.tags}
            kept.info = evolve(kept.info, run_name=kept.tags.get(NAME_TAG, kept.info.run_name))

    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        """Record batches of several callers, each all or nothing; return one outcome per pair."""
        outcomes: list[MlcoreError | None] = []
        with self._lock:
            for run_id, batch in items:
                try:
                    self.log_batch(run_id, batch)
                except MlcoreError as error:
                    outcomes.append(error)
                else:
                    outcomes.append(None)
        return outcomes

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        with self._lock:
            kept = self._writable(run_id)
            if key not in kept.tags:
                raise NotFoundError(f"no tag with name {key!r} in run with id='{run_id}'")
            del kept.tags[key]

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        with self._lock:
            kept = self._writable(run_id)
            for each in inputs:
                kept.inputs.setdefault((each.dataset.name, each.dataset.digest), each)

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        with self._lock:
            points = [point for point in self._find(run_id).points.values() if point.key == key]
        return page_of(sorted(points, key=_age), max_results, page_token)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        with self._lock:
            shown = [
                self.get_run(run_id)
                for run_id, kept in self.runs.items()
                if kept.info.experiment_id in query.experiment_ids and query.view.shows(kept.info.lifecycle_stage)
            ]
            summaries = {run.info.run_id: summarize_all(self.runs[run.info.run_id].points.values()) for run in shown}
        found = [run for run in shown if run_matches(query.filter, run, summaries[run.info.run_id])]
        return page_of(sort_runs(found, query.order_by, summaries), query.max_results, query.page_token)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        with self._lock:
            return tuple(summarize_all(self._find(run_id).points.values()).values())

    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        """Return one series per run and key that has points."""
        return series_by_history(self, query)

    def count_runs(self, query: RunQuery) -> int:
        """Return how many runs fit."""
        return count_runs_by_search(self, query)

    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a param, tag or text attribute among the runs that fit."""
        return run_facets_by_search(self, query, field, limit)

    def search_datasets(self, experiment_ids: tuple[str, ...], max_results: int) -> tuple[DatasetSummary, ...]:
        """Return the distinct datasets that active runs read."""
        return search_datasets_by_search(self, experiment_ids, max_results)

    def close(self) -> None:
        """Do nothing."""

    def _find(self, run_id: str) -> Kept:
        if run_id not in self.runs:
            raise NotFoundError(f"run with id='{run_id}' not found")
        return self.runs[run_id]

    def _writable(self, run_id: str) -> Kept:
        kept = self._find(run_id)
        self._refuse_deleted(f"run '{run_id}'", kept.info.lifecycle_stage)
        return kept

    def _same_experiment(self, known: Kept, new: NewRun) -> Run:
        if known.info.experiment_id != new.experiment_id:
            raise AlreadyExistsError(f"run '{new.run_id}' already exists in experiment '{known.info.experiment_id}'")
        return self.get_run(new.run_id)

    def _check_change(self, old: Experiment, change: ExperimentChange) -> None:
        if change.lifecycle_stage == old.lifecycle_stage:
            raise NotFoundError(f"experiment '{old.experiment_id}' is '{old.lifecycle_stage}' already")
        if change.lifecycle_stage is None:
            self._refuse_deleted(f"experiment '{old.experiment_id}'", old.lifecycle_stage)
        if change.name is not None and change.name != old.name:
            self._refuse_taken(change.name)
        for key in change.delete_tags:
            if key not in old.tags:
                raise NotFoundError(f"no tag {key!r} in experiment '{old.experiment_id}'")

    def _move_runs(self, experiment_id: str, stage: LifecycleStage) -> None:
        for kept in self.runs.values():
            if kept.info.experiment_id != experiment_id:
                continue
            if stage is DELETED and kept.info.lifecycle_stage is ACTIVE:
                kept.binned = True
                kept.info = evolve(kept.info, lifecycle_stage=DELETED)
            elif stage is ACTIVE and kept.binned:
                kept.binned = False
                kept.info = evolve(kept.info, lifecycle_stage=ACTIVE)

    def _refuse_taken(self, name: str) -> None:
        found = self.get_experiment_by_name(name)
        if found is not None:
            hint = " and is deleted: restore it, or" if found.lifecycle_stage is DELETED else ":"
            raise AlreadyExistsError(f"experiment {name!r} already exists{hint} choose another name")

    def _refuse_deleted(self, what: str, stage: LifecycleStage) -> None:
        if stage is DELETED:
            raise InvalidStateError(f"{what} must be in the 'active' state, it is 'deleted': restore it first")

    def _joined(self, old: dict[str, str], params: tuple[Param, ...]) -> dict[str, str]:
        """Return *old* with *params*; nothing is changed when one of them does not fit."""
        joined = dict(old)
        for param in params:
            if joined.setdefault(param.key, param.value) != param.value:
                raise ParamConflictError(
                    f"param {param.key!r} has the value {joined[param.key]!r} already, got {param.value!r}"
                )
        return joined


def _end(old: RunInfo, change: RunChange) -> int | None:
    if change.end_time is not None:
        return change.end_time
    return None if change.status is RunStatus.RUNNING else old.end_time


def _age(point: Metric) -> tuple[int, int, bool, float]:
    gap = math.isnan(point.value)
    return point.timestamp, point.step, gap, 0.0 if gap else point.value
