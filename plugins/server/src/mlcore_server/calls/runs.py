"""Answers about runs."""

from __future__ import annotations

import uuid

from attrs import evolve

from mlcore.entities import Field, LifecycleStage, NewRun, Page, Run, RunChange, RunData, RunInfo, RunQuery
from mlcore.errors import InvalidParameterError, InvalidStateError
from mlcore.tracking import names
from mlcore.wire import limits
from mlcore.wire import requests_tracking as r
from mlcore.wire.filter_parser import parse_run_filter, parse_run_order
from mlcore.wire.tracking_json import Json, run_info_out, run_out
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

RUN_NAME_TAG = "mlflow.runName"
_MOST_COLUMNS = 500


class Runs:
    """The group `runs` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def create(self, request: r.CreateRun, _: Caller) -> Json:
        """Create a run; a repeated request with the same run_id returns the run as it is."""
        tags = {one.key: one.value for one in (limits.tag(t.key, t.value, truncate=True) for t in request.tags)}
        tagged = tags.get(RUN_NAME_TAG, "")
        if request.run_name and tagged and request.run_name != tagged:
            raise InvalidParameterError(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
                f"(run_name={request.run_name!r}, mlflow.runName={tagged!r})."
            )
        new = NewRun(
            limits.check_experiment_id(request.experiment_id),
            limits.check_run_id(request.run_id) if request.run_id else uuid.uuid4().hex,
            limits.tag(RUN_NAME_TAG, request.run_name or tagged or names.run_name(), truncate=True).value,
            request.user_id,
            limits.check_moment("start_time", request.start_time),
            tags,
        )
        return {"run": self.shown(self._stores.tracking.create_run(new))}

    def get(self, request: r.RunId, _: Caller) -> Json:
        """Return a run."""
        return {"run": self.shown(self._stores.tracking.get_run(request.run_id))}

    def update(self, request: r.UpdateRun, _: Caller) -> Json:
        """Change status, end time and name of an active run."""
        if request.end_time is not None:
            limits.check_moment("end_time", request.end_time)
        name = limits.tag(RUN_NAME_TAG, request.run_name, truncate=True).value if request.run_name else None
        stage = self._stores.tracking.get_run(request.run_id).info.lifecycle_stage
        if stage != LifecycleStage.ACTIVE:
            raise InvalidStateError(
                f"The run {request.run_id} must be in the 'active' state. Current state is {stage}."
            )
        change = RunChange(request.status, request.end_time, name)
        return {"run_info": run_info_out(self._placed(self._stores.tracking.update_run(request.run_id, change)))}

    def delete(self, request: r.RunId, _: Caller) -> Json:
        """Move a run to the bin."""
        self._stores.tracking.update_run(request.run_id, RunChange(lifecycle_stage=LifecycleStage.DELETED))
        return {}

    def restore(self, request: r.RunId, _: Caller) -> Json:
        """Take a run out of the bin."""
        self._stores.tracking.update_run(request.run_id, RunChange(lifecycle_stage=LifecycleStage.ACTIVE))
        return {}

    def search(self, request: r.SearchRuns, _: Caller) -> Json:
        """Return a page of the runs that fit."""
        query = run_query(request)
        if not query.experiment_ids:
            return {}
        page: Page[Run] = self._stores.tracking.search_runs(query)
        runs = [self.shown(_cut(run, query.columns)) for run in page.items]
        out: Json = {"runs": runs} if runs else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def shown(self, run: Run) -> Json:
        """Return a run as clients see it."""
        out = run_out(run)  # changed afterwards: copies of records are a tenth of a search
        out["info"]["artifact_uri"] = self._stores.places.outward(run.info.artifact_uri)
        return out

    def _placed(self, info: RunInfo) -> RunInfo:
        return evolve(info, artifact_uri=self._stores.places.outward(info.artifact_uri))


def run_query(request: r.SearchRuns) -> RunQuery:
    """Return the query that a request asks for."""
    if len(request.columns) > _MOST_COLUMNS:
        raise InvalidParameterError(
            f"{len(request.columns)} columns are asked for, at most {_MOST_COLUMNS} are allowed"
        )
    return RunQuery(
        tuple(limits.check_experiment_id(one) for one in request.experiment_ids),
        parse_run_filter(request.filter),
        parse_run_order(request.order_by),
        request.run_view_type,
        limits.check_max_results(request.max_results),
        request.page_token or None,
        tuple(column(name) for name in request.columns) if request.columns else None,
    )


def column(name: str) -> Field:
    """Return the metric, param or tag that `metrics.loss` and the like name.

    Raises FilterError: no field of a run.
    """
    (order,) = parse_run_order([name])
    return order.field


def _cut(run: Run, columns: tuple[Field, ...] | None) -> Run:
    """Return *run* with only what was asked for; a store may have returned more."""
    if columns is None:
        return run
    wanted: dict[str, set[str]] = {"metric": set(), "param": set(), "tag": set()}
    for one in columns:
        wanted.setdefault(one.entity, set()).add(one.key)
    data = RunData(
        tuple(point for point in run.data.latest if point.key in wanted["metric"]),
        {key: value for key, value in run.data.params.items() if key in wanted["param"]},
        {key: value for key, value in run.data.tags.items() if key in wanted["tag"]},
    )
    return Run(run.info, data)
