"""The client: every operation on experiments and runs by id, under MLflow's method names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.entities import (
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    MetricSummary,
    NewRun,
    PagedList,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    Series,
    SeriesQuery,
    ViewType,
)
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import SupportsSummary, TrackingStore
from mlcore.tracking import names, tags
from mlcore.tracking.client_registry import ModelVersions
from mlcore.tracking.client_runs import RunOperations
from mlcore.tracking.endings import ending
from mlcore.tracking.lost import as_seen
from mlcore.tracking.offline import begin, change_store, explaining, spooled_points, spooled_run
from mlcore.tracking.series import series
from mlcore.tracking.session import Session
from mlcore.tracking.summaries import summarize, summarize_all
from mlcore.tracking.tables import all_pages, read_tables
from mlcore.uris import absolute, local_path, scheme
from mlcore.wire import limits
from mlcore.wire.filter_parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)

if TYPE_CHECKING:
    import pandas as pd


class Client(RunOperations, ModelVersions):
    """Work with one tracking store and one registry. Safe to use from any thread; `MlflowClient` is the same class.

    Raises everywhere: NotFoundError for an unknown experiment or run, InvalidParameterError for values that are
    not acceptable, StoreUnavailableError when the store does not answer.
    """

    def __init__(
        self,
        tracking_uri: str | PathLike[str] | None = None,
        registry_uri: str | None = None,
        *,
        session: Session | None = None,
    ) -> None:
        """Use the store at *tracking_uri*, or the one of the fluent API when not given."""
        super().__init__(tracking_uri, session=session)
        self.registry_uri: str = registry_uri or self._session.registry_uri

    @property
    def _store(self) -> TrackingStore:
        return self._session.store(self.tracking_uri)

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | PathLike[str] | None = None, tags: Mapping[str, object] | None = None
    ) -> str:
        """Create an experiment and return its id.

        artifact_location: where its runs put artifacts, a path or URI; the store chooses when not given.
        Raises AlreadyExistsError: the name is taken, by an active or a deleted experiment.
        """
        limits.check_experiment_name(name)
        location = _location(artifact_location)
        checked = limits.experiment_tags(tags or {})
        return self._store.create_experiment(name, artifact_location=location, tags=checked).experiment_id

    def get_or_create_experiment(self, name: str) -> Experiment:
        """Return the experiment called *name*, made if it is not there; of many racing callers all get the same.

        Raises InvalidStateError: an experiment of that name is deleted.
        """
        from mlcore.delivery.creation import experiment_in

        return experiment_in(self._store, limits.check_experiment_name(name))

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment, deleted or not."""
        return self._store.get_experiment(limits.check_experiment_id(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment called *name*, deleted or not; None when there is none."""
        if not isinstance(name, str):
            raise InvalidParameterError(f"invalid experiment name {name!r}: expected a text")
        return self._store.get_experiment_by_name(name)

    def search_experiments(
        self,
        view_type: ViewType | str = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return a page of experiments that fit; see docs/search.md for the language."""
        query = ExperimentQuery(
            filter=parse_experiment_filter(filter_string),
            order_by=parse_experiment_order(order_by or ()),
            view=view(view_type),
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token),
        )
        page = self._store.search_experiments(query)
        return PagedList(page.items, page.next_token)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an active experiment another name."""
        self._change(experiment_id, ExperimentChange(name=limits.check_experiment_name(new_name)))

    def delete_experiment(self, experiment_id: str) -> None:
        """Move an experiment and its runs to the bin; its name stays taken."""
        self._session.recorder(self.tracking_uri).flush()
        self._session.forget_known()
        self._change(experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))

    def restore_experiment(self, experiment_id: str) -> None:
        """Take an experiment and its runs out of the bin."""
        self._change(experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))

    def set_experiment_tag(self, experiment_id: str, key: str, value: object) -> None:
        """Set a tag of an experiment over any earlier value."""
        self._change(experiment_id, ExperimentChange(set_tags=limits.experiment_tags({limits.check_key(key): value})))

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, object]) -> None:
        """Set tags of an experiment over any earlier values, all or none of them."""
        self._change(experiment_id, ExperimentChange(set_tags=limits.experiment_tags(tags)))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment. Raises NotFoundError: it has no such tag."""
        self._change(experiment_id, ExperimentChange(delete_tags=(limits.check_key(key),)))

    def _change(self, experiment_id: str, change: ExperimentChange) -> None:
        self._store.update_experiment(limits.check_experiment_id(experiment_id), change)

    # Runs

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, object] | None = None,
        run_name: str | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Create a run and return it; unlike `start_run` it does not become the active one.

        start_time: ms since the epoch, UTC; now when not given.
        run_id: chosen by the caller, so that a repeated call makes one run only.
        """
        new = new_run(
            limits.check_experiment_id(experiment_id),
            run_name,
            tags or {},
            start_time=start_time,
            run_id=run_id,
            truncate=self._session.settings.truncate_long_values,
        )
        return begin(self._session, new, self.tracking_uri)

    def get_run(self, run_id: str) -> Run:
        """Return a run with all that is recorded so far, deleted or not."""
        checked, uri = limits.check_run_id(run_id), self.tracking_uri
        self._session.recorder(uri).flush()
        spooled = spooled_run(self._session, checked, uri)
        if spooled is not None:
            return spooled
        with explaining(self._session, uri):
            store = self._store
            return self._session.lost.seen(store, store.get_run(self._session.server_run_id(checked, uri)))

    def get_runs(self, run_ids: Sequence[str]) -> list[Run]:
        """Return runs by their ids, in that order; one id is as good as a list of one."""
        return [self.get_run(i) for i in ([run_ids] if isinstance(run_ids, str) else run_ids)]

    def get_parent_run(self, run_id: str) -> Run | None:
        """Return the run in which a run is nested; None when it is in none."""
        parent = self.get_run(run_id).data.tags.get(tags.PARENT_RUN_ID)
        return self.get_run(parent) if parent else None

    def search_runs(
        self,
        experiment_ids: Iterable[str],
        filter_string: str = "",
        run_view_type: ViewType | str = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return a page of runs that fit; see docs/search.md for the language.

        max_results: page size, at most 50000. page_token: the `token` of the page before.
        """
        self._session.recorder(self.tracking_uri).flush()
        query = RunQuery(
            experiment_ids=tuple(self._session.known_experiment_id(i) for i in experiment_ids_of(experiment_ids)),
            filter=parse_run_filter(filter_string),
            order_by=parse_run_order(order_by or ()),
            view=view(run_view_type),
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token),
        )
        with explaining(self._session, self.tracking_uri):
            store = self._store
            lost = self._session.lost.look(self.tracking_uri, store, query.experiment_ids)
            if lost:
                query = evolve(query, filter=as_seen(query.filter, lost))
            page = store.search_runs(query)
        return PagedList(page.items, page.next_token)

    def update_run(self, run_id: str, status: RunStatus | str | None = None, name: str | None = None) -> None:
        """Change a run's status or name."""
        if name:
            name = limits.tag(tags.RUN_NAME, name, truncate=False).value
        change = RunChange(status=run_status(status) if status else None, run_name=name or None)
        self._change_run(run_id, change)

    def set_terminated(self, run_id: str, status: RunStatus | str | None = None, end_time: int | None = None) -> None:
        """End a run, FINISHED unless said otherwise; *end_time* in ms since the epoch, UTC, now when not given."""
        ended = names.now_ms() if end_time is None else limits.check_moment("end_time", end_time)
        change = RunChange(status=ending(status or RunStatus.FINISHED), end_time=ended)
        self._change_run(run_id, change)

    def delete_run(self, run_id: str) -> None:
        """Move a run to the bin."""
        self._set_stage(limits.check_run_id(run_id), LifecycleStage.DELETED)

    def restore_run(self, run_id: str) -> None:
        """Take a run out of the bin."""
        self._set_stage(limits.check_run_id(run_id), LifecycleStage.ACTIVE)

    def _set_stage(self, run_id: str, stage: LifecycleStage) -> None:
        self._session.known(run_id, self.tracking_uri).forget()
        self._change_run(run_id, RunChange(lifecycle_stage=stage))

    def _change_run(self, run_id: str, change: RunChange) -> None:
        checked, uri = limits.check_run_id(run_id), self.tracking_uri
        self._session.recorder(uri).flush(checked)
        change_store(
            self._session, checked, lambda store, known: store.update_run(known, change), otherwise=change, uri=uri
        )

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Return all points of a metric, ordered by (timestamp, step, value); empty when there are none."""
        limits.check_key(key)
        self._session.recorder(self.tracking_uri).flush()
        known = self._session.server_run_id(limits.check_run_id(run_id), self.tracking_uri)
        spooled = spooled_points(self._session, run_id, self.tracking_uri)
        if spooled is not None:
            return [point for point in spooled if point.key == key]
        points: list[Metric] = []
        token: str | None = None
        while True:
            page = self._store.get_metric_history(known, key, max_results=limits.HISTORY_RESULTS, page_token=token)
            points += page.items
            token = page.next_token
            if not token:
                return points

    def get_metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return min, max, last and count of each metric of a run, sorted by key."""
        self._session.recorder(self.tracking_uri).flush()
        spooled = spooled_points(self._session, limits.check_run_id(run_id), self.tracking_uri)
        if spooled is not None:
            return tuple(summarize_all(spooled).values())
        store = self._store
        if isinstance(store, SupportsSummary):
            return store.metric_summaries(self._session.server_run_id(limits.check_run_id(run_id), self.tracking_uri))
        run = self.get_run(run_id)
        return tuple(summarize(m.key, self.get_metric_history(run_id, m.key)) for m in run.data.latest)

    def get_metric_series(
        self, run_ids: Sequence[str], keys: Sequence[str], max_points: int = 500
    ) -> tuple[Series, ...]:
        """Return curves thinned out for looking at: of each stretch of steps the least and the greatest value stay.

        run_ids: 1 to 1000. keys: 1 to 100. max_points: of a curve, 2 to 10,000. By run in the order given, then by key;
        runs and keys without points are left out. What waits for a server that does not answer is not in it.
        """
        self._session.recorder(self.tracking_uri).flush()
        known = tuple(self._session.server_run_id(limits.check_run_id(one), self.tracking_uri) for one in run_ids)
        return series(self._store, SeriesQuery(known, tuple(limits.check_key(key) for key in keys), max_points))

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Read a table from runs of an experiment, all of them when *run_ids* is not given; see `tables.read_tables`."""
        if run_ids is None:
            runs = all_pages(lambda size, token: self.search_runs([experiment_id], max_results=size, page_token=token))
        else:
            runs = self.get_runs(run_ids)
        return read_tables(self._session, runs, artifact_file, extra_columns or ())

    def close(self) -> None:
        """Deliver what is recorded; stores stay open for others that use the same session."""
        self._session.recorder(self.tracking_uri).flush()


def new_run(
    experiment_id: str,
    run_name: str | None,
    given: Mapping[str, object],
    *,
    truncate: bool,
    start_time: int | None = None,
    run_id: str | None = None,
) -> NewRun:
    """Make a checked record of a run to be created; a name is invented when none is given.

    Raises InvalidParameterError: run_name and the tag `mlflow.runName` are both given and differ.
    """
    checked = {k: limits.tag(k, v, truncate=truncate).value for k, v in limits.pairs("tags", given)}
    run_name = None if run_name is None else str(run_name)  # people number their runs
    tagged = checked.get(tags.RUN_NAME)
    if run_name and tagged and run_name != tagged:
        raise InvalidParameterError(
            f"both run_name {run_name!r} and the tag {tags.RUN_NAME!r} {tagged!r} are given and differ; give one of them"
        )
    name = run_name or tagged or names.run_name()
    limits.tag(tags.RUN_NAME, name, truncate=False)
    return NewRun(
        experiment_id=experiment_id,
        run_id=limits.check_run_id(run_id) if run_id else names.run_id(),
        run_name=name,
        user_id=checked.get(tags.USER, ""),
        start_time=names.now_ms() if start_time is None else limits.check_moment("start_time", start_time),
        tags={**checked, tags.RUN_NAME: name},
    )


def experiment_ids_of(given: Iterable[str | int] | str | int) -> list[str]:
    """Return checked experiment ids from one id, or from any iterable of ids but bytes."""
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        return [limits.check_experiment_id(given)]  # type: ignore[arg-type]  # what it refuses, bytes among it
    return [limits.check_experiment_id(i) for i in given]


def view(value: ViewType | str | int) -> ViewType:
    """Return the view type for its name, or for MLflow's number (1, 2, 3)."""
    if isinstance(value, int) and not isinstance(value, bool):
        numbers = {1: ViewType.ACTIVE_ONLY, 2: ViewType.DELETED_ONLY, 3: ViewType.ALL}
        if value in numbers:
            return numbers[value]
    elif str(value).upper() in ViewType.__members__:
        return ViewType[str(value).upper()]
    raise InvalidParameterError(f"invalid view type {value!r}: expected one of {', '.join(ViewType)}")


def run_status(value: RunStatus | str) -> RunStatus:
    """Return the run status for its name. Raises InvalidParameterError: there is no such status."""
    try:
        return RunStatus(value)
    except ValueError as err:
        raise InvalidParameterError(f"invalid run status {value!r}: expected one of {', '.join(RunStatus)}") from err


def _location(given: str | PathLike[str] | None) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, (str, PathLike)):
        raise InvalidParameterError(f"invalid artifact location {given!r}: expected a text or a path")
    given = fspath(given)
    kind = scheme(given)
    if kind in ("runs", "models"):
        raise InvalidParameterError(f"artifact location {given!r} must be a place, not a {kind}: reference")
    found = absolute(given)
    if kind == "file":
        local_path(found)  # a host, a query or a fragment would only be found out by the first artifact
    if "\x00" in given:
        raise InvalidParameterError(f"invalid artifact location {given[:80]!r}: it holds a NUL character")
    if len(found) > limits.ARTIFACT_LOCATION_LENGTH:
        raise InvalidParameterError(
            f"artifact location {given[:80]!r} has {len(found)} characters, at most {limits.ARTIFACT_LOCATION_LENGTH} are allowed"
        )
    return found
