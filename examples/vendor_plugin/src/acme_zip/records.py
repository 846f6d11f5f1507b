"""Experiments and runs as members of the zip file: one JSON document each."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from attrs import evolve, field, frozen

from mlcore.entities import Experiment, Metric, Page, Run
from mlcore.errors import CorruptStoreError, InvalidParameterError, NotFoundError
from mlcore.wire.plain import dumps, structure

T = TypeVar("T")


@frozen
class Record:
    """A run with every point of its curves."""

    run: Run
    points: tuple[Metric, ...] = field(default=())
    deleted_alone: bool = False  # by itself, not with its experiment


def experiment(members: Mapping[str, bytes], experiment_id: str) -> Experiment:
    """Return an experiment. Raises NotFoundError: there is none."""
    text = members.get(f"experiments/{experiment_id}.json")
    if text is None:
        raise NotFoundError(f"no experiment with id={experiment_id!r}")
    return _read(text, Experiment)


def experiments(members: Mapping[str, bytes]) -> Iterator[Experiment]:
    """Return all experiments."""
    return (_read(text, Experiment) for name, text in members.items() if name.startswith("experiments/"))


def record(members: Mapping[str, bytes], run_id: str) -> Record:
    """Return a run. Raises NotFoundError: there is none."""
    text = members.get(f"runs/{run_id}.json")
    if text is None:
        raise NotFoundError(f"run with id={run_id!r} not found")
    return _read(text, Record)


def records(members: Mapping[str, bytes]) -> Iterator[Record]:
    """Return all runs."""
    return (_read(text, Record) for name, text in members.items() if name.startswith("runs/"))


def keep(members: dict[str, bytes], value: Experiment | Record) -> None:
    """Write an experiment or run into its member."""
    if isinstance(value, Experiment):
        members[f"experiments/{value.experiment_id}.json"] = dumps(value).encode()
    else:
        members[f"runs/{value.run.info.run_id}.json"] = dumps(value).encode()


def with_points(kept: Record, new: Sequence[Metric]) -> Record:
    """Add points that are not there yet, and find the latest of each curve."""
    unique = {_identity(point): point for point in (*kept.points, *new)}
    points = tuple(sorted(unique.values(), key=lambda p: (p.key, p.timestamp, p.step, _order(p.value))))
    latest: dict[str, Metric] = {}
    for point in points:
        known = latest.get(point.key)
        if known is None or _recency(point) > _recency(known):
            latest[point.key] = point
    data = evolve(kept.run.data, latest=tuple(latest[key] for key in sorted(latest)))
    return evolve(kept, run=evolve(kept.run, data=data), points=points)


def page(found: Sequence[T], most: int, token: str | None) -> Page[T]:
    """Cut the page after *token* out of everything that was found."""
    start = _offset(token)
    rest = start + most < len(found)
    following = base64.b64encode(json.dumps({"offset": start + most}).encode()).decode() if rest else None
    return Page(tuple(found[start : start + most]), following)


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        offset = json.loads(base64.b64decode(token, validate=True))["offset"]
    except (ValueError, TypeError, LookupError) as err:
        raise InvalidParameterError(f"invalid page token {token[:80]!r}: expected that of the page before") from err
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        raise InvalidParameterError(f"invalid page token {token[:80]!r}: expected that of the page before")
    return offset


def _read(text: bytes, cls: type[T]) -> T:
    try:
        return structure(json.loads(text), cls)
    except ValueError as err:
        raise CorruptStoreError(f"a stored {cls.__name__.lower()} cannot be read: {err}") from err


def _identity(point: Metric) -> tuple[str, int, int, str]:
    return point.key, point.step, point.timestamp, repr(point.value)  # NaN is equal to itself here


def _order(value: float) -> tuple[bool, float]:
    known = not math.isnan(value)
    return known, value if known else 0.0


def _recency(point: Metric) -> tuple[int, int, tuple[bool, float]]:
    return point.step, point.timestamp, _order(point.value)
