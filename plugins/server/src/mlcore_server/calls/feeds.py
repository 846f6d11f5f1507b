"""Answers to pages that look at many runs: charts, what has changed, experiments with counts, search."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from typing import Any

import orjson
from attrs import evolve

from mlcore.entities import (
    Bucketed,
    BucketedCurve,
    BucketQuery,
    Experiment,
    ExperimentQuery,
    LifecycleStage,
    Overview,
    RunQuery,
    Stat,
    ViewType,
)
from mlcore.errors import InvalidParameterError, MlcoreError
from mlcore.interfaces import RegistryStore
from mlcore.tracking.bucket_axes import MetricAxis, buckets_over
from mlcore.tracking.buckets import buckets
from mlcore.tracking.changes import changes
from mlcore.tracking.counts import count_runs
from mlcore.tracking.finding import find
from mlcore.tracking.overview import overviews
from mlcore.wire import limits
from mlcore.wire import requests_feeds as r
from mlcore.wire.filter_parser import parse_experiment_filter, parse_experiment_order
from mlcore.wire.messages import number_out
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores
from mlcore_server.whole import BINARY, Whole, wants_json

_MOST_RUNS, _MOST_KEYS, _MOST_BUCKETS = 1000, 100, 2000
_MOST_CHANGED, _MOST_WATCHED = 1000, 1000
_MOST_FOUND, _LONGEST_TEXT = 50, 500
_NOTE = "mlflow.note.content"
_NOTHING_NEW = Whole(b"", status=204)


class Feeds:
    """The group `feeds` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access) -> None:
        """Answer from *stores* what *access* lets somebody see."""
        self._stores = stores
        self._access = access

    def series(self, request: r.SeriesOnGrid, caller: Caller) -> Json | Whole:
        """Return curves on one grid, binary unless JSON is asked for."""
        within("length", "run_ids", len(request.run_ids), (1, _MOST_RUNS))
        within("length", "keys", len(request.keys), (1, _MOST_KEYS))
        within("value", "buckets", request.buckets, (2, _MOST_BUCKETS))
        stats = tuple(dict.fromkeys(request.stats))
        within("length", "stats", len(stats), (1, len(Stat)))
        query = BucketQuery(
            request.run_ids,
            request.keys,
            request.x,
            request.start,
            request.end,
            request.buckets,
            stats,
            _since(request.since, request.x_key),
        )
        if request.x_key:
            axis = MetricAxis(request.x_key, request.x_min, request.x_max)
            found = buckets_over(self._stores.tracking, query, axis)
        else:
            found = buckets(self._stores.tracking, query)
        head = series_head(found, stats, "metric" if request.x_key else request.x)
        if not wants_json(caller.accept):
            return Whole(series_bytes(head, found), BINARY)
        values = [[_column(column) for column in curve.columns] for curve in found.curves]
        return head | {"grid": [number_out(place) for place in found.grid], "values": values}

    def changes(self, request: r.ChangesSince, _: Caller) -> Json | Whole:
        """Return which runs have changed; nothing when none has."""
        within("length", "experiment_ids", len(request.experiment_ids), (1, _MOST_WATCHED))
        ids = tuple(limits.check_experiment_id(one) for one in request.experiment_ids)
        found = changes(self._stores.tracking, ids, request.since or None, _MOST_CHANGED)
        if request.since and found.cursor == request.since and not found.run_ids:
            return _NOTHING_NEW
        told: Json = {"cursor": found.cursor, "running": found.running}
        return told | {"run_ids": list(found.run_ids), "more": found.more} if request.since else told

    def experiments(self, request: r.ListWithCounts, caller: Caller) -> Json:
        """Return a page of experiments with how much is in them."""
        query = ExperimentQuery(
            parse_experiment_filter(request.filter),
            parse_experiment_order(request.order_by),
            request.view,
            limits.check_max_results(request.max_results, _MOST_WATCHED),
            request.page_token or None,
        )
        page = self._stores.tracking.search_experiments(query)
        ids = self._access.readable(caller.principal, "experiment", [one.experiment_id for one in page.items])
        shown = [one for one in page.items if one.experiment_id in ids]
        counts = overviews(self._stores.tracking, tuple(one.experiment_id for one in shown))
        return {
            "experiments": [self._listed(one, self._counted(one, counts[one.experiment_id])) for one in shown],
            "next_page_token": page.next_token,
        }

    def search(self, request: r.Search, caller: Caller) -> Json:
        """Return what is called so, of what the caller may read."""
        within("value", "limit", request.limit, (1, _MOST_FOUND))
        within("length", "q", len(request.q), (0, _LONGEST_TEXT))
        found = find(
            self._stores.tracking,
            self._registry(),
            request.q.strip(),
            request.limit,
            lambda kind, ids: self._access.readable(caller.principal, kind, ids),
        )
        runs = [run.info for run in found.runs]
        return {
            "experiments": [{"experiment_id": one.experiment_id, "name": one.name} for one in found.experiments],
            "runs": [
                {
                    "run_id": info.run_id,
                    "run_name": info.run_name,
                    "experiment_id": info.experiment_id,
                    "status": info.status,
                }
                for info in runs
            ],
            "models": [{"name": name} for name in found.models],
        }

    def _counted(self, one: Experiment, counts: Overview) -> Overview:
        """Return how much is in an experiment; of a deleted one, whose runs are deleted too, how many runs it had."""
        if one.lifecycle_stage is LifecycleStage.ACTIVE:
            return counts
        every = RunQuery((one.experiment_id,), view=ViewType.ALL)
        return evolve(counts, run_count=count_runs(self._stores.tracking, every))

    def _listed(self, one: Experiment, counts: Overview) -> Json:
        times = (one.last_update_time, one.creation_time, counts.last_activity)
        return {
            "experiment_id": one.experiment_id,
            "name": one.name,
            "lifecycle_stage": one.lifecycle_stage.value,
            "creation_time": one.creation_time,
            "last_update_time": one.last_update_time,
            "artifact_location": self._stores.places.outward(one.artifact_location),
            "tags": dict(one.tags),
            "description": one.tags.get(_NOTE),
            "run_count": counts.run_count,
            "running": counts.running,
            "last_activity": max((time for time in times if time is not None), default=None),
        }

    def _registry(self) -> RegistryStore | None:
        try:
            return self._stores.registry
        except MlcoreError:
            return None  # a server without a registry has no models to find


