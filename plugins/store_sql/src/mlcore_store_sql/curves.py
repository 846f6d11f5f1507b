"""Metric points as rows: values that are not finite, which point is the latest, and a curve's summary.

NaN is smaller than every number: of two points with the same step and timestamp the one with a number is the
latest.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from operator import itemgetter

from mlcore.entities import Metric, MetricSummary

FINITE, NAN, PLUS_INFINITY, MINUS_INFINITY = range(4)

LARGEST = sys.float_info.max

# step, timestamp, value, special
Point = tuple[int, int, float, int]
# step, timestamp, value, special, min, max, count
Latest = tuple[int, int, float, int, float | None, float | None, int]

_VALUE: Callable[[Point], float] = itemgetter(2)
_SPECIAL: Callable[[Point], int] = itemgetter(3)
_TRUE_VALUES = {NAN: math.nan, PLUS_INFINITY: math.inf, MINUS_INFINITY: -math.inf}


def point(metric: Metric) -> Point:
    """Return a point's columns; what is not finite becomes a number and a mark, which every database can hold."""
    value = metric.value
    if math.isfinite(value):
        return (metric.step, metric.timestamp, value, FINITE)
    if math.isnan(value):
        return (metric.step, metric.timestamp, 0.0, NAN)
    if value > 0:
        return (metric.step, metric.timestamp, LARGEST, PLUS_INFINITY)
    return (metric.step, metric.timestamp, -LARGEST, MINUS_INFINITY)


def true_value(value: float, special: int) -> float:
    """Return the value that was logged."""
    return value if special == FINITE else _TRUE_VALUES[special]


def latest(points: list[Point]) -> Point:
    """Return the point with the greatest (step, timestamp, value)."""
    return points[0] if len(points) == 1 else max(points, key=_rank)


def later(one: Point, other: Point) -> Point:
    """Return the one of two points with the greater (step, timestamp, value)."""
    return one if _rank(one) > _rank(other) else other


def _rank(row: Point) -> tuple[int, int, bool, float]:
    step, timestamp, value, special = row
    if special == FINITE:
        return (step, timestamp, True, value)
    return (step, timestamp, special != NAN, _TRUE_VALUES[special] if special != NAN else 0.0)


def summarized(points: list[Point], before: Latest | None, added: int) -> Latest:
    """Return the curve's new summary.

    before: the summary without *points*; None when there was no point.
    added: how many of the points were not there yet.
    """
    if max(map(_SPECIAL, points)) == FINITE:  # as most points are; twice as fast
        values = list(map(_VALUE, points))
        last = max(points)
    else:
        values = [row[2] for row in points if row[3] != NAN]
        last = latest(points)
    if before is None:
        return (*last, min(values, default=None), max(values, default=None), added)
    values += [bound for bound in before[4:6] if bound is not None]
    return (*later(last, before[:4]), min(values, default=None), max(values, default=None), before[6] + added)


def metric_of(key: str, row: Point) -> Metric:
    """Return the point that a row stands for."""
    step, timestamp, value, special = row
    return Metric(key, value if special == FINITE else _TRUE_VALUES[special], timestamp, step)


def summary_of(key: str, row: Latest, has: Callable[[int], bool]) -> MetricSummary:
    """Return the summary that a row stands for.

    has: whether the curve has a point of a kind, finite or other; asked only where it matters.
    """
    low, high = row[4], row[5]
    # The largest double may be itself, or stand for infinity.
    if low == -LARGEST and has(MINUS_INFINITY):
        low = -math.inf
    elif low == LARGEST and not has(FINITE):
        low = math.inf
    if high == LARGEST and has(PLUS_INFINITY):
        high = math.inf
    elif high == -LARGEST and not has(FINITE):
        high = -math.inf
    return MetricSummary(key, metric_of(key, row[:4]), low, high, row[6])
