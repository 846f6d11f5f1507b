"""A tracking store of MLflow behind our contract."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    NewRun,
    Page,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
)
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    InvalidStateError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
    PluginError,
    UnsupportedError,
)
from mlcore.plugin_index import PluginEntry
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.summaries import summarize_all
from mlcore_bridge_mlflow import records
from mlcore_bridge_mlflow.experiments import ExperimentCalls
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import built, fitting, quiet
from mlcore_bridge_mlflow.paging import page_of, unwrapped, wrapped
from mlcore_bridge_mlflow.searching import PAGE, Summaries, TheirPage, curves_needed, everything, narrowing
from mlcore_bridge_mlflow.turns import in_turn


class TheirStore(Protocol):
    """What is called of MLflow's tracking AbstractStore, apart from experiments."""

    create_run: Callable[..., records.TheirRun]
    get_run: Callable[[str], records.TheirRun]
    update_run_info: Callable[..., records.TheirRunInfo]
    delete_run: Callable[[str], object]
    restore_run: Callable[[str], object]
    log_batch: Callable[..., object]
    delete_tag: Callable[[str, str], object]
    log_inputs: Callable[..., object]
    get_metric_history: Callable[..., Iterable[records.TheirMetric]]
    search_runs: Callable[..., TheirPage[records.TheirRun]]


def open_store(entry: PluginEntry, uri: str, artifact_root: str | None) -> BridgedStore:
    """Open the store at *uri*."""
    make = built(entry)
    with Guard(entry, "opening the tracking store"), quiet():
        return BridgedStore(make(store_uri=uri, artifact_uri=artifact_root), entry)