def series_head(found: Bucketed, stats: tuple[Stat, ...], axis: str) -> Json:
    """Return what is known of curves besides their values."""
    return {
        "n": len(found.grid),
        "stats": list(stats),
        "x": axis,
        "exact": found.exact,
        "series": [
            {
                "run_id": curve.run_id,
                "key": curve.key,
                "count": curve.count,
                "first_x": curve.first_x,
                "last_x": curve.last_x,
                "last": number_out(curve.last),
            }
            | _odd(curve)
            for curve in found.curves
        ],
    }


def series_bytes(head: Json, found: Bucketed) -> bytes:
    """Return curves as bytes: length of the head, head, padding to eight bytes, grid as float64, columns as float32.

    Everything is little-endian; columns stand by curve, then by stat. They are float64, and the head has the width 8, when
    float32 would make infinity or zero of a value that is neither.
    """
    columns = [column for curve in found.curves for column in curve.columns]
    narrow = [array("f", column) for column in columns]
    is_lossy = any(map(_is_lossy, columns, narrow))
    text = orjson.dumps(head | {"width": 8 if is_lossy else 4})
    begin = len(text).to_bytes(4, "little") + text
    parts = [begin, bytes(-len(begin) % 8), _little(found.grid)]
    return b"".join(parts + [_little(column) for column in (columns if is_lossy else narrow)])


def _since(since: object, x_key: str) -> tuple[tuple[str, int], ...]:
    """Return places by run. Raises InvalidParameterError: they are none, or the axis is a metric."""
    if since is None:
        return ()
    if not isinstance(since, dict) or not all(type(place) is int for place in since.values()):
        raise InvalidParameterError("invalid parameter 'since': expected an object of integers by run id")
    if since and x_key:
        raise InvalidParameterError(
            "invalid parameter 'since': the places of a metric have no order; leave out 'x_key'"
        )
    return tuple(since.items())


def within(what: str, name: str, value: int, bounds: tuple[int, int]) -> None:
    """Let pass a *value* between *bounds*. Raises InvalidParameterError."""
    if not bounds[0] <= value <= bounds[1]:
        raise InvalidParameterError(
            f"invalid {what} {value} of parameter {name!r}: expected {bounds[0]} to {bounds[1]}"
        )


def _is_lossy(column: array[float], narrow: array[float]) -> bool:
    return any(narrow.count(value) != column.count(value) for value in (math.inf, -math.inf, 0.0))


def _odd(curve: BucketedCurve) -> Json:
    """Return at which positions points are not finite; what there is none of is left out."""
    found = {"nan": curve.nan, "infinity": curve.infinity, "minus_infinity": curve.minus_infinity}
    return {name: _stretches(positions) for name, positions in found.items() if positions}


def _stretches(positions: Sequence[int]) -> list[list[int]]:
    """Return ascending numbers as pairs of the first and the last of those that follow each other."""
    found: list[list[int]] = []
    for position in positions:
        if found and position == found[-1][1] + 1:
            found[-1][1] = position
        else:
            found.append([position, position])
    return found


def _little(column: array[Any]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _column(column: array[float]) -> list[float | str | None]:
    return [None if math.isnan(value) else number_out(value) for value in column]
