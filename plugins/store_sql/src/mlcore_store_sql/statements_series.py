"""The statements that thin out curves, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ClauseElement,
    ColumnElement,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    union_all,
)

from mlcore_store_sql.schema import LATEST_METRICS, METRICS
from mlcore_store_sql.statement_parts import ONE, ZERO, Statement, is_given

_POINT = (METRICS.c.step, METRICS.c.timestamp, METRICS.c.value, METRICS.c.special)
_ORDER = (METRICS.c.step, METRICS.c.timestamp, METRICS.c.value)
_NAMES = ("of_run", "of_key", "low", "high")


def series_statements() -> dict[str, Statement]:
    """Return all of them, by name."""
    metrics = METRICS
    counts = select(LATEST_METRICS.c.key, LATEST_METRICS.c.count)
    curve = _between(select(*_POINT))
    backwards = (column.desc() for column in _ORDER)
    return {
        "counts_of_run": (counts.where(is_given(LATEST_METRICS.c.run)), ("of_run",)),
        "count_of_curve": (_between(select(func.count())), _NAMES),
        "curve": (curve, _NAMES),
        "first_of_curve": (curve.order_by(*_ORDER).limit(ONE).offset(ZERO), _NAMES),
        "last_of_curve": (curve.order_by(*backwards).limit(ONE).offset(ZERO), _NAMES),
        "thin_curve_by_step": (_extremes(metrics.c.step), (*_NAMES, "width", *_NAMES, "width")),
        "thin_curve_by_time": (_extremes(metrics.c.timestamp), (*_NAMES, "width", *_NAMES, "width")),
    }


def _between(statement: Select[Any]) -> Select[Any]:
    metrics = METRICS
    within = (metrics.c.step >= bindparam("low"), metrics.c.step <= bindparam("high"))
    return statement.where(is_given(metrics.c.run), is_given(metrics.c.key), *within)


def _extremes(time: ColumnElement[Any]) -> ClauseElement:
    """Return the points with the least and the greatest value of each bucket.

    SQLite takes the columns beside min() and max() from the row that has the least or greatest value. The bucket is
    counted from zero, and truncates: the one around zero is twice as wide.
    """
    bucket = time.op("/")(bindparam("width", type_=BigInteger))
    parts = [
        _between(select(METRICS.c.step, METRICS.c.timestamp, extreme(METRICS.c.value), METRICS.c.special))
        .where(METRICS.c.special != literal_column("1"))
        .group_by(bucket)
        for extreme in (func.min, func.max)
    ]
    return union_all(*parts)
