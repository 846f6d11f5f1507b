"""Curves of many runs, thinned out by the database: few rows leave it, however long the curves are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlcore.entities import Series, SeriesQuery
from mlcore.tracking.series import bucket_width, by_step
from mlcore_store_sql import curves
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.part import Part

_LEAST, _GREATEST = -(2**63), 2**63 - 1


class SeriesPart(Part):
    """The store's method for curves of many runs."""

    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        """Return one series per run and key that has points, by run in the order of the query, then by key."""
        with self._db.read() as cursor:
            return tuple(self._series(cursor, query))

    def _series(self, cursor: Cursor, query: SeriesQuery) -> Iterator[Series]:
        keys = self._key_numbers(cursor, query.keys)
        low = _LEAST if query.min_step is None else query.min_step
        high = _GREATEST if query.max_step is None else query.max_step
        for run_id in dict.fromkeys(query.run_ids):
            cursor.execute(self._texts.run_for_write, (run_id,))
            row = cursor.fetchone()
            if row is None:
                continue
            cursor.execute(self._texts.counts_of_run, (row[0],))
            counts: dict[int, int] = dict(cursor.fetchall())
            for key, number in keys:
                count = counts.get(number, 0)
                where = (row[0], number, low, high)
                if count and (low, high) != (_LEAST, _GREATEST):
                    cursor.execute(self._texts.count_of_curve, where)
                    ((count,),) = cursor.fetchall()
                if count:
                    rows = self._curve(cursor, where, count, query.max_points)
                    yield Series(
                        run_id, key, tuple(sorted((curves.metric_of(key, r) for r in rows), key=by_step)), count
                    )

    def _key_numbers(self, cursor: Cursor, keys: Iterable[str]) -> list[tuple[str, int]]:
        found = []
        for key in sorted(set(keys)):
            cursor.execute(self._texts.metric_key, (key,))
            row = cursor.fetchone()
            if row is not None:
                found.append((key, row[0]))
        return found

    def _curve(
        self, cursor: Cursor, where: tuple[int, int, int, int], count: int, max_points: int
    ) -> set[tuple[int, int, float, int]]:
        """Return the rows of a curve's points that stay.

        where: the run's and the key's number, the least and the greatest step.
        """
        texts = self._texts
        if count <= max_points:
            cursor.execute(texts.curve, where)
            return set(cursor.fetchall())
        cursor.execute(texts.first_of_curve, where)
        (first,) = cursor.fetchall()
        cursor.execute(texts.last_of_curve, where)
        (last,) = cursor.fetchall()
        thin, column = (texts.thin_curve_by_time, 1) if first[0] == last[0] else (texts.thin_curve_by_step, 0)
        width = min(bucket_width(first[column], last[column], max_points), _GREATEST)
        cursor.execute(thin, (*where, width, *where, width))
        return {first, last, *cursor.fetchall()}
