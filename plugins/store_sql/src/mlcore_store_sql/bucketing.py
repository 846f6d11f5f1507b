"""Curves of many runs on one grid: long ones by what the database finds in each bucket, the others point by point."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter, le

from attrs import frozen

from mlcore.entities import Axis, Bucketed, BucketedCurve, BucketQuery, Stat
from mlcore.tracking.buckets import Curve, Grid, bounds, check_size, empty_column, grid_of, joined, on_grid
from mlcore_store_sql import curves
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.series import SeriesPart

_LEAST, _GREATEST = -(2**63), 2**63 - 1
_WIDEST = 2**62  # up to here no difference of two steps overflows
_WORTH = 3  # points per bucket from which on a look-up per bucket is quicker than to fetch the points
_START_TIME = 6  # of a run's row


@frozen
class _Stretch:
    """A curve between the bounds of a query.

    run, number: of the run and the key in the database. base: what to take off for a place.
    low, high: the least and the greatest step or timestamp. count, first, last: of its points, as steps or timestamps.
    is_plain: whether all values are known to be finite.
    """

    run_id: str
    key: str
    run: int
    number: int
    base: int
    low: int
    high: int
    count: int
    first: int
    last: int
    is_plain: bool

    @property
    def where(self) -> tuple[int, int, int, int]:
        return (self.run, self.number, self.low, self.high)


class BucketsPart(SeriesPart):
    """The store's method for curves on one grid."""

    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        """Return the curves that have points, by run in the order of the query, then by key."""
        with self._db.read() as cursor:
            found = list(self._stretches(cursor, query))
            if not found:
                return Bucketed(True, array("d"), ())
            first = min(one.first - one.base for one in found)
            last = max(one.last - one.base for one in found)
            grid = grid_of(query, (self._places_of(cursor, one, query) for one in found), first, last)
            check_size(query, grid, len(found))
            return joined(grid, [self._on_grid(cursor, one, grid, query) for one in found])

    def _stretches(self, cursor: Cursor, query: BucketQuery) -> Iterator[_Stretch]:
        keys, since = self._key_numbers(cursor, query.keys), dict(query.since)
        for run_id in dict.fromkeys(query.run_ids):
            cursor.execute(self._texts.run, (run_id,))
            row = cursor.fetchone()
            if row is None:
                continue
            low, high, base = bounds(query, row[_START_TIME], since.get(run_id))
            low, high = _within(low, _LEAST), _within(high, _GREATEST)
            cursor.execute(self._texts.counts_of_run, (row[0],))
            counts: dict[int, int] = dict(cursor.fetchall())
            for key, number in keys:
                if number not in counts or low > high:
                    continue
                where = (row[0], number, low, high)
                if query.axis is Axis.STEP:
                    count, first, last = self._extent_by_step(cursor, where, counts[number])
                    special = None
                else:
                    cursor.execute(self._texts.extent_by_time, where)
                    ((count, first, last, special),) = cursor.fetchall()
                if count:
                    is_plain = special == curves.FINITE
                    yield _Stretch(run_id, key, row[0], number, base, low, high, count, first, last, is_plain)

    def _extent_by_step(self, cursor: Cursor, where: tuple[int, int, int, int], count: int) -> tuple[int, int, int]:
        if where[2:] != (_LEAST, _GREATEST):
            cursor.execute(self._texts.count_of_curve, where)
            ((count,),) = cursor.fetchall()
            if not count:
                return 0, 0, 0
        cursor.execute(self._texts.first_of_curve, where)
        (first,) = cursor.fetchall()
        cursor.execute(self._texts.last_of_curve, where)
        (last,) = cursor.fetchall()
        return count, first[0], last[0]

    def _places_of(self, cursor: Cursor, one: _Stretch, query: BucketQuery) -> list[int]:
        """Return the distinct places of a curve, up to one more than the grid may have."""
        texts = self._texts
        text = texts.steps_of_curve if query.axis is Axis.STEP else texts.times_of_curve
        cursor.execute(text, (*one.where, query.buckets + 1))
        return [place - one.base for (place,) in cursor.fetchall()]

    def _on_grid(self, cursor: Cursor, one: _Stretch, grid: Grid, query: BucketQuery) -> BucketedCurve:
        is_long = one.count >= _WORTH * ((one.last - one.first) // grid.width + 1)
        if query.axis is Axis.STEP and not grid.places and is_long and grid.last - grid.first + grid.width < _WIDEST:
            columns = self._columns(cursor, one, grid, query.stats)
            if columns is not None:
                cursor.execute(self._texts.latest_of_curve, one.where)
                ((_, _, value, special),) = cursor.fetchall()
                last = curves.true_value(value, special)
                odd = self._odd(cursor, one, grid)
                return BucketedCurve(one.run_id, one.key, one.count, one.first, one.last, last, columns, *odd)
        return on_grid(self._whole(cursor, one, query.axis), grid, query.stats)

    def _whole(self, cursor: Cursor, one: _Stretch, axis: Axis) -> Curve:
        """Return all points of a curve."""
        if one.is_plain and axis is not Axis.STEP:
            return self._by_time(cursor, one)
        cursor.execute(self._texts.curve if axis is Axis.STEP else self._texts.curve_by_time, one.where)
        rows = cursor.fetchall()
        rows.sort()
        places, _, values, specials = zip(*rows, strict=True)
        if max(specials) != curves.FINITE:
            rows.sort(key=_order)
            places = tuple(row[0] for row in rows)
            values = tuple(curves.true_value(row[2], row[3]) for row in rows)
        if one.base:
            places = tuple(place - one.base for place in places)
        return Curve(one.run_id, one.key, places, values)

    def _by_time(self, cursor: Cursor, one: _Stretch) -> Curve:
        """Return all points of a curve of finite values; they come by step, which mostly is by time as well."""
        cursor.execute(self._texts.values_by_time, one.where)
        rows = cursor.fetchall()
        places, values = zip(*rows, strict=True)
        if not all(map(le, places, islice(places, 1, None))):
            rows.sort(key=itemgetter(0))  # which leaves points of one moment by step
            places, values = zip(*rows, strict=True)
        return Curve(one.run_id, one.key, [place - one.base for place in places] if one.base else places, values)

    def _odd(self, cursor: Cursor, one: _Stretch, grid: Grid) -> Iterator[tuple[int, ...]]:
        """Yield the buckets with points that are NaN, infinity, and minus infinity."""
        skipped = (one.first - grid.first) // grid.width
        cursor.execute(self._texts.odd_by_bucket, (grid.first + skipped * grid.width, grid.width, *one.where))
        found = cursor.fetchall()
        for wanted in (curves.NAN, curves.PLUS_INFINITY, curves.MINUS_INFINITY):
            yield tuple(sorted(skipped + number for number, special in found if special == wanted))

    def _columns(
        self, cursor: Cursor, one: _Stretch, grid: Grid, stats: tuple[Stat, ...]
    ) -> tuple[array[float], ...] | None:
        """Return what the database finds in each bucket; None when some of it may stand for infinity."""
        columns = {stat: empty_column(grid.size) for stat in stats}
        skipped = (one.first - grid.first) // grid.width
        begin = grid.first + skipped * grid.width
        if Stat.LAST in columns:
            count = (one.last - begin) // grid.width + 1
            asked = (begin, grid.width, count, one.run, one.number, grid.width, one.high)
            cursor.execute(self._texts.last_by_bucket, asked)
            for number, value in cursor.fetchall():
                if value is not None:
                    columns[Stat.LAST][skipped + number] = value
        rest = [stat for stat in stats if stat is not Stat.LAST]
        if rest:
            cursor.execute(self._texts.stats_by_bucket, (begin, grid.width, *one.where, begin, grid.width))
            for number, least, greatest, total, count in cursor.fetchall():
                found = {Stat.MIN: least, Stat.MAX: greatest, Stat.MEAN: total / count}
                for stat in rest:
                    columns[stat][skipped + number] = found[stat]
        if any(abs(value) >= curves.LARGEST for column in columns.values() for value in column):
            return None
        return tuple(columns[stat] for stat in stats)


def _within(bound: int | None, otherwise: int) -> int:
    """Return a bound that fits into a column."""
    return otherwise if bound is None else min(max(bound, _LEAST), _GREATEST)


def _order(row: tuple[int, int, float, int]) -> tuple[int, int, bool, float]:
    place, other, value, special = row
    return place, other, special != curves.NAN, value
