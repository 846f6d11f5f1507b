"""Thinned-out curves of many runs, from stores that thin them out themselves and from those that do not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from mlcore.entities import Metric, Series, SeriesQuery
from mlcore.errors import NotFoundError
from mlcore.interfaces import SupportsSeries, TrackingStore
from mlcore.wire.limits import HISTORY_RESULTS


def series(store: TrackingStore, query: SeriesQuery) -> tuple[Series, ...]:
    """Return one series per run and key that has points, by run in the order of the query, then by key.

    Unknown runs and keys give nothing.
    """
    return store.metric_series(query) if isinstance(store, SupportsSeries) else series_by_history(store, query)


def series_by_history(store: TrackingStore, query: SeriesQuery) -> tuple[Series, ...]:
    """Return what `series` does, by reading the whole curves."""
    return tuple(_series(store, query))


def thinned(points: Sequence[Metric], max_points: int) -> tuple[Metric, ...]:
    """Choose about *max_points* of a curve's points, sorted by (step, timestamp, value).

    Of each bucket of steps the least and the greatest value stay, NaN apart, and the first and last point of the curve.
    The buckets are equally wide; where all points have one step, they are buckets of time. At most `max_points` points
    are returned as they are.
    """
    if len(points) <= max_points:
        return tuple(points)
    first, last = points[0], points[-1]
    by_time = first.step == last.step
    times = [point.timestamp for point in points] if by_time else [point.step for point in points]
    width = bucket_width(min(times), max(times), max_points)
    least: dict[int, Metric] = {}
    greatest: dict[int, Metric] = {}
    for point, time in zip(points, times, strict=True):
        if math.isnan(point.value):
            continue
        bucket = time // width
        if bucket not in least or point.value < least[bucket].value:
            least[bucket] = point
        if bucket not in greatest or point.value > greatest[bucket].value:
            greatest[bucket] = point
    kept = {id(point) for point in (first, last, *least.values(), *greatest.values())}
    return tuple(point for point in points if id(point) in kept)


def bucket_width(first: int, last: int, max_points: int) -> int:
    """Return how wide the buckets of a curve from *first* to *last* are; each gives two points."""
    return (last - first) // max(1, (max_points - 2) // 2) + 1


def by_step(point: Metric) -> tuple[int, int, bool, float]:
    """Return what a curve is sorted by: step, timestamp, value, NaN before numbers."""
    gap = math.isnan(point.value)
    return point.step, point.timestamp, not gap, 0.0 if gap else point.value


def _series(store: TrackingStore, query: SeriesQuery) -> Iterator[Series]:
    for run_id in dict.fromkeys(query.run_ids):
        for key in sorted(set(query.keys)):
            points = sorted(_between(history(store, run_id, key), query), key=by_step)
            if points:
                yield Series(run_id, key, thinned(points, query.max_points), len(points))


def _between(points: Iterator[Metric], query: SeriesQuery) -> Iterator[Metric]:
    for point in points:
        too_early = query.min_step is not None and point.step < query.min_step
        too_late = query.max_step is not None and point.step > query.max_step
        if not too_early and not too_late:
            yield point


def history(store: TrackingStore, run_id: str, key: str) -> Iterator[Metric]:
    """Yield all points of a curve; none of an unknown run."""
    token: str | None = None
    while True:
        try:
            page = store.get_metric_history(run_id, key, max_results=HISTORY_RESULTS, page_token=token)
        except NotFoundError:
            return
        yield from page.items
        token = page.next_token
        if token is None:
            return
