"""The statements that count; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, String, and_, case, cast, func, select

from mlcore.entities import Field, RunQuery, RunStatus, ViewType
from mlcore.tracking.counts import CONTEXT_TAG
from mlcore_store_sql.compiling import Compiler
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import run_target
from mlcore_store_sql.part import ACTIVE, DELETED
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema import DATASETS, INPUT_TAGS, INPUTS, PARAMS, RUNS, TAGS

_CHUNK = 5000


class CountQueries(Compiler):
    """Makes the statements that count."""

    def __init__(self, grammar: SqliteGrammar, artifact_root: str) -> None:
        """Count what keeps artifacts below *artifact_root*, unless a location is stored."""
        super().__init__(grammar)
        self._runs = run_target(grammar, artifact_root)

    def runs(self, query: RunQuery, experiments: Sequence[int]) -> Compiled:
        """Return the statement that counts the runs that fit."""
        return self.compiled(self._fitting(select(func.count()).select_from(RUNS), query, experiments))

    def facets(self, query: RunQuery, experiments: Sequence[int], field: Field, limit: int) -> Compiled:
        """Return the statement that counts the values of *field*."""
        count: ColumnElement[Any] = func.count().label("count")
        own = PARAMS if field.entity == "param" else TAGS
        value: ColumnElement[Any] = own.c.value
        source: FromClause = RUNS.join(own, and_(own.c.run == RUNS.c.id, own.c.key == field.key))
        if field.entity == "attribute":
            value, source = self._runs.attributes[field.key], RUNS
        columns: list[ColumnElement[Any]] = [value.label("value"), count]
        statement: Select[Any] = select(*columns).select_from(source)
        fitting = self._fitting(statement, query, experiments)
        return self.compiled(fitting.group_by(value).order_by(count.desc(), value).limit(limit))

    def overviews(self, experiments: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements that count the active runs of experiments, and say when the last began and ended."""
        columns: list[ColumnElement[Any]] = [
            RUNS.c.experiment,
            func.count(),
            func.sum(case((RUNS.c.status == RunStatus.RUNNING.value, 1), else_=0)),
            func.max(RUNS.c.start_time),
            func.max(RUNS.c.end_time),
        ]
        for start in range(0, len(experiments), _CHUNK):
            wanted = RUNS.c.experiment.in_(experiments[start : start + _CHUNK])
            statement: Select[Any] = select(*columns).where(wanted, RUNS.c.lifecycle_stage == ACTIVE)
            yield self.compiled(statement.group_by(RUNS.c.experiment))

    def datasets(self, experiments: Sequence[int], most: int) -> Compiled:
        """Return the statement for the distinct datasets of active runs."""
        is_context = and_(INPUT_TAGS.c.input == INPUTS.c.id, INPUT_TAGS.c.key == CONTEXT_TAG)
        uses = RUNS.join(INPUTS, INPUTS.c.run == RUNS.c.id).join(DATASETS).outerjoin(INPUT_TAGS, is_context)
        columns = (
            cast(RUNS.c.experiment, String).label("experiment"),
            DATASETS.c.name,
            DATASETS.c.digest,
            INPUT_TAGS.c.value.label("context"),
        )
        active = (RUNS.c.experiment.in_(experiments), RUNS.c.lifecycle_stage == ACTIVE)
        order = (columns[0], columns[1], columns[2], columns[3].is_not(None), columns[3])
        found: Select[Any] = select(*columns).select_from(uses).where(*active)
        return self.compiled(found.group_by(*columns).order_by(*order).limit(most))

    def _fitting(self, statement: Select[Any], query: RunQuery, experiments: Sequence[int]) -> Select[Any]:
        statement = statement.where(RUNS.c.experiment.in_(experiments))
        if query.view is not ViewType.ALL:
            stage = ACTIVE if query.view is ViewType.ACTIVE_ONLY else DELETED
            statement = statement.where(RUNS.c.lifecycle_stage == stage)
        return self.filtered(statement, self._runs, query.filter)
