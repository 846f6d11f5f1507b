"""Search filters and orders as SQL; importing this module imports SQLAlchemy.

SQL's third truth value never shows: every comparison is an EXISTS, an IN without NULLs, or says what NULL means, so that NOT
is a plain NOT. Numbers compare as `mlcore.tracking.evaluate` defines it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)

from mlcore.entities import And, Comparison, Field, Filter, Not, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_values import clamped
from mlcore_store_sql.curves import NAN
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.schema import (
    DATASETS,
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    INPUT_TAGS,
    INPUTS,
    LATEST_METRICS,
    METRIC_KEYS,
    PARAMS,
    RUNS,
    TAGS,
)

Truth = ColumnElement[bool]
Column = ColumnElement[Any]  # of any type; the comparison fits the field, the parser has seen to it

_CONTEXT = "mlflow.data.context"
NULLS = ("IS NULL", "IS NOT NULL")


@frozen
class Target:
    """What is searched: a table, its attributes, and where the user's own keys are kept.

    attributes: expressions by canonical name.
    comparisons: by entity, what makes a condition of a comparison.
    values: by entity, what joins the value that an order needs.
    orders: attributes that are ordered by something else than their text.
    """

    table: Table
    attributes: Mapping[str, Column]
    grammar: SqliteGrammar
    comparisons: Mapping[str, Callable[[Comparison, SqliteGrammar], Truth]] = field(factory=dict)
    values: Mapping[str, Callable[[Field], FromClause]] = field(factory=dict)
    orders: Mapping[str, Column] = field(factory=dict)

    def condition(self, tree: Filter) -> Truth:
        """Return the condition that *tree* stands for; it is true or false, never NULL."""
        if isinstance(tree, Comparison):
            return self._comparison(tree)
        if isinstance(tree, Not):
            return not_(self.condition(tree.part).self_group())
        parts = [self.condition(part).self_group() for part in tree.parts]
        return and_(*parts) if isinstance(tree, And) else or_(*parts)

    def ordered(self, statement: Select[Any], order_by: tuple[OrderBy, ...]) -> Select[Any]:
        """Return *statement* with the joins and criteria of *order_by*; missing keys last, NaN before them."""
        for criterion in order_by:
            name = criterion.field
            if name.entity == "attribute":
                value = self.orders.get(name.key, self.attributes[name.key])
                statement = statement.order_by(value.is_(None), _directed(value, criterion))
                continue
            own = self.values[name.entity](name)
            statement = statement.outerjoin(own, own.c.owner == self.table.c.id)
            value = own.c.value
            if "special" in own.c:
                statement = statement.order_by(own.c.owner.is_(None), own.c.special)
            else:
                statement = statement.order_by(own.c.owner.is_(None))
            statement = statement.order_by(_directed(value, criterion))
        return statement

    def _comparison(self, test: Comparison) -> Truth:
        if test.field.entity == "attribute":
            return null_safe(self.attributes[test.field.key], test, self.grammar)
        return self.comparisons[test.field.entity](test, self.grammar)


def null_safe(value: Column, test: Comparison, grammar: SqliteGrammar) -> Truth:
    """Compare a column that may be NULL; a NULL matches `IS NULL` only."""
    if test.op == "IS NULL":
        return value.is_(None)
    if test.op == "IS NOT NULL":
        return value.is_not(None)
    return and_(value.is_not(None), compare(value, test, grammar))


def compare(value: Column, test: Comparison, grammar: SqliteGrammar) -> Truth:
    """Compare a column that is not NULL."""
    wanted = test.value
    if isinstance(wanted, tuple):
        return value.in_(wanted) if test.op == "IN" else value.not_in(wanted)
    if isinstance(wanted, str) and test.op in ("LIKE", "ILIKE"):
        return grammar.like(value, wanted, ignore_case=test.op == "ILIKE")
    if isinstance(wanted, float | int):
        return value.op(test.op, is_comparison=True)(literal(clamped(float(wanted))))
    if isinstance(wanted, str) and test.op in ("=", "!="):
        return value == wanted if test.op == "=" else value != wanted
    raise InvalidParameterError(f"comparator {test.op!r} does not go with the value {wanted!r}")


def _directed(value: Column, criterion: OrderBy) -> Column:
    return value.asc() if criterion.ascending else value.desc()


# What an index on (key, value) answers: the set of owners is made once, in 0.1 microseconds a row. All else looks
# at the rows of each owner in turn, which takes 0.5, but only for owners that are in question.
_INDEXED = ("=", "<", "<=", ">", ">=", "IN")


def owned(table: Table, owner: Table, test: Comparison, *conditions: Truth, indexed: bool = True) -> Truth:
    """Whether *owner*'s row has a row in *table* that fits all *conditions*; never NULL."""
    of_owner = table.primary_key.columns[0]
    if indexed and test.op in _INDEXED:
        return owner.c.id.in_(select(of_owner).where(*conditions))
    found: Select[Any] = select(literal_column("1")).select_from(table).where(of_owner == owner.c.id, *conditions)
    exists = found.correlate(owner).exists()
    return not_(exists) if test.op == "IS NULL" else exists


def text(table: Table, owner: Table) -> Callable[[Comparison, SqliteGrammar], Truth]:
    """Return what compares the text of a key in *table*, whose primary key begins with the id of *owner*."""

    def comparison(test: Comparison, grammar: SqliteGrammar) -> Truth:
        has_key = table.c.key == test.field.key
        if test.op in NULLS:
            return owned(table, owner, test, has_key)
        return owned(table, owner, test, has_key, compare(table.c.value, test, grammar))

    return comparison


