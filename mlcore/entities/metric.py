"""Metric points, params and tags of a run, and the batch in which they travel."""

from __future__ import annotations

from attrs import frozen


@frozen
class Metric:
    """One point of a metric's curve.

    value: float64, NaN and infinities included.
    timestamp: ms since the epoch, UTC, >= 0.
    step: int64, may be negative and may repeat.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0


@frozen
class MetricSummary:
    """A metric's curve in four numbers.

    last: the point with the greatest (step, timestamp, value).
    min, max: over all points that are not NaN; None when there is none.
    """

    key: str
    last: Metric
    min: float | None
    max: float | None
    count: int


@frozen
class Param:
    """An input of a run; its value never changes once logged."""

    key: str
    value: str


@frozen
class RunTag:
    """A note on a run; setting it again overwrites."""

    key: str
    value: str


@frozen
class Batch:
    """Points, params and tags that are recorded together: all or nothing."""

    metrics: tuple[Metric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[RunTag, ...] = ()
