"""Searches: a page of runs or experiments in a handful of statements, however many they are."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from mlcore.entities import Experiment, ExperimentQuery, Metric, Page, Run, RunData, RunInputs, RunQuery
from mlcore_store_sql import curves, paging
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row, SqliteGrammar
from mlcore_store_sql.experiments import experiment_of
from mlcore_store_sql.part import Part, experiment_number
from mlcore_store_sql.places import Places
from mlcore_store_sql.runs import inputs_of, run_info

if TYPE_CHECKING:
    from mlcore_store_sql.queries import Compiled, Queries


class SearchingPart(Part):
    """The store's methods that search."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        super().__init__(database, places)
        self._made: Queries | None = None
        self._making = threading.Lock()

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        skip = paging.offset(query.page_token)
        known = (experiment_number(experiment_id) for experiment_id in query.experiment_ids)
        experiments = sorted({number for number in known if number is not None})
        if not experiments:
            return Page(())
        statement = self._queries().runs(query, experiments, skip)
        with self._db.read() as cursor:
            rows = _rows(cursor, [statement])
            found = paging.page(list(rows), skip, query.max_results)
            return Page(tuple(self._runs_of(cursor, found.items)), found.next_token)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        skip = paging.offset(query.page_token)
        statement = self._queries().experiments(query, skip)
        with self._db.read() as cursor:
            found = paging.page(list(_rows(cursor, [statement])), skip, query.max_results)
            numbers = [row[0] for row in found.items]
            tags = _texts(_rows(cursor, self._queries().experiment_tags(numbers)))
            items = tuple(experiment_of(row, tags.get(row[0], {}), self._places) for row in found.items)
            return Page(items, found.next_token)

    def _runs_of(self, cursor: Cursor, rows: Iterable[Row]) -> Iterator[Run]:
        rows = list(rows)
        numbers = [row[0] for row in rows]
        queries = self._queries()
        latest: dict[int, list[Metric]] = defaultdict(list)
        for number, key, *point in _rows(cursor, queries.metrics(numbers)):
            latest[number].append(curves.metric_of(key, (point[0], point[1], point[2], point[3])))
        params = _texts(_rows(cursor, queries.params(numbers)))
        tags = _texts(_rows(cursor, queries.tags(numbers)))
        inputs = inputs_of(list(_rows(cursor, queries.inputs(numbers))))
        for row in rows:
            number = row[0]
            points = tuple(sorted(latest.get(number, ()), key=_key))
            data = RunData(points, params.get(number, {}), tags.get(number, {}))
            yield Run(run_info(row, self._places), data, inputs.get(number, RunInputs()))

    def _queries(self) -> Queries:
        with self._making:
            if self._made is None:
                from mlcore_store_sql.queries import Queries  # SQLAlchemy costs 0.4 s of CPU; only searches pay

                self._made = Queries(SqliteGrammar(), self._places.beside)
            return self._made


def _rows(cursor: Cursor, statements: Iterable[Compiled]) -> Iterator[Row]:
    for statement in statements:
        cursor.execute(statement.text, statement.parameters)
        yield from cursor.fetchall()


def _texts(rows: Iterable[Row]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for number, key, value in rows:
        found[number][key] = value
    return found


def _key(point: Metric) -> str:
    return point.key
