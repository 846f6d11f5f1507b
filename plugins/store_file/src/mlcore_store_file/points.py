"""The points of a run's curves, read from its journals when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path

from mlcore.entities import Batch, Metric
from mlcore_store_file.following import Faults, Tail


def points_of(folder: Path, faults: Faults, keys: Collection[str] | None = None) -> Iterator[Metric]:
    """Yield each point of a run once, in no particular order.

    keys: of which metrics; None for all.
    """
    seen: set[tuple[str, int, int, str]] = set()
    for _, recorded in Tail(folder, faults).news():
        if isinstance(recorded, Batch):
            for point in recorded.metrics:
                if keys is not None and point.key not in keys:
                    continue
                same = (point.key, point.step, point.timestamp, repr(point.value))
                if same not in seen:
                    seen.add(same)
                    yield point


def by_time(point: Metric) -> tuple[int, int, bool, float]:
    """Return what a history is sorted by: timestamp, step, value, NaN after numbers."""
    gap = math.isnan(point.value)
    return point.timestamp, point.step, gap, 0.0 if gap else point.value
