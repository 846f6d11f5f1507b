"""Answers about the curves of metrics, as MLflow's clients and pages ask for them."""

from __future__ import annotations

from collections.abc import Iterator

from mlcore.entities import Metric
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.wire import limits
from mlcore.wire import requests_tracking as r
from mlcore.wire.messages import missing
from mlcore.wire.tracking_json import Json, metric_out
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

_MOST_RUNS = 100
_MOST_SAMPLED = 2500


class Metrics:
    """The group `metrics` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def history(self, request: r.MetricHistory, _: Caller) -> Json:
        """Return a curve, or a page of it when the request says how much it wants."""
        if request.max_results is None:
            points = [metric_out(point) for point in self._points(request.run_id, request.metric_key)]
            return {"metrics": points} if points else {}
        most = limits.check_max_results(request.max_results, limits.SEARCH_RESULTS)
        try:
            page = self._stores.tracking.get_metric_history(
                request.run_id, request.metric_key, max_results=most, page_token=request.page_token or None
            )
        except NotFoundError:
            return {}
        out: Json = {"metrics": [metric_out(point) for point in page.items]} if page.items else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def history_bulk(self, request: r.MetricHistoryBulk, _: Caller) -> Json:
        """Return the curves of several runs, one after the other."""
        _check_runs("GetMetricHistoryBulk", request.run_id)
        if not request.metric_key:
            raise InvalidParameterError("GetMetricHistoryBulk request must specify a metric_key.")
        most = min(limits.check_max_results(request.max_results), limits.HISTORY_RESULTS)
        found: list[Json] = []
        for run_id in sorted(set(request.run_id)):
            for point in self._points(run_id, request.metric_key):
                if len(found) >= most:
                    return {"metrics": found}
                found.append(metric_out(point) | {"run_id": run_id})
        return {"metrics": found} if found else {}

    def history_interval(self, request: r.MetricHistoryInterval, _: Caller) -> Json:
        """Return an even sample of the steps of several curves, first and last step included."""
        _check_runs("GetMetricHistoryBulkInterval", request.run_ids)
        if not request.metric_key:
            raise missing("metric_key")
        if not 1 <= request.max_results <= _MOST_SAMPLED:
            raise InvalidParameterError(f"max_results must be between 1 and {_MOST_SAMPLED}, got {request.max_results}")
        low, high = request.start_step, request.end_step
        if (low is None) != (high is None):
            raise InvalidParameterError("If either start step or end step are specified, both must be specified.")
        if low is not None and high is not None and low > high:
            raise InvalidParameterError(
                f"end_step must be greater than start_step. Found start_step={low} and end_step={high}."
            )
        found: list[Json] = []
        for run_id in request.run_ids:
            points = [
                point
                for point in self._points(run_id, request.metric_key)
                if low is None or high is None or low <= point.step <= high
            ]
            wanted = sampled(sorted({point.step for point in points}), request.max_results)
            chosen = sorted((p for p in points if p.step in wanted), key=lambda p: (p.step, p.timestamp))
            found += [metric_out(point) | {"run_id": run_id} for point in chosen]
        return {"metrics": found} if found else {}

    def _points(self, run_id: str, key: str) -> Iterator[Metric]:
        """Yield a whole curve; an unknown run has none."""
        token: str | None = None
        while True:
            try:
                page = self._stores.tracking.get_metric_history(
                    run_id, key, max_results=limits.HISTORY_RESULTS, page_token=token
                )
            except NotFoundError:
                return
            yield from page.items
            token = page.next_token
            if token is None:
                return


def sampled(steps: list[int], most: int) -> frozenset[int]:
    """Return at most *most* of the sorted *steps*, evenly spread, the last always and the first when there is room."""
    if len(steps) <= most:
        return frozenset(steps)
    if most == 1:
        return frozenset(steps[-1:])
    return frozenset(steps[round(i * (len(steps) - 1) / (most - 1))] for i in range(most))


def _check_runs(name: str, run_ids: tuple[str, ...]) -> None:
    if not run_ids:
        raise InvalidParameterError(f"{name} request must specify at least one run_id.")
    if len(run_ids) > _MOST_RUNS:
        raise InvalidParameterError(
            f"{name} request cannot specify more than {_MOST_RUNS} run_ids. Received {len(run_ids)} run_ids."
        )
