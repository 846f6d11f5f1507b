"""The statements of what has changed, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, and_, bindparam, func, insert, or_, select

from mlcore_store_sql.schema import RUNS
from mlcore_store_sql.schema_changes import CHANGE_NUMBERS, CHANGES
from mlcore_store_sql.statement_parts import ACTIVE, ONE, RUNNING, ZERO, Grammar, Statement, is_given, names_of


def change_statements(grammar: Grammar) -> dict[str, Statement]:
    """Return all of them, by name."""
    latest = select(func.max(CHANGES.c.number)).where(is_given(CHANGES.c.experiment))
    goes_on = (is_given(RUNS.c.experiment), RUNS.c.lifecycle_stage == ACTIVE, RUNS.c.status == RUNNING)
    runs = select(RUNS.c.id, RUNS.c.experiment, RUNS.c.experiment)
    return {
        "begin_changes": (_begin(), ()),
        "touch_run": (
            grammar.upsert(CHANGES, {"number": _number_now()}, rising="number"),
            ("run", "experiment", "of_experiment"),
        ),
        "runs_to_touch": (runs.where(is_given(RUNS.c.experiment)).order_by(RUNS.c.id), ("of_experiment",)),
        "latest_change": (latest, ("of_experiment",)),
        "change_number": (select(_number_now()), ("of_experiment",)),
        "set_change_number": (grammar.upsert(CHANGE_NUMBERS), names_of(CHANGE_NUMBERS)),
        "changes": (_changes(), ("of_experiment", "since", "since", "since_run", "most")),
        "count_running": (select(func.count()).select_from(RUNS).where(*goes_on), ("of_experiment",)),
    }


def _number_now() -> ColumnElement[Any]:
    number = select(CHANGE_NUMBERS.c.number).where(is_given(CHANGE_NUMBERS.c.experiment)).scalar_subquery()
    return func.coalesce(number, ONE)


def _begin() -> ClauseElement:
    return insert(CHANGES).from_select(("run", "experiment", "number"), select(RUNS.c.id, RUNS.c.experiment, ZERO))


def _changes() -> ClauseElement:
    since: ColumnElement[Any] = bindparam("since")
    later = or_(CHANGES.c.number > since, and_(CHANGES.c.number == since, CHANGES.c.run > bindparam("since_run")))
    return (
        select(RUNS.c.run_id, CHANGES.c.number, CHANGES.c.run)
        .select_from(CHANGES.join(RUNS, CHANGES.c.run == RUNS.c.id))
        .where(is_given(CHANGES.c.experiment), later)
        .order_by(CHANGES.c.number, CHANGES.c.run)
        .limit(bindparam("most"))
        .offset(ZERO)
    )
