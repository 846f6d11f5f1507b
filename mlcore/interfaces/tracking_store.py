"""The contract of a tracking store: where experiments and runs are kept."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Metric,
    MetricSummary,
    NewRun,
    Page,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
)


@runtime_checkable
class TrackingStore(Protocol):
    """Keep experiments, runs and what they record.

    To write one, make two files: `plugin.py` with the hook `tracking_store`, and `store.py` with a class that
    has these methods. The kernel has checked names, limits and values before it calls, has split batches to
    the limits, and repeats nothing: each method is one atomic step. Methods may be called from any thread.

    Everywhere: `NotFoundError` for an unknown experiment or run, `InvalidStateError` for a write to a deleted
    one, `StoreUnavailableError` when the place does not answer, `CorruptStoreError` when it cannot be read.
    """

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has, active or deleted.

        artifact_location: absolute URI; None lets the store choose a place under its own root.
        Raises AlreadyExistsError: the name is taken; exactly one of many racing callers succeeds.
        """
        ...

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        ...

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        ...

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it.

        Raises AlreadyExistsError: the new name is taken. NotFoundError: a tag to delete is not there, or
        the experiment is in the wanted lifecycle stage already. Runs that were deleted before stay deleted.
        """
        ...

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        ...

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run below its experiment's artifact location.

        A second call with the same run_id and experiment returns the run as it is: a retry does no harm.
        Raises AlreadyExistsError: the run_id belongs to another experiment.
        """
        ...

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        ...

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; a rename rewrites the tag `mlflow.runName`.

        Deleting a deleted run and restoring an active one do nothing.
        """
        ...

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing.

        A point that is there already (same key, step, timestamp and value) is kept once. Of several tags with
        one key the last wins; the tag `mlflow.runName` renames the run.
        Raises ParamConflictError: a param has another value already; names key, old and new value.
        """
        ...

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        ...

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        ...

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value).

        An unknown key gives an empty page.
        """
        ...

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        ...

    def close(self) -> None:
        """Let go of connections and files; further calls open them again."""
        ...


@runtime_checkable
class SupportsSummary(Protocol):
    """A tracking store that keeps min, max, last and count of each metric at write time."""

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        ...
