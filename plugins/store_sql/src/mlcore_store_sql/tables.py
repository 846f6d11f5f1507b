"""Tables of many runs: which fit, what they show, and which keys they have, in a handful of statements."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from mlcore.entities import (
    Cell,
    Facet,
    Field,
    KeyFacet,
    KeyFacets,
    MetricSummary,
    RunCells,
    RunInfo,
    RunOutline,
    RunQuery,
)
from mlcore.tracking.table_facets import NUMBER_ATTRIBUTES, TEXT_ATTRIBUTES, number_facet, text_facet
from mlcore.tracking.table_search import PARENT, aggregate, attribute_cell, parent_of, revision_of
from mlcore_store_sql import curves
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row, SqliteGrammar
from mlcore_store_sql.part import Part, number_of
from mlcore_store_sql.places import Places
from mlcore_store_sql.reading import Once, rows, texts_by_owner
from mlcore_store_sql.runs import run_info

if TYPE_CHECKING:
    from mlcore_store_sql.table_queries import TableQueries


class TablesPart(Part):
    """The store's methods for tables of runs."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        super().__init__(database, places)
        self._table_queries = Once(lambda: _queries(places))

    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        """Return the runs that fit, all of them, in order; page and columns of the query mean nothing."""
        experiments = _numbers(query.experiment_ids)
        if not experiments:
            return RunOutline((), (), revision_of(()))
        with self._db.read() as cursor:
            found = rows(cursor, [self._table_queries().outline(query, experiments, parents)])
        above = [row[1] or None for row in found] if parents else []
        return RunOutline([row[0] for row in found], above, revision_of([repr(found)]))

    def run_cells(self, run_ids: Sequence[str], columns: Sequence[Field]) -> Mapping[str, RunCells]:
        """Return the cells of runs by run id, deleted or not; unknown runs are left out."""
        queries = self._table_queries()
        with self._db.read() as cursor:
            found = rows(cursor, queries.by_run_id(run_ids))
            numbers = [row[0] for row in found]
            params = self._texts_of(cursor, "param", numbers, columns)
            tags = self._texts_of(cursor, "tag", numbers, (*columns, PARENT))
            metrics = self._curves_of(cursor, numbers, columns)
        shown = {}
        nothing: dict[str, str] = {}
        no_curves: dict[int, float] = {}
        for row in found:
            number, info = row[0], run_info(row, self._places)
            of_run = _Recorded(params.get(number, nothing), tags.get(number, nothing), metrics.get(number, no_curves))
            values = tuple([_cell(column, at, info, of_run) for at, column in enumerate(columns)])
            shown[info.run_id] = RunCells(info, parent_of(of_run.tags), values)
        return shown

    def key_facets(self, query: RunQuery, values: int) -> KeyFacets:
        """Return every metric, param, tag and attribute that occurs among the runs that fit, in any order."""
        experiments = _numbers(query.experiment_ids)
        if not experiments:
            return KeyFacets(0, ())
        queries = self._table_queries()
        with self._db.read() as cursor:
            runs = rows(cursor, [queries.attributes(query, experiments)])
            params = rows(cursor, [queries.text_keys(queries.params(), query, experiments, values)])
            tags = rows(cursor, [queries.text_keys(queries.tags(), query, experiments, values)])
            metrics = rows(cursor, [queries.metric_keys(query, experiments)])
        found = [*_attribute_facets(runs, values), *map(_metric_facet, metrics)]
        for entity, counted in (("param", params), ("tag", tags)):
            found += [_text_facet(entity, list(of_key), values) for _, of_key in groupby(counted, itemgetter(0))]
        return KeyFacets(len(runs), tuple(found))

    def summaries_of_runs(
        self, run_ids: Sequence[str], keys: Sequence[str] | None
    ) -> Mapping[str, tuple[MetricSummary, ...]]:
        """Return summaries by run id, each run's sorted by key; unknown runs and runs without metrics are left out."""
        queries = self._table_queries()
        wanted = None if keys is None else sorted(set(keys))
        found: dict[str, list[MetricSummary]] = defaultdict(list)
        with self._db.read() as cursor:
            ids = {row[0]: row[1] for row in rows(cursor, queries.by_run_id(tuple(dict.fromkeys(run_ids))))}
            for row in sorted(rows(cursor, queries.curves(list(ids), wanted)), key=itemgetter(1)):
                found[ids[row[0]]].append(self._summary(cursor, row))
        return {run_id: tuple(summaries) for run_id, summaries in found.items()}

    def _texts_of(
        self, cursor: Cursor, entity: str, numbers: Sequence[int], columns: Sequence[Field]
    ) -> dict[int, dict[str, str]]:
        keys = sorted({column.key for column in columns if column.entity == entity})
        if not keys:
            return {}
        queries = self._table_queries()
        table = queries.params() if entity == "param" else queries.tags()
        return texts_by_owner(rows(cursor, queries.texts(table, numbers, keys)))

    def _curves_of(
        self, cursor: Cursor, numbers: Sequence[int], columns: Sequence[Field]
    ) -> dict[int, dict[int, float]]:
        """Return what the columns of metrics show, by the run's number and the column's place."""
        asked: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for at, column in enumerate(columns):
            if column.entity == "metric":
                asked[column.key].append((at, column.stat))
        found: dict[int, dict[int, float]] = defaultdict(dict)
        if asked:
            for row in rows(cursor, self._table_queries().curves(numbers, sorted(asked))):
                for at, stat in asked[row[1]]:
                    found[row[0]][at] = self._number(cursor, row, stat)
        return found

    def _number(self, cursor: Cursor, row: Row, stat: str) -> float:
        if stat == "last":  # records of ten thousand curves would take most of the time
            return curves.true_value(row[4], row[5])
        return aggregate(self._summary(cursor, row), stat)

    def _summary(self, cursor: Cursor, row: Row) -> MetricSummary:
        return curves.summary_of(row[1], row[2:], partial(self._has_point, cursor, row[0], row[1]))

    def _has_point(self, cursor: Cursor, run: int, key: str, special: int) -> bool:
        cursor.execute(self._texts.has_special, (run, key, special))
        return cursor.fetchone() is not None


