"""Curves of many runs, thinned out: by the store where it can, else from the whole curves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mlcore.entities import Metric, Series, SeriesQuery
from mlcore.errors import NotFoundError
from mlcore.interfaces import SupportsSeries, TrackingStore
from mlcore.wire import limits


def series(store: TrackingStore, query: SeriesQuery) -> tuple[Series, ...]:
    """Return the curves that *query* asks for; see `SupportsSeries`."""
    if isinstance(store, SupportsSeries):
        return store.metric_series(query)
    found = []
    for run_id in dict.fromkeys(query.run_ids):
        for key in sorted(set(query.keys)):
            points = [point for point in whole_curve(store, run_id, key) if _is_between(point, query)]
            if points:
                found.append(Series(run_id, key, thinned(points, query.max_points), len(points)))
    return tuple(found)


def whole_curve(store: TrackingStore, run_id: str, key: str) -> Iterable[Metric]:
    """Yield all points of a metric, by timestamp; an unknown run has none."""
    token: str | None = None
    while True:
        try:
            page = store.get_metric_history(run_id, key, max_results=limits.HISTORY_RESULTS, page_token=token)
        except NotFoundError:
            return
        yield from page.items
        token = page.next_token
        if token is None:
            return


def thinned(points: Sequence[Metric], most: int) -> tuple[Metric, ...]:
    """Return about *most* of the points, by (step, timestamp, value), such that peaks and dips stay.

    The curve is cut into most / 2 buckets of steps; of each the points with the least and the greatest value stay,
    NaN only where a bucket has nothing else, and the first and last point of the curve.
    """
    ordered = sorted(points, key=_place)
    if len(ordered) <= most:
        return tuple(ordered)
    low, high = ordered[0].step, ordered[-1].step
    buckets = max(1, most // 2)
    width = (high - low + 1) / buckets
    extremes: dict[int, tuple[Metric, Metric]] = {}
    for point in ordered:
        bucket = int((point.step - low) / width)
        least, greatest = extremes.get(bucket, (point, point))
        if math.isnan(least.value) or point.value < least.value:
            least = point
        if math.isnan(greatest.value) or point.value > greatest.value:
            greatest = point
        extremes[bucket] = (least, greatest)
    kept = {ordered[0], ordered[-1]}.union(*extremes.values())
    return tuple(sorted(kept, key=_place))


def _is_between(point: Metric, query: SeriesQuery) -> bool:
    after = query.min_step is None or point.step >= query.min_step
    return after and (query.max_step is None or point.step <= query.max_step)


def _place(point: Metric) -> tuple[int, int, bool, float]:
    is_nan = math.isnan(point.value)
    return (point.step, point.timestamp, is_nan, 0.0 if is_nan else point.value)
