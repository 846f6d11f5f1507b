"""The statements of tables of runs; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve
from sqlalchemy import Select, Table, and_, case, func, select

from mlcore.entities import RunQuery
from mlcore.tracking.table_search import PARENT
from mlcore_store_sql.count_queries import CountQueries
from mlcore_store_sql.curves import FINITE, MINUS_INFINITY, PLUS_INFINITY
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema import LATEST_METRICS, METRIC_KEYS, PARAMS, RUNS, TAGS
from mlcore_store_sql.statements import LATEST_COLUMNS, LATEST_JOIN, RUN_COLUMNS

# What of a run may change without its id.
CHANGING = (RUNS.c.status, RUNS.c.end_time, RUNS.c.lifecycle_stage, RUNS.c.name)
ATTRIBUTES = (
    RUNS.c.name,
    RUNS.c.user_id,
    RUNS.c.status,
    RUNS.c.experiment,
    RUNS.c.lifecycle_stage,
    RUNS.c.start_time,
    RUNS.c.end_time,
)


class TableQueries(CountQueries):
    """Makes the statements of tables for one database."""

    def __init__(self, grammar: SqliteGrammar, artifact_root: str) -> None:
        """Show what keeps artifacts below *artifact_root*, unless a location is stored."""
        super().__init__(grammar, artifact_root)
        self._kept_outlines = lru_cache(maxsize=128)(self._outline)

    def outline(self, query: RunQuery, experiments: Sequence[int], parents: bool) -> Compiled:
        """Return the statement for the ids of all runs that fit, in order; the last ones are kept.

        parents: whether the parent's id comes second, before what changes.
        """
        asked = evolve(query, experiment_ids=(), page_token=None, columns=None, max_results=1)
        return self._kept_outlines(asked, tuple(experiments), parents)

    def _outline(self, query: RunQuery, experiments: tuple[int, ...], parents: bool) -> Compiled:
        statement: Select[Any] = select(RUNS.c.run_id)
        if parents:
            above = TAGS.alias("parent")
            is_above = and_(above.c.run == RUNS.c.id, above.c.key == PARENT.key)
            statement = statement.add_columns(above.c.value).select_from(RUNS.outerjoin(above, is_above))
        found = self._fitting(statement.add_columns(*CHANGING), query, experiments)
        ordered = self._runs.ordered(found, query.order_by)
        return self.compiled(ordered.order_by(RUNS.c.start_time.desc(), RUNS.c.run_id))

    def by_run_id(self, run_ids: Sequence[str]) -> Iterator[Compiled]:
        """Return the statements for the rows of runs."""
        return self.of_many("runs by id", select(*RUN_COLUMNS), RUNS.c.run_id, run_ids)

    def curves(self, runs: Sequence[int], keys: Sequence[str] | None) -> Iterator[Compiled]:
        """Return the statements for the summaries of many runs; *keys* None for all."""
        statement: Select[Any] = select(*LATEST_COLUMNS).select_from(LATEST_JOIN)
        if keys is None:
            return self.of_many("all summaries", statement, LATEST_METRICS.c.run, runs)
        numbers = select(METRIC_KEYS.c.id).where(METRIC_KEYS.c.key.in_(keys))
        chosen = statement.where(LATEST_METRICS.c.key.in_(numbers))
        return self.of_many("summaries", chosen, LATEST_METRICS.c.run, runs, keys)

    def texts(self, table: Table, runs: Sequence[int], keys: Sequence[str]) -> Iterator[Compiled]:
        """Return the statements for params or tags of many runs."""
        statement: Select[Any] = select(table.c.run, table.c.key, table.c.value).where(table.c.key.in_(keys))
        return self.of_many(table.name, statement, table.c.run, runs, keys)

    def attributes(self, query: RunQuery, experiments: Sequence[int]) -> Compiled:
        """Return the statement for what every run has."""
        return self.compiled(self._fitting(select(*ATTRIBUTES), query, experiments))

    def text_keys(self, table: Table, query: RunQuery, experiments: Sequence[int], values: int) -> Compiled:
        """Return the statement for the keys of params or tags: for each its most frequent values, at least one.

        Rows: key, value, how often, and of the key: how many, distinct ones, numbers, least and greatest number.
        """
        number = table.c.number if "number" in table.c else None
        counted: list[Any] = [table.c.key, table.c.value, func.count().label("n")]
        counted.append((func.min(number) if number is not None else func.min(None)).label("number"))
        source = RUNS.join(table, table.c.run == RUNS.c.id)
        found = self._fitting(select(*counted).select_from(source), query, experiments)
        one = found.group_by(table.c.key, table.c.value).subquery("counted")
        of_key: Any = {"partition_by": one.c.key}
        ranked = select(
            one.c.key,
            one.c.value,
            one.c.n,
            func.sum(one.c.n).over(**of_key).label("total"),
            func.count().over(**of_key).label("distinct_values"),
            func.count(one.c.number).over(**of_key).label("numbers"),
            func.min(one.c.number).over(**of_key).label("least"),
            func.max(one.c.number).over(**of_key).label("greatest"),
            func.row_number().over(**of_key, order_by=(one.c.n.desc(), one.c.value)).label("rank"),
        ).subquery("ranked")
        chosen = select(*list(ranked.c)[:-1]).where(ranked.c.rank <= max(1, values))
        return self.compiled(chosen.order_by(ranked.c.key, ranked.c.rank))

    def metric_keys(self, query: RunQuery, experiments: Sequence[int]) -> Compiled:
        """Return the statement for the metrics that occur.

        Rows: key, how many, distinct ones, least and greatest finite one, how many +inf and -inf.
        """
        latest = LATEST_METRICS
        source = RUNS.join(latest, latest.c.run == RUNS.c.id)
        columns = (latest.c.key, latest.c.value, latest.c.special, func.count().label("n"))
        found = self._fitting(select(*columns).select_from(source), query, experiments)
        one = found.group_by(latest.c.key, latest.c.value, latest.c.special).subquery("counted")
        finite = case((one.c.special == FINITE, one.c.value))
        of_key = select(
            METRIC_KEYS.c.key,
            func.sum(one.c.n),
            func.count(),
            func.min(finite),
            func.max(finite),
            func.sum(case((one.c.special == PLUS_INFINITY, 1), else_=0)),
            func.sum(case((one.c.special == MINUS_INFINITY, 1), else_=0)),
        ).select_from(METRIC_KEYS.join(one, one.c.key == METRIC_KEYS.c.id))
        return self.compiled(of_key.group_by(METRIC_KEYS.c.key))

    @staticmethod
    def params() -> Table:
        """Return the table of params."""
        return PARAMS

    @staticmethod
    def tags() -> Table:
        """Return the table of tags."""
        return TAGS
