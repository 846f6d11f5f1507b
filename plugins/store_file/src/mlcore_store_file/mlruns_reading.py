"""Experiments and runs of an `mlruns` tree, read in place."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from mlcore.entities import (
    Experiment,
    ExperimentQuery,
    LifecycleStage,
    LoggedModel,
    LoggedModelQuery,
    Metric,
    MetricSummary,
    Page,
    Run,
    RunQuery,
)
from mlcore.errors import CorruptStoreError, InvalidStateError, NotFoundError, StoreUnavailableError
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.evaluate_logged import logged_model_matches, sort_logged_models
from mlcore_store_file.mlruns_locations import Locations
from mlcore_store_file.mlruns_memory import Memory
from mlcore_store_file.mlruns_models import read_model
from mlcore_store_file.mlruns_paging import page_of
from mlcore_store_file.mlruns_records import experiment_of, text
from mlcore_store_file.mlruns_runs import RunRecord, Runs, copied
from mlcore_store_file.mlruns_tree import META, METRICS, MODELS, PARAMS, RESERVED, TAGS, FoundFile, Tree

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


@frozen
class FoundRun:
    """Where a run is: its experiment's folder and its own; `binned` as in `run_info_of`."""

    run_id: str
    experiment: str
    folder: str
    binned: bool


