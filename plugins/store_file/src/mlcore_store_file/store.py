"""The tracking store in a directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlcore.entities import (
    Batch,
    DatasetInput,
    Entry,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Facet,
    Field,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    Metric,
    MetricSummary,
    ModelMetric,
    NewLoggedModel,
    NewRun,
    Page,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
    Series,
    SeriesQuery,
)
from mlcore.entities.logged_model import ModelOutput
from mlcore.errors import MlcoreError, NotFoundError
from mlcore.journal import Fault, Journal
from mlcore.tracking.series import by_step, thinned
from mlcore.tracking.summaries import summarize_all
from mlcore_store_file.experiments import Experiments
from mlcore_store_file.logged import LoggedModels
from mlcore_store_file.paging import page_of
from mlcore_store_file.part import Place
from mlcore_store_file.points import by_time, points_of
from mlcore_store_file.replaying import replay
from mlcore_store_file.runs import Runs
from mlcore_store_file.searching import RunSearch


class FileStore:
    """Keep experiments, runs and logged models in journals, one for each writer and object."""

    def __init__(self, place: Place) -> None:
        """Use `open`."""
        self._place = place
        self._experiments = Experiments(place)
        self._runs = Runs(place, self._experiments)
        self._logged = LoggedModels(place, self._experiments)
        self._search = RunSearch(place, self._experiments, self._runs)

    @classmethod
    def open(cls, path: Path, artifact_root: str | None = None) -> FileStore:
        """Open the store in a directory, making both when they are not there.

        Raises StoreUnavailableError: it is not there and cannot be made. CorruptStoreError, UnsupportedError: what is
        there is no store, or one of a later version.
        """
        store = cls(Place.open(path, artifact_root))
        store._experiments.ensure_default()
        return store

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The damage that was found so far; everything else was read."""
        return self._place.faults.found

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has. Raises AlreadyExistsError: the name is taken."""
        return self._experiments.create(name, artifact_location, dict(tags))

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        return self._experiments.get(experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        return self._experiments.by_name(name)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it."""
        return self._experiments.change(experiment_id, change)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        return self._experiments.search(query)

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere."""
        return self._experiments.adopt(experiment)

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run; a second call with the same run_id and experiment returns the run as it is."""
        return self._runs.create(new)

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        return self._runs.get(run_id)

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; a rename rewrites the tag `mlflow.runName`."""
        return self._runs.change(run_id, change)

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        self._runs.log(run_id, batch)

    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> list[MlcoreError | None]:
        """Record batches of several callers, each all or nothing; return one outcome per pair."""
        outcomes: list[MlcoreError | None] = []
        for run_id, batch in items:
            try:
                self._runs.log(run_id, batch)
            except MlcoreError as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
        return outcomes

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        self._runs.remove_tag(run_id, key)

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        self._runs.log_inputs(run_id, inputs)

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        self._runs.state(run_id)
        points = points_of(self._place.layout.run(run_id), self._place.faults, {key})
        return page_of(sorted(points, key=by_time), max_results, page_token)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        self._runs.state(run_id)
        return tuple(summarize_all(points_of(self._place.layout.run(run_id), self._place.faults)).values())

    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        """Return one series per run and key that has points."""
        found: list[Series] = []
        for run_id in dict.fromkeys(query.run_ids):
            try:
                self._runs.state(run_id)
            except NotFoundError:
                continue
            curves: dict[str, list[Metric]] = {}
            for point in points_of(self._place.layout.run(run_id), self._place.faults, set(query.keys)):
                too_early = query.min_step is not None and point.step < query.min_step
                if not too_early and (query.max_step is None or point.step <= query.max_step):
                    curves.setdefault(point.key, []).append(point)
            for key in sorted(curves):
                points = sorted(curves[key], key=by_step)
                found.append(Series(run_id, key, thinned(points, query.max_points), len(points)))
        return tuple(found)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        return self._search.runs(query)

    def count_runs(self, query: RunQuery) -> int:
        """Return how many runs fit."""
        return self._search.count(query)

    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a param, tag or text attribute among the runs that fit."""
        return self._search.facets(query, field, limit)

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model of an active experiment; the same model again is returned as it is."""
        return self._logged.create(new)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        return self._logged.get(model_id, allow_deleted=allow_deleted)

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step."""
        return self._logged.change(model_id, change)

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        return self._logged.search(query)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models: the latest point of each key, run and dataset."""
        self._runs.writable(run_id)
        self._logged.measure(run_id, metrics)

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once."""
        self._runs.link_models(run_id, inputs, outputs)

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> list[tuple[int, MlcoreError]]:
        """Store entries of one journal, in order; those that were stored by an earlier call are skipped."""
        return replay(self._place, self._runs, run_id, writer, entries)

    def journal(self, run_id: str) -> Journal:
        """Return the journal into which this process records the run; the same one until it is closed."""
        known = self._place.writers.known(self._place.layout.run(run_id))
        if known is not None:
            return known
        self._runs.writable(run_id)
        return self._runs.journal(run_id)

    def close(self) -> None:
        """Let go of files; further calls open them again."""
        with self._place.lock:
            self._place.writers.close()
            self._search.close()
