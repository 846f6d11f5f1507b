"""Curves of many runs on one grid, for charts: by the store itself, or by reading the whole curves.

When the curves have no more distinct places than the grid may have, the grid is these places. Else the range from the
first to the last place is cut into equal buckets, and each curve has one value per bucket and stat. Buckets in which no
curve has a point are left out.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

from attrs import frozen

from mlcore.entities import Axis, Bucketed, BucketedCurve, BucketQuery, Metric, Stat
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import SupportsBuckets, TrackingStore
from mlcore.tracking.series import history

_Odd = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
_NOTHING_ODD: _Odd = ((), (), ())
MOST_VALUES = 8_000_000  # of one answer: 64 MB in memory, 32 MB on the wire


@frozen
class Curve:
    """The points of a metric in a run between the bounds of a query, at least one.

    places: where they are on the axis, ascending. values: NaN included; of points at one place the latest is last.
    """

    run_id: str
    key: str
    places: Sequence[int]
    values: Sequence[float]


@frozen
class Grid:
    """How an axis is cut.

    places: of an exact grid, ascending; empty for equal buckets.
    first, width, count: where equal buckets begin, how wide each is, and how many there are.
    last: the greatest place that there is.
    """

    places: tuple[int, ...] = ()
    first: int = 0
    last: int = 0
    width: int = 1
    count: int = 0

    @property
    def size(self) -> int:
        """How many positions there are."""
        return len(self.places) or self.count

    def positions(self) -> array[float]:
        """Return where each position is drawn: a bucket in the middle of what it can hold."""
        if self.places:
            return array("d", self.places)
        starts = (self.first + number * self.width for number in range(self.count))
        return array("d", (_middle(start, min(start + self.width - 1, self.last)) for start in starts))


def buckets(store: TrackingStore, query: BucketQuery) -> Bucketed:
    """Return the curves of some metrics in some runs on one grid.

    Raises InvalidParameterError: the answer would have more than 8 million values.
    """
    return store.metric_buckets(query) if isinstance(store, SupportsBuckets) else buckets_by_history(store, query)


def buckets_by_history(store: TrackingStore, query: BucketQuery) -> Bucketed:
    """Return what `buckets` does, by reading the whole curves."""
    return bucketed(query, list(_curves(store, query)))


def bucketed(query: BucketQuery, curves: Sequence[Curve]) -> Bucketed:
    """Put whole curves on one grid."""
    if not curves:
        return Bucketed(True, array("d"), ())
    first = min(curve.places[0] for curve in curves)
    last = max(curve.places[-1] for curve in curves)
    grid = grid_of(query, (curve.places for curve in curves), first, last)
    check_size(query, grid, len(curves))
    return joined(grid, [on_grid(curve, grid, query.stats) for curve in curves])


def grid_of(query: BucketQuery, places: Iterable[Iterable[int]], first: int, last: int) -> Grid:
    """Return the grid for curves whose points are at *places*, from *first* to *last*; read as far as is needed."""
    distinct: set[int] = set()
    for of_curve in places:
        distinct.update(of_curve)
        if len(distinct) > query.buckets:
            width = (last - first) // query.buckets + 1
            return Grid((), first, last, width, (last - first) // width + 1)
    return Grid(tuple(sorted(distinct)))


def check_size(query: BucketQuery, grid: Grid, curves: int) -> None:
    """Refuse an answer that is too large to draw or to send. Raises InvalidParameterError."""
    values = curves * grid.size * len(query.stats)
    if values > MOST_VALUES:
        raise InvalidParameterError(
            f"{curves} curves with {grid.size} buckets and {len(query.stats)} stats are {values} values, at most "
            f"{MOST_VALUES} are allowed: ask for fewer runs, keys, stats or buckets"
        )


def on_grid(curve: Curve, grid: Grid, stats: Sequence[Stat]) -> BucketedCurve:
    """Put a whole curve on a grid that covers it."""
    places, values = curve.places, curve.values
    last = values[-1]
    odd = _NOTHING_ODD if all(map(math.isfinite, values)) else _odd(curve, grid)
    if odd[0]:
        known = [number for number, value in enumerate(values) if not math.isnan(value)]
        places, values = [places[number] for number in known], [values[number] for number in known]
    columns = [empty_column(grid.size) for _ in stats]
    makers = [_MAKERS[stat] for stat in stats]
    for position, start, end in _stretches(places, grid):
        chunk = values[start:end]
        for column, make in zip(columns, makers, strict=True):
            column[position] = make(chunk)
    return BucketedCurve(
        curve.run_id, curve.key, len(curve.places), curve.places[0], curve.places[-1], last, tuple(columns), *odd
    )


def empty_column(size: int) -> array[float]:
    """Return a column in which nothing is."""
    return array("d", (math.nan,)) * size


def joined(grid: Grid, curves: Sequence[BucketedCurve]) -> Bucketed:
    """Return curves with the grid that they are on, without positions at which none has a point."""
    positions = grid.positions()
    if grid.places:
        return Bucketed(True, positions, tuple(curves))
    used = [False] * len(positions)
    for curve in curves:
        for position in (*curve.nan, *curve.infinity, *curve.minus_infinity):
            used[position] = True
        for column in curve.columns:
            used = [seen or value == value for seen, value in zip(used, column, strict=True)]
        if all(used):
            return Bucketed(False, positions, tuple(curves))
    return Bucketed(False, _kept(positions, used), tuple(_without(curve, used) for curve in curves))


def bounds(query: BucketQuery, run_start: int, since: int | None = None) -> tuple[int | None, int | None, int]:
    """Return the least and the greatest step or timestamp that a query asks for, and what to take off for a place.

    run_start: when the run started, ms since the epoch. since: the place of the run that the query has; None without.
    """
    base = run_start if query.axis is Axis.RELATIVE else 0
    start = query.start
    if since is not None:
        start = since + 1 if start is None else max(start, since + 1)
    return (
        None if start is None else start + base,
        None if query.end is None else query.end + base,
        base,
    )


def _stretches(places: Sequence[int], grid: Grid) -> Iterator[tuple[int, int, int]]:
    """Yield each position at which there are points, with the numbers of the first one and of the one after the last."""
    start = position = 0
    while start < len(places):
        place = places[start]
        if grid.places:
            position, stop = bisect_left(grid.places, place, position), bisect_right(places, place, start)
        else:
            position = (place - grid.first) // grid.width
            stop = bisect_left(places, grid.first + (position + 1) * grid.width, start)
        yield position, start, stop
        start = stop


def _odd(curve: Curve, grid: Grid) -> _Odd:
    """Return the positions of points that are NaN, infinity, and minus infinity."""
    found: tuple[dict[int, None], ...] = ({}, {}, {})
    for place, value in zip(curve.places, curve.values, strict=True):
        if not math.isfinite(value):
            position = bisect_left(grid.places, place) if grid.places else (place - grid.first) // grid.width
            found[0 if math.isnan(value) else 1 if value > 0 else 2][position] = None
    return tuple(found[0]), tuple(found[1]), tuple(found[2])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _last(values: Sequence[float]) -> float:
    return values[-1]


_MAKERS: dict[Stat, Callable[[Sequence[float]], float]] = {
    Stat.LAST: _last,
    Stat.MEAN: _mean,
    Stat.MIN: min,
    Stat.MAX: max,
}


def _middle(first: int, last: int) -> float:
    return first + (last - first) / 2


def _kept(column: array[float], used: Sequence[bool]) -> array[float]:
    return array("d", (value for value, is_used in zip(column, used, strict=True) if is_used))


def _without(curve: BucketedCurve, used: Sequence[bool]) -> BucketedCurve:
    columns = tuple(_kept(column, used) for column in curve.columns)
    now = list(accumulate(used, initial=0))  # where a position is when those before it that are not used are gone
    odd = (tuple(now[position] for position in one) for one in (curve.nan, curve.infinity, curve.minus_infinity))
    return BucketedCurve(curve.run_id, curve.key, curve.count, curve.first_x, curve.last_x, curve.last, columns, *odd)


def _curves(store: TrackingStore, query: BucketQuery) -> Iterator[Curve]:
    since = dict(query.since)
    for run_id in dict.fromkeys(query.run_ids):
        start = 0
        if query.axis is Axis.RELATIVE:
            try:
                start = store.get_run(run_id).info.start_time
            except NotFoundError:
                continue
        low, high, base = bounds(query, start, since.get(run_id))
        place = _step if query.axis is Axis.STEP else _time
        for key in sorted(set(query.keys)):
            points = [
                (place(point), point)
                for point in history(store, run_id, key)
                if (low is None or place(point) >= low) and (high is None or place(point) <= high)
            ]
            if points:
                points.sort(key=_order)
                yield Curve(
                    run_id,
                    key,
                    array("q", (at for at, _ in points)) if not base else [at - base for at, _ in points],
                    array("d", (point.value for _, point in points)),
                )


def _step(point: Metric) -> int:
    return point.step


def _time(point: Metric) -> int:
    return point.timestamp


def _order(found: tuple[int, Metric]) -> tuple[int, int, int, bool, float]:
    """Sort by place; of several points at one place the latest is last, and NaN before numbers."""
    place, point = found
    gap = math.isnan(point.value)
    return place, point.step, point.timestamp, not gap, 0.0 if gap else point.value
