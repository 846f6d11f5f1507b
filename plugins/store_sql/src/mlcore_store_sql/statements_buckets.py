"""The statements that put curves on a grid, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ClauseElement, ColumnElement, Select, bindparam, case, func, select

from mlcore_store_sql.schema import METRICS
from mlcore_store_sql.statement_parts import ONE, ZERO, Statement, is_given

_NAMES = ("of_run", "of_key", "low", "high")
_IS_NUMBER = METRICS.c.special != ONE


def bucket_statements() -> dict[str, Statement]:
    """Return all of them, by name."""
    step, time = METRICS.c.step, METRICS.c.timestamp
    extent_columns: list[ColumnElement[Any]] = [
        func.count(),
        func.min(time),
        func.max(time),
        func.max(METRICS.c.special),
    ]
    extent: Select[Any] = select(*extent_columns)
    in_order = (step, time, METRICS.c.value)
    return {
        "latest_of_curve": (_latest(), _NAMES),
        "steps_of_curve": (_distinct(step), (*_NAMES, "most")),
        "times_of_curve": (_distinct(time), (*_NAMES, "most")),
        "extent_by_time": (_between(extent, time), _NAMES),
        "curve_by_time": (_between(select(time, step, METRICS.c.value, METRICS.c.special), time), _NAMES),
        "values_by_time": (_between(select(time, METRICS.c.value), time).order_by(*in_order), _NAMES),
        "last_by_bucket": (_last_by_bucket(), ("first", "width", "count", "of_run", "of_key", "width", "high")),
        "stats_by_bucket": (_stats_by_bucket(), ("first", "width", *_NAMES, "first", "width")),
        "odd_by_bucket": (_odd_by_bucket(), ("first", "width", *_NAMES)),
    }


def _between(statement: Select[Any], place: ColumnElement[Any]) -> Select[Any]:
    within = (place >= bindparam("low"), place <= bindparam("high"))
    return statement.where(is_given(METRICS.c.run), is_given(METRICS.c.key), *within)


def _latest() -> ClauseElement:
    # NaN is the smallest value, as in `curves.py`
    order = (METRICS.c.step.desc(), METRICS.c.timestamp.desc(), case((_IS_NUMBER, ZERO), else_=ONE))
    point = select(METRICS.c.step, METRICS.c.timestamp, METRICS.c.value, METRICS.c.special)
    return _between(point, METRICS.c.step).order_by(*order, METRICS.c.value.desc()).limit(ONE).offset(ZERO)


def _distinct(place: ColumnElement[Any]) -> ClauseElement:
    return _between(select(place).distinct(), place).limit(bindparam("most")).offset(ZERO)


def _last_by_bucket() -> ClauseElement:
    """Return the number of each bucket with the value of its last point, by a look-up in the index for each."""
    width = bindparam("width", type_=BigInteger)
    begin = select(bindparam("first", type_=BigInteger).label("place"), ZERO.label("number"))
    buckets = begin.cte("buckets", recursive=True)
    following = select(buckets.c.place + width, buckets.c.number + ONE)
    buckets = buckets.union_all(following.where(buckets.c.number + ONE < bindparam("count", type_=BigInteger)))
    of_curve = (is_given(METRICS.c.run), is_given(METRICS.c.key), _IS_NUMBER)
    within = (METRICS.c.step >= buckets.c.place, METRICS.c.step < buckets.c.place + width)
    backwards = (METRICS.c.step.desc(), METRICS.c.timestamp.desc(), METRICS.c.value.desc())
    last = (
        select(METRICS.c.value)
        .where(*of_curve[:2], *within, METRICS.c.step <= bindparam("high"), of_curve[2])
        .order_by(*backwards)
        .limit(ONE)
        .offset(ZERO)
    )
    return select(buckets.c.number, last.correlate(buckets).scalar_subquery())


def _bucket() -> ColumnElement[Any]:
    begin, width = bindparam("first", type_=BigInteger), bindparam("width", type_=BigInteger)
    return (METRICS.c.step - begin).op("/", precedence=8)(width).label("bucket")


def _odd_by_bucket() -> ClauseElement:
    """Return the number of each bucket with each mark of its points that are not finite."""
    found = select(_bucket(), METRICS.c.special).distinct()
    return _between(found, METRICS.c.step).where(METRICS.c.special != ZERO)


def _stats_by_bucket() -> ClauseElement:
    value, bucket = METRICS.c.value, _bucket()
    stats = select(bucket, func.min(value), func.max(value), func.sum(value), func.count())
    return _between(stats, METRICS.c.step).where(_IS_NUMBER).group_by(bucket)
