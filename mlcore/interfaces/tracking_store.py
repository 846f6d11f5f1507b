"""The contract of a tracking store: where experiments and runs are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mlcore.entities import (
    Batch,
    DatasetInput,
    DatasetSummary,
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
    ModelOutput,
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
from mlcore.errors import MlcoreError

if TYPE_CHECKING:
    from mlcore.journal import Journal


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

        A run that becomes RUNNING loses its end time, unless the change brings one.
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


@runtime_checkable
class SupportsGroupCommit(Protocol):
    """A tracking store that can record batches of several callers in one transaction."""

    def log_batches(self, items: Sequence[tuple[str, Batch]]) -> Sequence[MlcoreError | None]:
        """Record pairs of run id and batch, in order, each all or nothing; return one outcome per pair.

        A pair that `log_batch` would refuse gives its error and leaves nothing; the others are not touched by it.
        When the call returns, everything that went well is as durable as after `log_batch`.
        Raises StoreUnavailableError: none of them is stored.
        """
        ...


@runtime_checkable
class SupportsSeries(Protocol):
    """A tracking store that thins out the curves of many runs itself."""

    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        """Return one series per run and key that has points, by run in the order of the query, then by key.

        Unknown runs and keys give nothing.
        """
        ...


@runtime_checkable
class SupportsCounts(Protocol):
    """A tracking store that counts without fetching."""

    def count_runs(self, query: RunQuery) -> int:
        """Return how many runs fit; order, page and columns of the query mean nothing."""
        ...

    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a param, tag or text attribute among the runs that fit.

        The most frequent first, equal ones by value; at most *limit*.
        """
        ...


@runtime_checkable
class SupportsDatasetSearch(Protocol):
    """A tracking store that lists the datasets of experiments without looking at every run."""

    def search_datasets(self, experiment_ids: tuple[str, ...], max_results: int) -> tuple[DatasetSummary, ...]:
        """Return the distinct datasets that active runs read, by experiment, name, digest and context."""
        ...


@runtime_checkable
class SupportsLoggedModels(Protocol):
    """A tracking store that keeps logged models, as MLflow's clients from 3.0 on record them."""

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model of an active experiment.

        A second call with the same model_id and experiment returns the model as it is.
        """
        ...

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        ...

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step.

        Raises BadRequestError: a param to add has a value already. NotFoundError: a tag to delete is not there.
        """
        ...

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        ...

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models; the points themselves go to the run by `log_batch`.

        Raises BadRequestError: a model does not exist.
        """
        ...

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once. `get_run` returns them."""
        ...


@runtime_checkable
class SupportsReplay(Protocol):
    """A tracking store that takes a stretch of a journal at once and remembers how far it got."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Sequence[tuple[int, MlcoreError]]:
        """Store entries of one journal, in order, in one step; those that were stored by an earlier call are skipped.

        writer: who wrote the journal; the store keeps the greatest sequence that it has stored of each run and
        writer, in the same transaction as the data.
        entries: of any number and size, each a `Batch`, `RunChange`, `TagRemoval` or `InputsUse`; sequences rise. A tag
        to remove that is not there is fine. A batch counts as a whole, as in `log_batch`.
        Returns sequence and error of each entry that could not be stored and never will be, such as a param with
        another value; the others are not touched by it.
        Raises NotFoundError: there is no such run. StoreUnavailableError: nothing is stored; try again.
        """
        ...


@runtime_checkable
class SupportsJournals(Protocol):
    """A tracking store whose runs are journals: what is appended to one is stored."""

    def journal(self, run_id: str) -> Journal:
        """Return the journal into which this process records the run; the same one until it is closed.

        The caller has checked names, limits and values. A forked child gets a journal of its own.
        Raises NotFoundError: there is no such run. InvalidStateError: it is deleted. StoreUnavailableError: the
        place cannot be written.
        """
        ...


@runtime_checkable
class ChoosesRunIds(Protocol):
    """A tracking store that gives runs ids of its own, whatever the caller chose; it notes the caller's in a tag."""

    def created_as(self, experiment_id: str, run_id: str) -> Run | None:
        """Return the run that was made when *run_id* was asked for, by any process; None when there is none."""
        ...


@runtime_checkable
class SupportsAdoption(Protocol):
    """A tracking store that takes over experiments of another store with their ids and times.

    Runs need no more than the contract of every store: `create_run` takes id, user and start, `update_run` the rest.
    """

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere.

        An empty artifact_location lets the store choose. A second call returns the experiment as it is.
        Raises AlreadyExistsError: another experiment has the id or the name. InvalidParameterError: the store cannot
        have such an id.
        """
        ...
