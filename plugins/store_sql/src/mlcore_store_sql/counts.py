"""Counting: how many runs fit, which values they have, and which datasets they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcore.entities import DatasetSummary, Facet, Field, Overview, RunQuery
from mlcore.tracking.counts import check_facet
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.part import Part, number_of
from mlcore_store_sql.places import Places
from mlcore_store_sql.reading import Once, rows

if TYPE_CHECKING:
    from mlcore_store_sql.count_queries import CountQueries


class CountsPart(Part):
    """The store's methods that count without fetching."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        super().__init__(database, places)
        self._count_queries = Once(lambda: _queries(places))

    def count_runs(self, query: RunQuery) -> int:
        """Return how many runs fit; order, page and columns of the query mean nothing."""
        experiments = _numbers(query.experiment_ids)
        if not experiments:
            return 0
        with self._db.read() as cursor:
            ((count,),) = rows(cursor, [self._count_queries().runs(query, experiments)])
            return int(count)

    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a param, tag or text attribute among the runs that fit."""
        check_facet(field)
        experiments = _numbers(query.experiment_ids)
        if not experiments:
            return ()
        with self._db.read() as cursor:
            found = rows(cursor, [self._count_queries().facets(query, experiments, field, limit)])
            return tuple(Facet(value, count) for value, count in found)

    def overviews(self, experiment_ids: tuple[str, ...]) -> tuple[Overview, ...]:
        """Return one overview per experiment that has active runs."""
        experiments = _numbers(experiment_ids)
        if not experiments:
            return ()
        with self._db.read() as cursor:
            return tuple(
                Overview(str(number), count, running, max(started, ended or started))
                for number, count, running, started, ended in rows(cursor, self._count_queries().overviews(experiments))
            )

    def search_datasets(self, experiment_ids: tuple[str, ...], max_results: int) -> tuple[DatasetSummary, ...]:
        """Return the distinct datasets that active runs read, by experiment, name, digest and context."""
        experiments = _numbers(experiment_ids)
        if not experiments:
            return ()
        with self._db.read() as cursor:
            found = rows(cursor, [self._count_queries().datasets(experiments, max_results)])
            return tuple(DatasetSummary(*row) for row in found)


def _numbers(experiment_ids: tuple[str, ...]) -> list[int]:
    known = (number_of(experiment_id) for experiment_id in experiment_ids)
    return sorted({number for number in known if number is not None})


def _queries(places: Places) -> CountQueries:
    from mlcore_store_sql.count_queries import CountQueries  # SQLAlchemy costs 0.4 s of CPU

    return CountQueries(SqliteGrammar(), places.beside)
