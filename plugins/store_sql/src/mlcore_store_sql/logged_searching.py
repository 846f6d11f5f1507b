"""Searches for logged models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlcore.entities import LoggedModel, LoggedModelQuery, Page
from mlcore_store_sql import paging
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row, SqliteGrammar
from mlcore_store_sql.logged import LoggedPart, logged_model_of
from mlcore_store_sql.part import number_of
from mlcore_store_sql.places import Places
from mlcore_store_sql.reading import Once, rows, texts_by_owner

if TYPE_CHECKING:
    from mlcore_store_sql.logged_queries import LoggedQueries


class LoggedSearchingPart(LoggedPart):
    """The store's method that searches logged models."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        super().__init__(database, places)
        self._logged_queries = Once(lambda: _queries(places))

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        skip = paging.offset(query.page_token)
        known = (number_of(experiment_id) for experiment_id in query.experiment_ids)
        experiments = sorted({number for number in known if number is not None})
        if not experiments:
            return Page(())
        statement = self._logged_queries().models(query, experiments, skip)
        with self._db.read() as cursor:
            found = paging.page(rows(cursor, [statement]), skip, query.max_results)
            return Page(self._logged_models(cursor, found.items), found.next_token)

    def _logged_models(self, cursor: Cursor, found: Sequence[Row]) -> tuple[LoggedModel, ...]:
        numbers = [row[0] for row in found]
        queries = self._logged_queries()
        params = texts_by_owner(rows(cursor, queries.params(numbers)))
        tags = texts_by_owner(rows(cursor, queries.tags(numbers)))
        metrics: dict[int, list[Row]] = defaultdict(list)
        for row in rows(cursor, queries.metrics(numbers)):
            metrics[row[0]].append(row)
        return tuple(
            logged_model_of(row, params.get(row[0], {}), tags.get(row[0], {}), metrics.get(row[0], ()), self._places)
            for row in found
        )


def _queries(places: Places) -> LoggedQueries:
    from mlcore_store_sql.logged_queries import LoggedQueries  # SQLAlchemy costs 0.4 s of CPU

    return LoggedQueries(SqliteGrammar(), places.beside)
