"""Answers that mlcore adds to the protocol: thinned-out curves, counts and facets."""

from __future__ import annotations

from mlcore.entities import RunQuery, Series, SeriesQuery
from mlcore.errors import InvalidParameterError
from mlcore.tracking.counts import count_runs, run_facets
from mlcore.tracking.series import series
from mlcore.wire import limits
from mlcore.wire import requests_views as v
from mlcore.wire.filter_parser import parse_run_filter
from mlcore.wire.messages import number_out
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.runs import column
from mlcore_server.stores import Stores

_MOST_RUNS, _MOST_KEYS, _MOST_POINTS, _MOST_FACETS = 1000, 100, 10_000, 1000


class Views:
    """The group `views` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def series(self, request: v.MetricSeries, _: Caller) -> Json:
        """Return the curves of some metrics in some runs, thinned out."""
        _within("run_ids", len(request.run_ids), 1, _MOST_RUNS)
        _within("keys", len(request.keys), 1, _MOST_KEYS)
        _within("max_points", request.max_points, 2, _MOST_POINTS)
        query = SeriesQuery(request.run_ids, request.keys, request.max_points, request.min_step, request.max_step)
        found = [_series_out(one) for one in series(self._stores.tracking, query)]
        return {"series": found} if found else {}

    def count_runs(self, request: v.CountRuns, _: Caller) -> Json:
        """Return how many runs fit."""
        query = _query(request)
        return {"count": count_runs(self._stores.tracking, query) if query.experiment_ids else 0}

    def run_facets(self, request: v.RunFacets, _: Caller) -> Json:
        """Return the most frequent values of a field."""
        _within("limit", request.limit, 1, _MOST_FACETS)
        field = column(request.field)
        query = _query(request)
        found = run_facets(self._stores.tracking, query, field, request.limit) if query.experiment_ids else ()
        return {"facets": [{"value": one.value, "count": one.count} for one in found]} if found else {}


def _query(request: v.CountRuns | v.RunFacets) -> RunQuery:
    ids = tuple(limits.check_experiment_id(one) for one in request.experiment_ids)
    return RunQuery(ids, parse_run_filter(request.filter), view=request.run_view_type)


def _series_out(one: Series) -> Json:
    return {
        "run_id": one.run_id,
        "key": one.key,
        "count": one.count,
        "steps": [point.step for point in one.points],
        "timestamps": [point.timestamp for point in one.points],
        "values": [number_out(point.value) for point in one.points],
    }


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        what = "length" if name in ("run_ids", "keys") else "value"
        raise InvalidParameterError(f"invalid {what} {value} of parameter {name!r}: expected {low} to {high}")