class MlrunsReader:
    """What tracking stores answer, read from an `mlruns` tree; one that is written to is locked meanwhile."""

    def __init__(self, root: Path, *, locking: bool, artifact_root: str | None = None) -> None:
        """Use the tree at *root*.

        locking: keep others of mlcore from changing what is read. artifact_root: where new experiments put artifacts.
        """
        self._tree = Tree(root)
        self._locking = locking
        self._locations = Locations(self._tree, artifact_root)
        self._runs = Runs(self._tree, self._locations)
        self._experiments_known: Memory[Experiment | None] = Memory()
        self._models_known: Memory[LoggedModel | None] = Memory()
        self._where: dict[str, str] = {}

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        with self._holding(self._tree.root):
            return self._experiment(experiment_id)[1]

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        with self._holding(self._tree.root):
            return next((found for found in self._experiments() if found.name == name), None)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        with self._holding(self._tree.root):
            shown = [each for each in self._experiments() if query.view.shows(each.lifecycle_stage)]
        found = [each for each in shown if experiment_matches(query.filter, each)]
        return page_of(sort_experiments(found, query.order_by), query.max_results, query.page_token)

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        return copied(self._record(run_id).run)

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        with self._holding(self._tree.root):
            found = self._find(run_id)
            with self._holding(found.folder):
                points = self._runs.history(found.folder, key)
        return page_of(points, max_results, page_token)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        with self._holding(self._tree.root):
            records = [each for where in dict.fromkeys(query.experiment_ids) for each in self._records(where)]
        shown = [each for each in records if query.view.shows(each.run.info.lifecycle_stage)]
        found = [each.run for each in shown if run_matches(query.filter, each.run, each.summaries)]
        summaries = {each.run.info.run_id: each.summaries for each in shown}
        page = page_of(sort_runs(found, query.order_by, summaries), query.max_results, query.page_token)
        return Page(tuple(map(copied, page.items)), page.next_token)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        return tuple(self._record(run_id).summaries.values())

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        with self._holding(self._tree.root):
            return self._logged_model(model_id, allow_deleted=allow_deleted)

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        with self._holding(self._tree.root):
            everything = [each for where in dict.fromkeys(query.experiment_ids) for each in self._models(where)]
        shown = [each for each in everything if each.lifecycle_stage is ACTIVE]
        found = [each for each in shown if logged_model_matches(query.filter, each, query.datasets)]
        return page_of(sort_logged_models(found, query.order_by, query.datasets), query.max_results, query.page_token)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @contextlib.contextmanager
    def _holding(self, folder: str) -> Iterator[None]:
        if self._locking:
            from mlcore_store_file.mlruns_change import together  # not for readers: some systems have no such locks

            with together(folder):
                yield
        else:
            yield

    def _experiment(self, experiment_id: str) -> tuple[str, Experiment]:
        """Return an experiment and its folder."""
        folder = self._tree.experiment(experiment_id)
        found = self._read_experiment(folder) if folder is not None else None
        if folder is None or found is None:
            raise NotFoundError(f"no experiment with id='{experiment_id}'")
        return folder, found

    def _experiments(self) -> Iterator[Experiment]:
        for _, folder in self._tree.experiments():
            found = self._read_experiment(folder)
            if found is not None:
                yield found

    def _read_experiment(self, folder: str) -> Experiment | None:
        files = self._tree.files(os.path.join(folder, TAGS))
        with_meta = [*files, *self._tree.files_of(folder, META)]
        found = self._experiments_known.get(folder, with_meta, lambda: self._make_experiment(folder, files))
        return None if found is None else evolve(found, tags=dict(found.tags))

    def _make_experiment(self, folder: str, files: list[FoundFile]) -> Experiment | None:
        fields = self._tree.meta(folder)
        if fields is None:
            if all(file.key != META for file in self._tree.files_of(folder, META)) and self._holds_runs(folder):
                self._tree.report(folder, f"holds runs and has no {META}: all of them are left out")
            return None
        experiment_id = os.path.basename(folder)
        if text(fields, "experiment_id") != experiment_id:
            fault = f"says that it is experiment {text(fields, 'experiment_id')!r}: left out here"
            self._tree.report(os.path.join(folder, META), fault)
            return None
        tags = self._tree.texts(files)
        location = self._locations.of_experiment(experiment_id, folder, text(fields, "artifact_location"))
        stage = DELETED if self._tree.is_deleted(folder) else ACTIVE
        try:
            return experiment_of(fields, stage, location, tags)
        except ValueError as err:
            self._tree.report(os.path.join(folder, META), f"describes no experiment: {err}")
            return None

    def _holds_runs(self, folder: str) -> bool:
        """Whether a folder has runs; MLflow's databases keep artifacts in folders that look alike and have none."""
        return any(self._tree.files_of(run, META) for _, run in self._tree.folders(folder))

    def _find(self, run_id: str) -> FoundRun:
        """Find the folder of a run; whether the run can be read shows later."""
        hint = self._where.get(run_id)
        places = [hint] if hint is not None else []
        for experiment in (*places, *(path for _, path in self._tree.experiments())):
            folder = self._tree.folder(experiment, run_id) if run_id not in RESERVED else None
            if folder is not None and os.path.isfile(os.path.join(folder, META)):
                self._where[run_id] = experiment
                return FoundRun(run_id, experiment, folder, self._is_binned(experiment))
        raise NotFoundError(f"run with id='{run_id}' not found")

    def _is_binned(self, experiment: str) -> bool:
        """Whether an experiment was put in the bin by a release that left its files, and its runs, as they were."""
        fields = self._tree.meta(experiment) if self._tree.is_deleted(experiment) else None
        return fields is not None and text(fields, "lifecycle_stage") != DELETED

    def _record(self, run_id: str) -> RunRecord:
        with self._holding(self._tree.root):
            found = self._find(run_id)
            with self._holding(found.folder):
                record = self._runs.read(found.experiment, run_id, found.folder, binned=found.binned)
        if record is None:
            raise CorruptStoreError(f"run with id='{run_id}' cannot be read: look at {found.folder}/{META}")
        return record

    def _records(self, experiment_id: str) -> Iterator[RunRecord]:
        """Yield the runs of an experiment that can be read; what cannot is reported and hides no other."""
        experiment = self._tree.experiment(experiment_id)
        if experiment is None:
            return
        binned = self._is_binned(experiment)
        for run_id, folder in self._tree.folders(experiment):
            if run_id in RESERVED:
                continue
            try:
                with self._holding(folder):
                    record = self._runs.read(experiment, run_id, folder, binned=binned)
            except StoreUnavailableError as err:
                self._tree.report(folder, f"cannot be read, so it is left out: {err}")
                continue
            if record is not None:
                yield record

    def _logged_model(self, model_id: str, *, allow_deleted: bool) -> LoggedModel:
        for _, experiment in self._tree.experiments():
            folder = self._tree.folder(os.path.join(experiment, MODELS), model_id)
            found = self._read_model(experiment, folder) if folder is not None else None
            if found is not None and (allow_deleted or found.lifecycle_stage is ACTIVE):
                return found
        raise NotFoundError(f"logged model with id='{model_id}' not found")

    def _models(self, experiment_id: str) -> Iterator[LoggedModel]:
        experiment = self._tree.experiment(experiment_id)
        if experiment is None:
            return
        for _, folder in self._tree.folders(os.path.join(experiment, MODELS)):
            found = self._read_model(experiment, folder)
            if found is not None:
                yield found

    def _read_model(self, experiment: str, folder: str) -> LoggedModel | None:
        files = self._tree.files_of(folder, META)
        for part in (PARAMS, TAGS, METRICS):
            files += self._tree.files(os.path.join(folder, part), f"{part}/")
        found = self._models_known.get(
            folder, files, lambda: read_model(self._tree, self._locations, experiment, folder)
        )
        return None if found is None else evolve(found, params=dict(found.params), tags=dict(found.tags))


def refuse_deleted(what: str, stage: str) -> None:
    """Refuse to change what is in the bin. Raises InvalidStateError."""
    if stage == DELETED:
        raise InvalidStateError(f"{what} must be in the 'active' state, it is 'deleted': restore it first")
