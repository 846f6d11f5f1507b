"""Many points of one run at once: the way that costs little more than their rows.

It is taken by curves whose steps rise and whose values are all numbers, which nearly all are; the others go the careful
way of `RecordingPart`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import lt

from mlcore.entities import Metric
from mlcore_store_sql import curves
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.recording import RecordingPart, curves_of


class LongCurvesPart(RecordingPart):
    """The store's way to add long stretches of curves."""

    def _add_long(self, cursor: Cursor, run: int, points: Iterable[Metric], known: dict[str, int]) -> dict[str, int]:
        """Add points of a run and bring the summaries of their curves up to date; return new keys with their numbers."""
        by_key: dict[str, list[Metric]] = {}
        for point in points:
            found = by_key.get(point.key)
            if found is None:
                by_key[point.key] = [point]
            else:
                found.append(point)
        quick: list[tuple[int, list[Metric]]] = []
        latest: list[tuple[object, ...]] = []
        new: dict[str, int] = {}
        careful: list[Metric] = []
        for key, of_key in sorted(by_key.items()):
            number = known.get(key)
            if number is None:
                number = new[key] = self._key_number(cursor, key)
            summary = self._summarized(cursor, run, number, of_key)
            if summary is None:
                careful += of_key
            else:
                quick.append((number, of_key))
                latest.append((run, number, *summary))
        cursor.executemany(self._texts.insert_metric, _rows(run, quick))
        cursor.executemany(self._texts.set_latest_metric, latest)
        if careful:
            self._add_points(cursor, curves_of(run, careful), {**known, **new})
        return new

    def _summarized(self, cursor: Cursor, run: int, number: int, points: list[Metric]) -> curves.Latest | None:
        """Return the new summary of a curve with *points*; None when it has to go the careful way."""
        steps = [point.step for point in points]
        values = [point.value for point in points]
        if not (all(map(lt, steps, islice(steps, 1, None))) and all(map(math.isfinite, values))):
            return None
        cursor.execute(self._texts.latest_metric, (run, number))
        before = cursor.fetchone()
        first, last = points[0], points[-1]
        low, high, count = min(values), max(values), len(points)
        if before is not None:
            if (first.step, first.timestamp) <= before[:2]:
                return None  # some may be there already
            low = low if before[4] is None else min(low, before[4])
            high = high if before[5] is None else max(high, before[5])
            count += before[6]
        return (last.step, last.timestamp, last.value, curves.FINITE, low, high, count)


def _rows(run: int, quick: list[tuple[int, list[Metric]]]) -> Iterator[tuple[object, ...]]:
    """Yield rows one by one: each takes the memory of the one before, and half the time of a list of them."""
    for number, points in quick:
        for point in points:
            yield (run, number, point.step, point.timestamp, point.value, 0)
