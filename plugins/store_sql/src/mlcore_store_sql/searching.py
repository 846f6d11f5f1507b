"""Searches: a page of runs or experiments in a handful of statements, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from mlcore.entities import Experiment, ExperimentQuery, Field, Metric, Page, Run, RunData, RunInputs, RunQuery
from mlcore_store_sql import curves, paging
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row, SqliteGrammar
from mlcore_store_sql.experiments import experiment_of
from mlcore_store_sql.part import Part, number_of
from mlcore_store_sql.places import Places
from mlcore_store_sql.reading import Compiled, Once, rows, texts_by_owner
from mlcore_store_sql.runs import Models, inputs_of, models_of, run_info

if TYPE_CHECKING:
    from mlcore_store_sql.queries import Queries

_KEY = itemgetter(1)


class SearchingPart(Part):
    """The store's methods that search."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        super().__init__(database, places)
        self._queries = Once(lambda: _queries(places))

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        skip = paging.offset(query.page_token)
        known = (number_of(experiment_id) for experiment_id in query.experiment_ids)
        experiments = sorted({number for number in known if number is not None})
        if not experiments:
            return Page(())
        statement = self._queries().runs(query, experiments, skip)
        with self._db.read() as cursor:
            found = paging.page(rows(cursor, [statement]), skip, query.max_results)
            return Page(tuple(self._runs_of(cursor, found.items, query.columns)), found.next_token)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        skip = paging.offset(query.page_token)
        statement = self._queries().experiments(query, skip)
        with self._db.read() as cursor:
            found = paging.page(rows(cursor, [statement]), skip, query.max_results)
            numbers = [row[0] for row in found.items]
            tags = texts_by_owner(rows(cursor, self._queries().experiment_tags(numbers)))
            items = tuple(experiment_of(row, tags.get(row[0], {}), self._places) for row in found.items)
            return Page(items, found.next_token)

    def _runs_of(self, cursor: Cursor, found: Sequence[Row], columns: tuple[Field, ...] | None) -> Iterator[Run]:
        numbers = [row[0] for row in found]
        queries = self._queries()
        latest: dict[int, list[Metric]] = defaultdict(list)
        for row in sorted(_wanted(cursor, queries.metrics, numbers, "metric", columns), key=_KEY):
            latest[row[0]].append(curves.metric_of(row[1], row[2:]))
        params = texts_by_owner(_wanted(cursor, queries.params, numbers, "param", columns))
        tags = texts_by_owner(_wanted(cursor, queries.tags, numbers, "tag", columns))
        everything = numbers if columns is None else []
        inputs = inputs_of(rows(cursor, queries.inputs(everything)))
        models = models_of(rows(cursor, queries.models(everything)))
        for row in found:
            number = row[0]
            data = RunData(tuple(latest.get(number, ())), params.get(number, {}), tags.get(number, {}))
            linked = models.get(number, Models())
            yield Run(run_info(row, self._places), data, RunInputs(inputs.get(number, ()), linked.read), linked.made)


def _wanted(
    cursor: Cursor,
    statements: Callable[[Sequence[int], Sequence[str] | None], Iterable[Compiled]],
    runs: Sequence[int],
    entity: str,
    columns: tuple[Field, ...] | None,
) -> list[Row]:
    """Return the rows of the *columns* of an entity; of all, when they are None."""
    keys = None if columns is None else sorted({column.key for column in columns if column.entity == entity})
    return [] if keys == [] else rows(cursor, statements(runs, keys))


def _queries(places: Places) -> Queries:
    from mlcore_store_sql.queries import Queries  # SQLAlchemy costs 0.4 s of CPU; only searches pay

    return Queries(SqliteGrammar(), places.beside)
