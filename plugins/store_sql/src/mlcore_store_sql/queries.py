"""The statements of a search, compiled; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select

from mlcore.entities import ExperimentQuery, RunQuery, ViewType
from mlcore_store_sql.compiling import Compiler
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import Target, experiment_target, run_target
from mlcore_store_sql.part import ACTIVE, DELETED
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema import EXPERIMENT_TAGS, EXPERIMENTS, INPUTS, LATEST_METRICS, PARAMS, RUNS, TAGS
from mlcore_store_sql.statements import (
    EXPERIMENT_COLUMNS,
    INPUT_COLUMNS,
    INPUT_JOIN,
    INPUT_ORDER,
    LATEST_COLUMNS,
    LATEST_JOIN,
    RUN_COLUMNS,
)


class Queries(Compiler):
    """Makes the statements of searches for one database."""

    def __init__(self, grammar: SqliteGrammar, artifact_root: str) -> None:
        """Search what keeps artifacts below *artifact_root*, unless a location is stored."""
        super().__init__(grammar)
        self._runs = run_target(grammar, artifact_root)
        self._experiments = experiment_target(grammar)

    def runs(self, query: RunQuery, experiments: Sequence[int], skip: int) -> Compiled:
        """Return the statement for the rows of a page of runs, and one more."""
        statement = select(*RUN_COLUMNS).where(RUNS.c.experiment.in_(experiments))
        order = (RUNS.c.start_time.desc(), RUNS.c.run_id)
        return self._page(statement, self._runs, query, order, skip)

    def experiments(self, query: ExperimentQuery, skip: int) -> Compiled:
        """Return the statement for the rows of a page of experiments, and one more."""
        order = (EXPERIMENTS.c.creation_time.desc(), EXPERIMENTS.c.id)
        return self._page(select(*EXPERIMENT_COLUMNS), self._experiments, query, order, skip)

    def metrics(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the latest points of many runs, by run and key."""
        statement = select(*LATEST_COLUMNS[:6]).select_from(LATEST_JOIN)
        return self.of_many(statement, LATEST_METRICS.c.run, runs)

    def params(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the params of many runs."""
        return self.of_many(select(PARAMS.c.run, PARAMS.c.key, PARAMS.c.value), PARAMS.c.run, runs)

    def tags(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many runs."""
        return self.of_many(select(TAGS.c.run, TAGS.c.key, TAGS.c.value), TAGS.c.run, runs)

    def inputs(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the inputs of many runs."""
        statement = select(*INPUT_COLUMNS).select_from(INPUT_JOIN).order_by(*INPUT_ORDER)
        return self.of_many(statement, INPUTS.c.run, runs)

    def experiment_tags(self, experiments: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many experiments."""
        tags = EXPERIMENT_TAGS
        return self.of_many(select(tags.c.experiment, tags.c.key, tags.c.value), tags.c.experiment, experiments)

    def _page(
        self,
        statement: Select[Any],
        target: Target,
        query: RunQuery | ExperimentQuery,
        order: tuple[Any, ...],
        skip: int,
    ) -> Compiled:
        if query.view is not ViewType.ALL:
            stage = ACTIVE if query.view is ViewType.ACTIVE_ONLY else DELETED
            statement = statement.where(target.table.c.lifecycle_stage == stage)
        statement = self.filtered(statement, target, query.filter, query.order_by).order_by(*order)
        return self.compiled(statement.limit(query.max_results + 1).offset(skip))
