"""Curves of many runs at once, thinned out for looking at."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities.metric import Metric


@frozen
class SeriesQuery:
    """A question for the curves of some metrics in some runs.

    run_ids: 1 to 1000. keys: 1 to 100 metric keys.
    max_points: about how many points of a curve to return, 2 to 10,000; shorter curves are returned whole.
    min_step, max_step: only points whose step lies between them, both included; None for no bound.
    """

    run_ids: tuple[str, ...]
    keys: tuple[str, ...]
    max_points: int = 500
    min_step: int | None = None
    max_step: int | None = None


@frozen
class Series:
    """A thinned-out curve.

    points: ordered by (step, timestamp, value). Of each bucket of steps the points with the least and the greatest
    value are kept, NaN apart, and the first and last point of the whole curve.
    count: how many points the curve has between the bounds.
    """

    run_id: str
    key: str
    points: tuple[Metric, ...]
    count: int


@frozen
class Facet:
    """How often a value occurs among the runs that fit a search."""

    value: str
    count: int