class _Recorded(NamedTuple):
    """What a run recorded, as far as its cells need it; curves by the place of their column."""

    params: Mapping[str, str]
    tags: Mapping[str, str]
    curves: Mapping[int, float]


def _cell(column: Field, at: int, info: RunInfo, recorded: _Recorded) -> Cell:
    if column.entity == "metric":
        return recorded.curves.get(at)
    if column.entity == "attribute":
        return attribute_cell(info, column.key)
    return (recorded.params if column.entity == "param" else recorded.tags).get(column.key)


def _attribute_facets(runs: Sequence[Row], values: int) -> list[KeyFacet]:
    columns = list(zip(*runs, strict=True)) if runs else []
    if not columns:
        return []
    texts = [Counter(map(str, column)) for column in columns[:5]]
    found = [
        text_facet(Field("attribute", key), each, values) for key, each in zip(TEXT_ATTRIBUTES, texts, strict=True)
    ]
    starts, ends = columns[5:]
    took = [end - start for start, end in zip(starts, ends, strict=True) if end is not None]
    numbers = (starts, [end for end in ends if end is not None], took)
    return found + [
        number_facet(Field("attribute", key), each)
        for key, each in zip(NUMBER_ATTRIBUTES, numbers, strict=True)
        if each
    ]


def _text_facet(entity: str, most: Sequence[Row], values: int) -> KeyFacet:
    key, _, _, total, distinct, numbers, least, greatest = most[0]
    is_numeric = entity == "param" and numbers == distinct
    return KeyFacet(
        Field(entity, key),
        int(total),
        distinct,
        is_numeric,
        least if is_numeric else None,
        greatest if is_numeric else None,
        tuple(Facet(row[1], row[2]) for row in most[:values]),
    )


def _metric_facet(row: Row) -> KeyFacet:
    key, count, distinct, least, greatest, above, below = row
    low = -math.inf if below else least if least is not None else math.inf if above else None
    high = math.inf if above else greatest if greatest is not None else -math.inf if below else None
    return KeyFacet(Field("metric", key), int(count), distinct, True, low, high)


def _numbers(experiment_ids: tuple[str, ...]) -> list[int]:
    known = (number_of(experiment_id) for experiment_id in experiment_ids)
    return sorted({number for number in known if number is not None})


def _queries(places: Places) -> TableQueries:
    from mlcore_store_sql.table_queries import TableQueries  # SQLAlchemy costs 0.4 s of CPU

    return TableQueries(SqliteGrammar(), places.beside)
