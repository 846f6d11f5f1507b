"""The lines of MLflow's metric files: `timestamp value step`, older files without step, newer ones with a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import define, field, frozen

from mlcore.entities import Metric, MetricSummary, ModelMetric
from mlcore.tracking.summaries import summarize

PointKey = tuple[int, int, str]
_INT64 = 2**63


@frozen
class Lines:
    """What a metric file holds: each point once, in the order of the lines.

    faults: what is wrong with lines that are left out.
    """

    points: tuple[Metric, ...]
    faults: tuple[str, ...] = ()


@define
class Curve:
    """What is remembered of a metric file: its summary, and how far it was read.

    newest: the greatest timestamp; lines that are newer cannot be there already.
    """

    mark: tuple[int, int, int]
    summary: MetricSummary | None
    newest: int
    faults: tuple[str, ...] = field(factory=tuple)


def point_key(point: Metric) -> PointKey:
    """Return what makes a point of a curve one of its own."""
    return point.timestamp, point.step, repr(point.value)


def line_of(point: Metric) -> str:
    """Return the line that MLflow writes for a point."""
    return f"{point.timestamp} {float(point.value)!r} {point.step}\n"


def model_line_of(metric: ModelMetric) -> str:
    """Return the line that MLflow writes for a point that was measured on a logged model."""
    dataset = f" {metric.dataset_name} {metric.dataset_digest}" if metric.dataset_name else ""
    return f"{line_of(metric.point)[:-1]} {metric.run_id}{dataset}\n"


def read_lines(key: str, data: bytes) -> Lines:
    """Read a run's metric file.

    A last line without its end was cut off while it was written: nobody knows how its last number went on, so it is left
    out. So is a line that is no point.
    """
    if data.count(b"\n") == 1 and data.endswith(b"\n"):  # as most metrics have one value, a way without detours
        row = data.split()
        only = _point(key, row) if len(row) in (2, 3, 5) else None
        if only is not None:
            return Lines((only,))
    points: dict[PointKey, Metric] = {}
    rows, faults = _rows(data)
    for number, row in rows:
        point = _point(key, row) if len(row) in (2, 3, 5) else None
        if point is None:
            faults.append(f"line {number} is no point: {b' '.join(row)[:80].decode(errors='replace')!r}")
        else:
            points.setdefault(point_key(point), point)
    return Lines(tuple(points.values()), tuple(faults))


def read_model_lines(model_id: str, key: str, data: bytes) -> tuple[list[ModelMetric], list[str]]:
    """Read a logged model's metric file: lines with a run, and with a dataset when there is one."""
    found: list[ModelMetric] = []
    rows, faults = _rows(data)
    for number, row in rows:
        point = _point(key, row[:3]) if len(row) in (4, 6) else None
        if point is None:
            faults.append(f"line {number} is no point of a logged model")
            continue
        run_id, name, digest = ([part.decode(errors="replace") for part in row[3:]] + ["", ""])[:3]
        found.append(ModelMetric(model_id, run_id, point, name, digest))
    return found, faults


def curve_of(key: str, lines: Lines, mark: tuple[int, int, int]) -> Curve:
    """Return what to remember of a file whose lines were read."""
    if not lines.points:
        return Curve(mark, None, -1, lines.faults)
    if len(lines.points) == 1:
        (only,) = lines.points
        number = None if math.isnan(only.value) else only.value
        return Curve(mark, MetricSummary(key, only, number, number, 1), only.timestamp, lines.faults)
    return Curve(mark, summarize(key, lines.points), max(point.timestamp for point in lines.points), lines.faults)


def joined(curve: Curve, key: str, lines: Lines, mark: tuple[int, int, int]) -> Curve | None:
    """Return *curve* with the lines after it; None when only the whole file tells, as when a point may be there twice."""
    if not lines.points or curve.summary is None or lines.faults or curve.faults:
        return None
    if min(point.timestamp for point in lines.points) <= curve.newest:
        return None
    old, new = curve.summary, summarize(key, lines.points)
    both = summarize(key, (old.last, new.last))
    summary = MetricSummary(
        key,
        both.last,
        min((each for each in (old.min, new.min) if each is not None), default=None),
        max((each for each in (old.max, new.max) if each is not None), default=None),
        old.count + new.count,
    )
    return Curve(mark, summary, max(point.timestamp for point in lines.points))


def in_time_order(points: Iterable[Metric]) -> list[Metric]:
    """Sort points by timestamp, step and value, NaN last."""
    return sorted(points, key=_age)


def _age(point: Metric) -> tuple[int, int, bool, float]:
    gap = math.isnan(point.value)
    return point.timestamp, point.step, gap, 0.0 if gap else point.value


def _rows(data: bytes) -> tuple[list[tuple[int, list[bytes]]], list[str]]:
    """Split whole lines into fields, numbered from 1; blank ones are left out."""
    lines = data.split(b"\n")
    torn = lines.pop()
    faults = [f"the last line is cut off and left out: {torn[:80].decode(errors='replace')!r}"] if torn.strip() else []
    return [(number, row) for number, line in enumerate(lines, 1) if (row := line.split())], faults


def _point(key: str, row: list[bytes]) -> Metric | None:
    try:
        time_ms, value, step = int(row[0]), float(row[1]), int(row[2]) if len(row) > 2 else 0
    except ValueError:
        return None
    if not (-_INT64 <= step < _INT64 and -_INT64 <= time_ms < _INT64):
        return None
    return Metric(key, value, time_ms, step)
