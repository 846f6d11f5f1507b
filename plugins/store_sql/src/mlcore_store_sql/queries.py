"""The statements of a search, compiled; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from attrs import evolve
from sqlalchemy import Select, Table, select

from mlcore.entities import ExperimentQuery, RunQuery, ViewType
from mlcore_store_sql.compiling import Compiler
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import Target, experiment_target, run_target
from mlcore_store_sql.part import ACTIVE, DELETED
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema import (
    EXPERIMENT_TAGS,
    EXPERIMENTS,
    INPUTS,
    LATEST_METRICS,
    METRIC_KEYS,
    PARAMS,
    RUNS,
    TAGS,
)
from mlcore_store_sql.schema_logged import MODEL_INPUTS, MODEL_OUTPUTS
from mlcore_store_sql.statements import (
    EXPERIMENT_COLUMNS,
    INPUT_COLUMNS,
    INPUT_JOIN,
    INPUT_ORDER,
    LATEST_COLUMNS,
    LATEST_JOIN,
    RUN_COLUMNS,
)
from mlcore_store_sql.statements_logged import MADE_MODELS, READ_MODELS


class Queries(Compiler):
    """Makes the statements of searches for one database."""

    def __init__(self, grammar: SqliteGrammar, artifact_root: str) -> None:
        """Search what keeps artifacts below *artifact_root*, unless a location is stored."""
        super().__init__(grammar)
        self._runs = run_target(grammar, artifact_root)
        self._experiments = experiment_target(grammar)
        self._kept_runs = lru_cache(maxsize=128)(self._run_page)

    def runs(self, query: RunQuery, experiments: Sequence[int], skip: int) -> Compiled:
        """Return the statement for the rows of a page of runs, and one more; the last ones are kept."""
        asked = evolve(query, experiment_ids=(), page_token=None, columns=None)
        return self._kept_runs(asked, tuple(experiments), skip)

    def _run_page(self, query: RunQuery, experiments: tuple[int, ...], skip: int) -> Compiled:
        statement = select(*RUN_COLUMNS).where(RUNS.c.experiment.in_(experiments))
        order = (RUNS.c.start_time.desc(), RUNS.c.run_id)
        return self._page(statement, self._runs, query, order, skip)

    def experiments(self, query: ExperimentQuery, skip: int) -> Compiled:
        """Return the statement for the rows of a page of experiments, and one more."""
        order = (EXPERIMENTS.c.creation_time.desc(), EXPERIMENTS.c.id)
        return self._page(select(*EXPERIMENT_COLUMNS), self._experiments, query, order, skip)

    def metrics(self, runs: Sequence[int], keys: Sequence[str] | None) -> Iterator[Compiled]:
        """Return the statements for the latest points of many runs; *keys* None for all."""
        statement: Select[Any] = select(*LATEST_COLUMNS[:6]).select_from(LATEST_JOIN)
        if keys is not None:
            numbers = select(METRIC_KEYS.c.id).where(METRIC_KEYS.c.key.in_(keys))
            statement = statement.where(LATEST_METRICS.c.key.in_(numbers))
        return self.of_many("metrics", statement, LATEST_METRICS.c.run, runs, keys or ())

    def params(self, runs: Sequence[int], keys: Sequence[str] | None) -> Iterator[Compiled]:
        """Return the statements for the params of many runs; *keys* None for all."""
        return self._texts_of(PARAMS, runs, keys)

    def tags(self, runs: Sequence[int], keys: Sequence[str] | None) -> Iterator[Compiled]:
        """Return the statements for the tags of many runs; *keys* None for all."""
        return self._texts_of(TAGS, runs, keys)

    def models(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the logged models that many runs read and made."""
        yield from self.of_many("read models", READ_MODELS, MODEL_INPUTS.c.run, runs)
        yield from self.of_many("made models", MADE_MODELS, MODEL_OUTPUTS.c.run, runs)

    def inputs(self, runs: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the inputs of many runs."""
        statement = select(*INPUT_COLUMNS).select_from(INPUT_JOIN).order_by(*INPUT_ORDER)
        return self.of_many("inputs", statement, INPUTS.c.run, runs)

    def experiment_tags(self, experiments: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many experiments."""
        tags = EXPERIMENT_TAGS
        statement: Select[Any] = select(tags.c.experiment, tags.c.key, tags.c.value)
        return self.of_many("experiment tags", statement, tags.c.experiment, experiments)

    def _texts_of(self, table: Table, runs: Sequence[int], keys: Sequence[str] | None) -> Iterator[Compiled]:
        statement: Select[Any] = select(table.c.run, table.c.key, table.c.value)
        if keys is not None:
            statement = statement.where(table.c.key.in_(keys))
        return self.of_many(table.name, statement, table.c.run, runs, keys or ())

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
