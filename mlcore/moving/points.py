"""Histories of metrics: read in pages, compared in order, so that only what is missing is written."""

from __future__ import annotations

import itertools
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from mlcore.entities import Metric
from mlcore.interfaces import TrackingStore

_PAGE = 10_000
_GREATEST = sys.float_info.max

Moment = tuple[int, int]


def history(store: TrackingStore, run_id: str, key: str) -> Iterator[Metric]:
    """Yield all points of a metric, ordered by (timestamp, step), page by page."""
    token: str | None = None
    while True:
        page = store.get_metric_history(run_id, key, max_results=_PAGE, page_token=token)
        yield from page.items
        token = page.next_token
        if token is None:
            return


def missing(
    source: Callable[[], Iterator[Metric]], target: Callable[[], Iterator[Metric]], clamped: Callable[[Metric], None]
) -> Iterator[Metric]:
    """Yield the points of *source* that *target* lacks; each returns a curve from its start, in order.

    clamped: told of infinities that the target keeps as the greatest finite number, as MLflow's databases do.
    """
    try:
        yield from _missing_in_order(source(), target(), clamped)
    except _DisorderError:
        # A store that breaks its contract; what comes twice is kept once.
        there: dict[Moment, set[object]] = {}
        for point in target():
            there.setdefault(_moment(point), set()).add(_mark(point.value))
        for moment, points in itertools.groupby(source(), _moment):
            yield from _lacking(points, there.get(moment, set()), clamped)


def _missing_in_order(
    source: Iterator[Metric], target: Iterator[Metric], clamped: Callable[[Metric], None]
) -> Iterator[Metric]:
    there = _moments(target)
    at, values = next(there, (None, set()))
    for moment, points in _grouped(source):
        while at is not None and at < moment:
            at, values = next(there, (None, set()))
        yield from _lacking(points, values if at == moment else set(), clamped)


def _moments(points: Iterator[Metric]) -> Iterator[tuple[Moment | None, set[object]]]:
    for moment, group in _grouped(points):
        yield moment, {_mark(point.value) for point in group}


def _grouped(points: Iterator[Metric]) -> Iterator[tuple[Moment, Iterator[Metric]]]:
    """Group by time and step. Stores differ in how they order values, NaN above all, but in nothing else."""
    before: Moment | None = None
    for moment, group in itertools.groupby(points, _moment):
        if before is not None and moment < before:
            raise _DisorderError
        before = moment
        yield moment, group


def _lacking(points: Iterable[Metric], there: set[object], clamped: Callable[[Metric], None]) -> Iterator[Metric]:
    sent: Counter[object] = Counter()
    for point in points:
        mark = _mark(point.value)
        sent[mark] += 1
        if sent[mark] > 1 or mark in there:
            continue
        if math.isinf(point.value) and math.copysign(_GREATEST, point.value) in there:
            clamped(point)
            continue
        yield point


def _moment(point: Metric) -> Moment:
    return point.timestamp, point.step


def _mark(value: float) -> object:
    return "nan" if math.isnan(value) else value


class _DisorderError(Exception):
    """A history is not ordered by time and step."""