def param(table: Table, owner: Table) -> Callable[[Comparison, SqliteGrammar], Truth]:
    """Return what compares a key of *table*, as `text`, but with a number where a number is asked for."""
    as_text = text(table, owner)

    def comparison(test: Comparison, grammar: SqliteGrammar) -> Truth:
        if isinstance(test.value, float | int):
            has_key = table.c.key == test.field.key
            return owned(table, owner, test, has_key, null_safe(table.c.number, test, grammar))
        return as_text(test, grammar)

    return comparison


def _metric(test: Comparison, grammar: SqliteGrammar) -> Truth:
    number = select(METRIC_KEYS.c.id).where(METRIC_KEYS.c.key == test.field.key).scalar_subquery()
    has_key = LATEST_METRICS.c.key == number
    if test.op in NULLS:
        return owned(LATEST_METRICS, RUNS, test, has_key)
    last = test.field.stat == "last"
    return owned(LATEST_METRICS, RUNS, test, has_key, _metric_value(test, grammar), indexed=last)


def _metric_value(test: Comparison, grammar: SqliteGrammar) -> Truth:
    latest = LATEST_METRICS
    if test.field.stat == "last":
        return compare_number(latest.c.value, latest.c.special == NAN, test, grammar)
    if test.field.stat == "count":
        return compare(latest.c.count, test, grammar)
    value = latest.c.min if test.field.stat == "min" else latest.c.max
    return compare_number(value, value.is_(None), test, grammar)


def compare_number(value: Column, is_nan: Truth, test: Comparison, grammar: SqliteGrammar) -> Truth:
    """Compare a metric's value, which may be NaN: that differs from every number, and is in no other relation to one."""
    matches = compare(value, test, grammar)
    return or_(is_nan, matches) if test.op == "!=" else and_(not_(is_nan), matches)


def _dataset(test: Comparison, grammar: SqliteGrammar) -> Truth:
    uses = INPUTS.join(DATASETS)
    value: Column
    if test.field.key == "context":
        uses = uses.join(INPUT_TAGS, and_(INPUT_TAGS.c.input == INPUTS.c.id, INPUT_TAGS.c.key == _CONTEXT))
        value = INPUT_TAGS.c.value
    else:
        value = DATASETS.c[test.field.key]
    found: Select[Any] = select(literal_column("1")).select_from(uses).where(INPUTS.c.run == RUNS.c.id)
    if test.op not in NULLS:
        found = found.where(compare(value, test, grammar))
    exists = found.correlate(RUNS).exists()
    return not_(exists) if test.op == "IS NULL" else exists


def _metric_of_order(name: Field) -> FromClause:
    latest = LATEST_METRICS
    number = select(METRIC_KEYS.c.id).where(METRIC_KEYS.c.key == name.key).scalar_subquery()
    if name.stat == "last":
        value: Column = latest.c.value
        is_nan: Column = case((latest.c.special == NAN, 1), else_=0)
    elif name.stat == "count":
        value, is_nan = latest.c.count, literal(0)
    else:
        value = latest.c.min if name.stat == "min" else latest.c.max
        is_nan = case((value.is_(None), 1), else_=0)
    columns = (latest.c.run.label("owner"), value.label("value"), is_nan.label("special"))
    return select(*columns).where(latest.c.key == number).subquery()


def text_of_order(table: Table) -> Callable[[Field], FromClause]:
    """Return what joins the value of a key in *table*, whose primary key begins with the owner."""
    owner = table.primary_key.columns[0].label("owner")
    return lambda name: select(owner, table.c.value).where(table.c.key == name.key).subquery()


def run_target(grammar: SqliteGrammar, artifact_root: str) -> Target:
    """Return how runs are searched.

    artifact_root: URI of the directory beside the database.
    """
    beside = literal(f"{artifact_root}/") + cast(RUNS.c.experiment, String) + "/" + RUNS.c.run_id + "/artifacts"
    attributes: dict[str, Column] = {
        "run_id": RUNS.c.run_id,
        "run_name": RUNS.c.name,
        "status": RUNS.c.status,
        "artifact_uri": func.coalesce(RUNS.c.artifact_uri, beside),
        "user_id": RUNS.c.user_id,
        "start_time": RUNS.c.start_time,
        "end_time": RUNS.c.end_time,
        "duration": RUNS.c.end_time - RUNS.c.start_time,
    }
    comparisons = {"metric": _metric, "param": param(PARAMS, RUNS), "tag": text(TAGS, RUNS), "dataset": _dataset}
    values = {"metric": _metric_of_order, "param": text_of_order(PARAMS), "tag": text_of_order(TAGS)}
    return Target(RUNS, attributes, grammar, comparisons, values)


def experiment_target(grammar: SqliteGrammar) -> Target:
    """Return how experiments are searched."""
    attributes: dict[str, Column] = {
        "name": EXPERIMENTS.c.name,
        "experiment_id": cast(EXPERIMENTS.c.id, String),
        "creation_time": EXPERIMENTS.c.creation_time,
        "last_update_time": EXPERIMENTS.c.last_update_time,
    }
    tags = {"tag": text(EXPERIMENT_TAGS, EXPERIMENTS)}
    return Target(EXPERIMENTS, attributes, grammar, tags, orders={"experiment_id": EXPERIMENTS.c.id})