class BridgedStore(ExperimentCalls):
    """Experiments and runs in a store that was written for MLflow.

    Its store chooses the ids of runs. The id that the caller chose is kept in a tag, so that a repeated creation finds
    the run, and stands for the run in this process.
    """

    def __init__(self, theirs: object, entry: PluginEntry) -> None:
        """Keep everything in *theirs*, which the plugin of *entry* has opened."""
        super().__init__(theirs, entry)
        self._runs = cast(TheirStore, theirs)
        self._ids: dict[str, str] = {}
        self._tried: set[str] = set()

    @in_turn
    def create_run(self, new: NewRun) -> Run:
        """Create a run; a second call with the same run_id returns the run as it is."""
        known = self._made_before(new)
        if known is not None:
            return known
        self._tried.add(new.run_id)
        place = self._writable_experiment(new.experiment_id)
        made = records.entities()
        tags = {**new.tags, records.NAME_TAG: new.run_name, records.RUN_ID_TAG: new.run_id}
        arguments: dict[str, object] = {
            "experiment_id": place.experiment_id,
            "user_id": new.user_id,
            "start_time": new.start_time,
            "tags": [made.RunTag(key, value) for key, value in tags.items()],
        }
        with Guard(self._entry, "create_run"):
            theirs = self._runs.create_run(**arguments, **fitting(self._runs.create_run, {"run_name": new.run_name}))
        self._ids[new.run_id] = theirs.info.run_id
        return records.run(theirs)

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        try:
            with Guard(self._entry, "get_run"):
                return records.run(self._runs.get_run(self._ids.get(run_id, run_id)))
        except (NotFoundError, InvalidParameterError) as err:
            raise NotFoundError(f"run with id='{run_id}' not found: {err.message}") from err

    @in_turn
    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; not in one step."""
        old = self.get_run(run_id)
        if change.lifecycle_stage is LifecycleStage.ACTIVE and old.info.lifecycle_stage != LifecycleStage.ACTIVE:
            with self._on_run(run_id, "restore_run") as theirs:
                self._runs.restore_run(theirs)
            old = self.get_run(run_id)
        if (change.status, change.end_time, change.run_name) != (None, None, None):
            self._refuse_deleted(f"run '{run_id}'", old.info.lifecycle_stage)
            self._update_info(run_id, old, change)
        if change.lifecycle_stage is LifecycleStage.DELETED and old.info.lifecycle_stage == LifecycleStage.ACTIVE:
            with self._on_run(run_id, "delete_run") as theirs:
                self._runs.delete_run(theirs)
        return self.get_run(run_id).info

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run, as far as the store does it all or nothing."""
        conflict = _two_values(batch)
        if conflict is not None:
            self._refuse_deleted(f"run '{run_id}'", self.get_run(run_id).info.lifecycle_stage)
            raise conflict
        with self._on_run(run_id, "log_batch", batch) as theirs:
            self._runs.log_batch(theirs, **records.batch(batch))

    @in_turn
    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        try:
            with self._on_run(run_id, "delete_tag") as theirs:
                self._runs.delete_tag(theirs, key)
        except NotFoundError as err:
            if key in self.get_run(run_id).data.tags:
                raise
            raise NotFoundError(f"no tag with name {key!r} in run with id='{run_id}': {err.message}") from err

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read. Raises UnsupportedError: the store was written for MLflow before 2.4."""
        log = getattr(self._runs, "log_inputs", None)
        if log is None:
            raise UnsupportedError(f"{self._entry} does not support datasets: its store has no log_inputs")
        with self._on_run(run_id, "log_inputs") as theirs:
            log(theirs, records.dataset_inputs(inputs))

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        return page_of(self._curve(run_id, key), max_results, page_token)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; the store pages itself when there is nothing to test or to order."""
        if not query.experiment_ids:
            return Page(())
        try:
            return self._found(query)
        except InvalidParameterError:
            # some stores refuse ids that they could not have given; they match nothing
            known = tuple(each for each in query.experiment_ids if self._knows(each))
            if known == query.experiment_ids:
                raise
            return self.search_runs(evolve(query, experiment_ids=known))

    def _knows(self, experiment_id: str) -> bool:
        try:
            self.get_experiment(experiment_id)
        except NotFoundError:
            return False
        return True

    def _found(self, query: RunQuery) -> Page[Run]:
        if query.filter is None and not query.order_by:
            with Guard(self._entry, "search_runs"):
                page = self._page(query, "", query.max_results, unwrapped(query.page_token))
                return Page(tuple(map(records.run, page)), wrapped(getattr(page, "token", None)))
        found = self._candidates(query)
        summaries = self._summaries(found, curves_needed(query.filter, query.order_by))
        fitting_runs = [run for run in found if run_matches(query.filter, run, summaries.get(run.info.run_id, {}))]
        return page_of(sort_runs(fitting_runs, query.order_by, summaries), query.max_results, query.page_token)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        found = [each for each in self._all_experiments(query.view) if experiment_matches(query.filter, each)]
        return page_of(sort_experiments(found, query.order_by), query.max_results, query.page_token)

    def close(self) -> None:
        """Close the store if it can be closed."""
        close = getattr(self._runs, "close", None)
        if close is not None:
            with Guard(self._entry, "close"):
                close()

    def created_as(self, experiment_id: str, run_id: str) -> Run | None:
        """Return the run that was made when *run_id* was asked for; None when there is none."""
        asked = f"tags.`{records.RUN_ID_TAG}` = '{run_id}'"
        with Guard(self._entry, "search_runs"):
            found = [*self._page(RunQuery((experiment_id,)), asked, 1, None)]
        if not found:
            return None
        self._ids[run_id] = found[0].info.run_id
        return records.run(found[0])

    def _made_before(self, new: NewRun) -> Run | None:
        """The run that an earlier attempt of this process has made, also when its answer was lost."""
        if new.run_id not in self._tried:
            return None
        if new.run_id not in self._ids and self.created_as(new.experiment_id, new.run_id) is None:
            return None
        known = self.get_run(new.run_id)
        if known.info.experiment_id != new.experiment_id:
            raise AlreadyExistsError(f"run '{new.run_id}' already exists in experiment '{known.info.experiment_id}'")
        return known

    def _update_info(self, run_id: str, old: Run, change: RunChange) -> None:
        made = records.entities()
        status = made.RunStatus.from_string((change.status or old.info.status).value)
        end_time = old.info.end_time if change.end_time is None else change.end_time
        renamed = {"run_name": change.run_name or old.info.run_name}
        with self._on_run(run_id, "update_run_info") as theirs:
            known = fitting(self._runs.update_run_info, renamed)
            self._runs.update_run_info(theirs, status, end_time, **known)
            if change.run_name is not None:  # stores differ in whether they keep the tag equal
                self._runs.log_batch(theirs, [], [], [made.RunTag(records.NAME_TAG, change.run_name)])

    def _curve(self, run_id: str, key: str) -> list[Metric]:
        with self._on_run(run_id, "get_metric_history") as theirs:
            points = {_identity(m): m for m in map(records.metric, self._runs.get_metric_history(theirs, key))}
        if not points:
            self.get_run(run_id)  # some stores know no difference between an unknown metric and an unknown run
        return sorted(points.values(), key=_age)

    def _candidates(self, query: RunQuery) -> list[Run]:
        """All runs that may fit, narrowed by the store; without its help when it refuses the filter."""
        text = narrowing(query.filter)
        try:
            return self._all_runs(query, text)
        except InvalidParameterError:
            if not text:
                raise
            return self._all_runs(query, "")

    def _all_runs(self, query: RunQuery, text: str) -> list[Run]:
        with Guard(self._entry, "search_runs"):
            found = everything(lambda token: self._page(query, text, PAGE, token))
            return [records.run(each) for each in found]

    def _page(self, query: RunQuery, text: str, size: int, token: str | None) -> TheirPage[records.TheirRun]:
        ids, view = list(query.experiment_ids), records.VIEWS[query.view]
        return self._runs.search_runs(ids, text, view, max_results=size, order_by=[], page_token=token)

    def _summaries(self, runs: list[Run], keys: set[str]) -> Summaries:
        return {
            run.info.run_id: summarize_all(
                point for key in keys if key in run.data.metrics for point in self._curve(run.info.run_id, key)
            )
            for run in runs
            if keys
        }

    @contextlib.contextmanager
    def _on_run(self, run_id: str, doing: str, batch: Batch | None = None) -> Iterator[str]:
        """Give the store's id of a run, and tell a failure in the words of the contract."""
        try:
            with Guard(self._entry, doing):
                yield self._ids.get(run_id, run_id)
        except (NotFoundError, InvalidParameterError, PluginError) as err:
            raise self._explained(run_id, err, batch) from err

    def _explained(self, run_id: str, err: MlcoreError, batch: Batch | None) -> MlcoreError:
        try:
            run = self.get_run(run_id)
        except NotFoundError as missing:
            return missing
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            return InvalidStateError(
                f"run '{run_id}' must be in the 'active' state, it is 'deleted': restore it first ({err.message})"
            )
        for param in batch.params if batch and isinstance(err, InvalidParameterError) else ():
            known = run.data.params.get(param.key, param.value)
            if known != param.value:
                return ParamConflictError(
                    f"param {param.key!r} has the value {known!r} already, got {param.value!r}: {err.message}"
                )
        return err


def _two_values(batch: Batch) -> ParamConflictError | None:
    """The error for a batch that contradicts itself; MLflow's stores say different things of it."""
    seen: dict[str, str] = {}
    for param in batch.params:
        if seen.setdefault(param.key, param.value) != param.value:
            return ParamConflictError(
                f"param {param.key!r} has the value {seen[param.key]!r} already, got {param.value!r}"
            )
    return None


def _identity(point: Metric) -> tuple[int, int, str]:
    return point.step, point.timestamp, repr(point.value)


def _age(point: Metric) -> tuple[int, int, bool, float]:
    gap = math.isnan(point.value)
    return point.timestamp, point.step, gap, 0.0 if gap else point.value
