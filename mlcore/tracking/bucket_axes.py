"""Curves of many runs over another metric in place of the step: put on one grid by steps, then by that metric's values.

What a curve has at a step is drawn where the other metric of the run is at that step; between two points of the other
metric is the line between them, and before its first and after its last one nothing is. Every store can do it that puts
curves on a grid of steps, at the price of one more key.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence

from attrs import evolve, frozen

from mlcore.entities import Axis, Bucketed, BucketedCurve, BucketQuery, Stat
from mlcore.interfaces import TrackingStore
from mlcore.tracking.buckets import buckets, empty_column

_NOTHING = Bucketed(True, array("d"), ())


@frozen
class MetricAxis:
    """A metric that curves are drawn over.

    low, high: only where it is between them, both included; None for no bound.
    """

    key: str
    low: float | None = None
    high: float | None = None

    def has(self, least: float, greatest: float) -> bool:
        """Return whether some value from *least* to *greatest* is between the bounds."""
        return (self.low is None or greatest >= self.low) and (self.high is None or least <= self.high)


@frozen
class _Line:
    """A curve on the grid of steps. places: what the axis is at each position that has a point; numbers: which these are."""

    curve: BucketedCurve
    places: Sequence[float]
    numbers: Sequence[int]


def buckets_over(store: TrackingStore, query: BucketQuery, axis: MetricAxis) -> Bucketed:
    """Return the curves of some metrics in some runs over the values of another one.

    query: its axis, start and end count for nothing. Curves of runs without the metric of the axis are left out; first_x
    and last_x of the others are its least and greatest value. When several steps have one place, the stats are of all
    of them, and the mean that of their means.
    Raises InvalidParameterError: the answer would have more than 8 million values.
    """
    query = evolve(query, axis=Axis.STEP, start=None, end=None)
    if axis.low is not None or axis.high is not None:
        steps = _steps(store, query, axis)
        if steps is None:
            return _NOTHING
        query = evolve(query, start=steps[0], end=steps[1])
    stats = tuple(dict.fromkeys((*query.stats, Stat.LAST)))
    keys = tuple(dict.fromkeys((*query.keys, axis.key)))
    found = buckets(store, evolve(query, keys=keys, stats=stats))
    lines = list(_lines(found, query, axis, stats.index(Stat.LAST)))
    distinct = {place for line in lines for place in line.places}
    if not distinct:
        return _NOTHING
    is_exact = len(distinct) <= query.buckets
    where, grid = _exact(distinct) if is_exact else _cut(distinct, query.buckets)
    return Bucketed(
        found.exact and is_exact, grid, tuple(_moved(line, where, len(grid), query.stats) for line in lines)
    )


def _steps(store: TrackingStore, query: BucketQuery, axis: MetricAxis) -> tuple[int, int] | None:
    """Return between which steps the metric is between the bounds in some run; None when nowhere."""
    found = buckets(store, evolve(query, keys=(axis.key,), stats=(Stat.MIN, Stat.MAX)))
    firsts, lasts = [], []
    for curve in found.curves:
        least, greatest = curve.columns
        known = [number for number, value in enumerate(least) if math.isfinite(value)]
        near = set()
        for one, other in zip(known, known[1:] or known, strict=False):
            if axis.has(min(least[one], least[other]), max(greatest[one], greatest[other])):
                near |= {one, other}
        if near:
            # a position is the middle of a bucket: the outermost ones reach as far as the curve
            firsts.append(int(curve.first_x) if min(near) == known[0] else math.floor(found.grid[min(near)]))
            lasts.append(int(curve.last_x) if max(near) == known[-1] else math.ceil(found.grid[max(near)]))
    return (min(firsts), max(lasts)) if firsts else None


def _lines(found: Bucketed, query: BucketQuery, axis: MetricAxis, last: int) -> Iterator[_Line]:
    places = {curve.run_id: _filled(found.grid, curve.columns[last]) for curve in found.curves if curve.key == axis.key}
    for curve in found.curves:
        if curve.key not in query.keys or curve.run_id not in places:
            continue
        odd = {*curve.nan, *curve.infinity, *curve.minus_infinity}
        numbers = [
            number
            for number, (place, value) in enumerate(zip(places[curve.run_id], curve.columns[last], strict=True))
            if math.isfinite(place) and axis.has(place, place) and (value == value or number in odd)
        ]
        if numbers:
            yield _Line(curve, [places[curve.run_id][number] for number in numbers], numbers)


def _filled(grid: Sequence[float], values: Sequence[float]) -> array[float]:
    """Return values with those on the line between two of them; NaN before the first and after the last one."""
    found = array("d", values)
    before = None
    for number, value in enumerate(values):
        if not math.isfinite(value):
            continue
        if before is not None and before + 1 < number:
            slope = (value - values[before]) / (grid[number] - grid[before])
            for between in range(before + 1, number):
                found[between] = values[before] + slope * (grid[between] - grid[before])
        before = number
    return found


def _exact(distinct: set[float]) -> tuple[dict[float, int], array[float]]:
    grid = array("d", sorted(distinct))
    return {place: position for position, place in enumerate(grid)}, grid


def _cut(distinct: set[float], count: int) -> tuple[dict[float, int], array[float]]:
    """Return the position of each place, and the middles of the equal buckets in which there is one."""
    first, last = min(distinct), max(distinct)
    width = last / count - first / count  # the difference itself may be too large
    numbers = {place: min(int((place - first) / width), count - 1) for place in distinct}
    used = sorted(set(numbers.values()))
    positions = {number: position for position, number in enumerate(used)}
    grid = array("d", (first + (number + 0.5) * width for number in used))
    return {place: positions[number] for place, number in numbers.items()}, grid


def _moved(line: _Line, where: dict[float, int], size: int, stats: Sequence[Stat]) -> BucketedCurve:
    curve = line.curve
    to = dict(zip(line.numbers, (where[place] for place in line.places), strict=True))
    columns = tuple(_together(column, to, size, stat) for column, stat in zip(curve.columns, stats, strict=False))
    odd = (
        tuple(sorted({to[number] for number in one if number in to}))
        for one in (curve.nan, curve.infinity, curve.minus_infinity)
    )
    return BucketedCurve(
        curve.run_id, curve.key, curve.count, min(line.places), max(line.places), curve.last, columns, *odd
    )


def _together(column: Sequence[float], to: dict[int, int], size: int, stat: Stat) -> array[float]:
    found, counts = empty_column(size), array("q", bytes(8 * size))
    for number, position in to.items():
        value, old = column[number], found[position]
        if value != value:
            continue
        counts[position] += 1
        if old != old or stat is Stat.LAST:
            found[position] = value
        elif stat is Stat.MEAN:
            found[position] = old + (value - old) / counts[position]
        else:
            found[position] = min(old, value) if stat is Stat.MIN else max(old, value)
    return found
