"""Filters and orders of runs as conditions on the index; `mlcore.tracking.evaluate` says what they mean."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from mlcore.entities.filters import And, Comparison, Field, Filter, Not, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_values import clamped

_COLUMNS = ("run_id", "experiment_id", "run_name", "user_id", "status", "start_time", "end_time", "lifecycle_stage")
_TABLES = {"metric": "metrics", "param": "params", "tag": "tags", "dataset": "inputs"}
# How many points a curve has is not in the index: a point that is recorded twice counts once, and only all of them tell.
_STATS = {"last": "last", "min": "least", "max": "greatest", "count": "count_points(runs.run_id, key)"}
_NUMBER_OPS = ("=", "!=", "<", "<=", ">", ">=")


@define
class Condition:
    """A condition in SQL, put together with its values."""

    values: list[object] = field(factory=list)

    def of(self, tree: Filter) -> str:
        """Return the condition that a filter sets; true or false, never NULL."""
        if isinstance(tree, Comparison):
            return self._comparison(tree)
        if isinstance(tree, Not):
            return f"(NOT {self.of(tree.part)})"
        parts = [self.of(part) for part in tree.parts]
        return "(" + (" AND " if isinstance(tree, And) else " OR ").join(parts) + ")"

    def one_of(self, column: str, values: Sequence[str]) -> str:
        """Return the condition that a column has one of some values."""
        self.values += values
        return f"{column} IN ({', '.join('?' * len(values))})"

    def _comparison(self, test: Comparison) -> str:
        if test.field.entity == "attribute":
            expression = attribute(test.field)
            if test.op in ("IS NULL", "IS NOT NULL"):
                return f"({expression} {test.op})"
            return f"coalesce({self._test(expression, test)}, 0)"
        table = _TABLES[test.field.entity]
        self.values.append(test.field.key)
        row = f"SELECT 1 FROM {table} WHERE run = runs.id AND key = ?"  # noqa: S608 - names of our own tables
        if test.op in ("IS NULL", "IS NOT NULL"):
            return f"({'NOT ' if test.op == 'IS NULL' else ''}EXISTS ({row}))"
        return f"EXISTS ({row} AND {self._test(_column(test), test)})"

    def _test(self, expression: str, test: Comparison) -> str:
        op, wanted = test.op, test.value
        if isinstance(wanted, tuple):
            return f"{'NOT ' if op == 'NOT IN' else ''}({self.one_of(expression, wanted)})"
        if isinstance(wanted, str):
            self.values.append(wanted)
            if op in ("LIKE", "ILIKE"):
                return f"{'fits' if op == 'LIKE' else 'fits_any_case'}({expression}, ?)"
            return f"{expression} {'=' if op == '=' else '<>'} ?"
        if not isinstance(wanted, float | int) or op not in _NUMBER_OPS:
            raise InvalidParameterError(
                f"invalid value {wanted!r} of comparator {op!r}: expected a number, a text or a tuple"
            )
        self.values.append(clamped(float(wanted)) if isinstance(wanted, float) else wanted)
        if op != "!=":
            return f"{expression} {op} ?"
        # NaN is NULL, and differs from every number
        return f"({expression} IS NULL OR {expression} <> ?)" if test.field.entity == "metric" else f"{expression} <> ?"


def attribute(wanted: Field) -> str:
    """Return the expression of an attribute."""
    if wanted.key in _COLUMNS:
        return f"runs.{wanted.key}"
    if wanted.key == "duration":
        return "(runs.end_time - runs.start_time)"
    if wanted.key == "artifact_uri":
        return "artifact_uri(runs.experiment_id, runs.run_id)"
    raise InvalidParameterError(f"runs have no attribute {wanted.key!r}: expected one of {', '.join(_COLUMNS)}")


def order_of(order_by: Sequence[OrderBy], values: list[object]) -> str:
    """Return the terms of an order; *values* gets what they need."""
    terms: list[str] = []
    for criterion in order_by:
        direction = "ASC" if criterion.ascending else "DESC"
        entity = criterion.field.entity
        if entity == "attribute":
            expression = attribute(criterion.field)
            terms += [f"{expression} IS NULL", f"{expression} {direction}"]
            continue
        table = _TABLES[entity]
        if entity == "metric":
            terms.append(f"NOT EXISTS (SELECT 1 FROM {table} WHERE run = runs.id AND key = ?)")  # noqa: S608 - as above
            values.append(criterion.field.key)
        column = _STATS[criterion.field.stat] if entity == "metric" else "value"
        first = f"(SELECT {column} FROM {table} WHERE run = runs.id AND key = ? LIMIT 1)"  # noqa: S608 - as above
        terms += [f"{first} IS NULL", f"{first} {direction}"]
        values += [criterion.field.key] * 2
    return ", ".join([*terms, "runs.start_time DESC", "runs.run_id"])


def _column(test: Comparison) -> str:
    if test.field.entity == "metric":
        return _STATS[test.field.stat]
    is_number = test.field.entity == "param" and isinstance(test.value, float | int)
    return "number" if is_number else "value"
