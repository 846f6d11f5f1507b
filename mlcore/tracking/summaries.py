"""Metric curves in four numbers: the definition of last, min, max and count that stores share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mlcore.entities.metric import Metric, MetricSummary


def summarize(key: str, curve: Sequence[Metric]) -> MetricSummary:
    """Return the summary of one metric.

    curve: all its points in one run, at least one, in any order.
    """
    numbers = [point.value for point in curve if not math.isnan(point.value)]
    return MetricSummary(
        key=key,
        last=max(curve, key=recency),
        min=min(numbers, default=None),
        max=max(numbers, default=None),
        count=len(curve),
    )


def summarize_all(points: Iterable[Metric]) -> dict[str, MetricSummary]:
    """Return the summary of each metric in *points*, by key, sorted by key.

    points: of one run, in any order, several metrics mixed.
    """
    curves: dict[str, list[Metric]] = {}
    for point in points:
        curves.setdefault(point.key, []).append(point)
    return {key: summarize(key, curves[key]) for key in sorted(curves)}


def recency(point: Metric) -> tuple[int, int, bool, float]:
    """Return what the latest point of a metric is the greatest of."""
    # Of points with one step and timestamp the greatest value counts, and any number counts more than NaN.
    known = not math.isnan(point.value)
    return point.step, point.timestamp, known, point.value if known else 0.0
