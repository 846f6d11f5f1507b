"""The tracking store that reads MLflow's databases."""

# ruff: noqa: ARG002 - what would change something has the contract's arguments, and refuses

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlcore.entities import (
    And,
    Batch,
    Comparison,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Field,
    Filter,
    LifecycleStage,
    Metric,
    MetricSummary,
    NewRun,
    Not,
    Or,
    Page,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
)
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore_store_sql import paging
from mlcore_store_sql.mlflow_file import MlflowFile
from mlcore_store_sql.mlflow_logged import MlflowLoggedModels
from mlcore_store_sql.mlflow_runs import MlflowRuns
from mlcore_store_sql.part import no_experiment, no_run, number_of


class MlflowTrackingStore(MlflowLoggedModels):
    """Experiments and runs in a database of MLflow; the contract is `TrackingStore`, without its changes.

    Each method that would change something raises UnsupportedError.
    """

    def __init__(self, file: MlflowFile) -> None:
        """Read *file*."""
        super().__init__(file)
        self._runs = MlflowRuns(file)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        number = number_of(experiment_id)
        found = [] if number is None else self._experiments("experiment_id = ?", number)
        if not found:
            raise no_experiment(experiment_id)
        return found[0]

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        return next(iter(self._experiments("name = ?", name)), None)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        skip = paging.offset(query.page_token)
        found = [
            each
            for each in self._experiments("1 = ?", 1)
            if query.view.shows(each.lifecycle_stage) and experiment_matches(query.filter, each)
        ]
        chosen = sort_experiments(found, query.order_by)[skip : skip + query.max_results + 1]
        return paging.page(chosen, skip, query.max_results)

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        found = self._runs.find(run_id)
        if found is None:
            raise no_run(run_id)
        return found

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; only what the search looks at is read of those that do not."""
        skip = paging.offset(query.page_token)
        asked = [*_fields(query.filter), *(order.field for order in query.order_by)]
        runs = self._runs.bare(query.experiment_ids, query.view)
        is_bare = all(field.entity == "attribute" for field in asked)
        if not is_bare:
            runs = self._runs.filled(runs)
        summaries: dict[str, dict[str, MetricSummary]] = {}
        if any(field.stat != "last" for field in asked):
            summaries = {run.info.run_id: self._runs.summaries(run.info.run_id) for run in runs}
        found = [run for run in runs if run_matches(query.filter, run, summaries.get(run.info.run_id, {}))]
        page = paging.page(
            sort_runs(found, query.order_by, summaries)[skip : skip + query.max_results + 1], skip, query.max_results
        )
        return Page(tuple(self._runs.filled(page.items)), page.next_token) if is_bare else page

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        skip = paging.offset(page_token)
        found = self._runs.history(run_id, key, max_results + 1, skip)
        if not found:
            self.get_run(run_id)
        return paging.page(found, skip, max_results)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        found = self._runs.summaries(run_id)
        if not found:
            self.get_run(run_id)
        return tuple(found.values())

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"create the experiment {name!r}")

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"change the experiment {experiment_id!r}")

    def create_run(self, new: NewRun) -> Run:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"create a run in the experiment {new.experiment_id!r}")

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"change the run {run_id!r}")

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"record into the run {run_id!r}")

    def delete_tag(self, run_id: str, key: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"remove the tag {key!r} of the run {run_id!r}")

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"record into the run {run_id!r}")

    def close(self) -> None:
        """Let go of the file; further calls open it again."""
        self._file.close()

    def _experiments(self, condition: str, value: object) -> list[Experiment]:
        pick = self._file.pick
        created, changed = (pick("experiments", name) for name in ("creation_time", "last_update_time"))
        # Of MLflow's workspaces the default one is read: names of others may be the same.
        place = pick("experiments", "workspace", "'default'")
        rows = self._file.rows(
            f"SELECT experiment_id, name, artifact_location, lifecycle_stage, {created}, {changed} FROM experiments "  # noqa: S608  # columns only
            f"WHERE {condition} AND {place} = 'default' ORDER BY experiment_id",
            (value,),
        )
        tags = self._tags([row[0] for row in rows])
        return [
            Experiment(
                str(number),
                name,
                self._file.located(location),
                LifecycleStage(stage or "active"),
                made,
                last,
                tags.get(number, {}),
            )
            for number, name, location, stage, made, last in rows
        ]

    def _tags(self, numbers: list[int]) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        if self._file.has("experiment_tags"):
            statement = (
                "SELECT experiment_id, key, value FROM experiment_tags WHERE experiment_id IN ({ids}) ORDER BY key"
            )
            for number, key, value in self._file.rows_of(statement, numbers):
                found.setdefault(number, {})[key] = value or ""
        return found


def _fields(tree: Filter | None) -> Iterator[Field]:
    """Yield what a filter looks at."""
    match tree:
        case Comparison():
            yield tree.field
        case Not():
            yield from _fields(tree.part)
        case And() | Or():
            yield from _all_fields(tree.parts)


def _all_fields(parts: Iterable[Filter]) -> Iterator[Field]:
    for part in parts:
        yield from _fields(part)
