"""Search for runs in the index."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from mlcore.entities import Facet, Field, Page, Run, RunQuery, ViewType
from mlcore_store_file.documents import Shower
from mlcore_store_file.experiments import Experiments
from mlcore_store_file.filters import Condition, attribute, order_of
from mlcore_store_file.index import Index
from mlcore_store_file.index_place import index_places
from mlcore_store_file.indexing import Indexer
from mlcore_store_file.paging import offset_of, token_for
from mlcore_store_file.part import Place
from mlcore_store_file.points import points_of
from mlcore_store_file.runs import Runs, run_uri

T = TypeVar("T")
_log = logging.getLogger("mlcore.store_file")


class RunSearch:
    """Answer searches from the index, after it has caught up with the journals."""

    def __init__(self, place: Place, experiments: Experiments, runs: Runs) -> None:
        """Search in the store at *place*; nothing is opened yet."""
        self._place = place
        self._experiments = experiments
        self._index = Index(index_places(place.layout))
        self._index.function("artifact_uri", 2, self._uri)
        self._index.function("count_points", 2, self._count_points)
        self._indexer = Indexer(place, experiments, runs, self._index)

    def runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit."""
        start = offset_of(query.page_token)
        where = _where(query)
        values = list(where[1])
        order = order_of(query.order_by, values)
        statement = f"SELECT {Shower.columns} FROM runs WHERE {where[0]} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - conditions of our own
        rows = self._ask(
            query, lambda found: found.execute(statement, [*values, query.max_results + 1, start]).fetchall()
        )
        shower = Shower(self._uris(), query.columns)
        token = token_for(start + query.max_results) if len(rows) > query.max_results else None
        return Page(tuple([shower.run(row) for row in rows[: query.max_results]]), token)

    def count(self, query: RunQuery) -> int:
        """Return how many runs fit."""
        condition, values = _where(query)
        statement = f"SELECT count(*) FROM runs WHERE {condition}"  # noqa: S608 - conditions of our own
        (count,) = self._ask(query, lambda found: found.execute(statement, values).fetchone())
        return int(count)

    def facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a param, tag or text attribute among the runs that fit."""
        condition, values = _where(query)
        source, value = "runs", attribute(field) if field.entity == "attribute" else "found.value"
        if field.entity != "attribute":
            table = "params" if field.entity == "param" else "tags"
            source = f"runs JOIN {table} AS found ON found.run = runs.id AND found.key = ?"
            values = [field.key, *values]
        statement = (
            f"SELECT {value}, count(*) FROM {source} WHERE {condition} "  # noqa: S608 - conditions of our own
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"
        )
        rows = self._ask(query, lambda found: found.execute(statement, [*values, limit]).fetchall())
        return tuple([Facet(str(text), int(count)) for text, count in rows])

    def close(self) -> None:
        """Let go of the index; the next search opens it again."""
        self._index.close()

    def _ask(self, query: RunQuery, question: Callable[[sqlite3.Connection], T]) -> T:
        """Bring the index up to date and ask it; one that is damaged or in the way is made again."""
        with self._place.lock:
            for attempt in range(3):
                try:
                    self._indexer.catch_up(query.experiment_ids)
                    return question(self._index.connection)
                except sqlite3.OperationalError as err:
                    # locked for long, the disk is full, or the file is gone: memory serves as well
                    if attempt == 2:
                        raise
                    _log.info("the index %s cannot be used (%s): it is kept in memory", self._index.path, err)
                    self._index.to_memory()
                except sqlite3.DatabaseError:
                    if attempt == 2:
                        raise
                    self._index.discard()
                self._indexer.start_again()
            raise AssertionError("the last attempt returns or raises")

    def _uris(self) -> Callable[[str, str], str]:
        """Return a function that looks each experiment up once."""
        locations: dict[str, str] = {}

        def uri(experiment_id: str, run_id: str) -> str:
            if experiment_id not in locations:
                state = self._experiments.state(experiment_id)
                locations[experiment_id] = self._experiments.location(experiment_id, state)
            return run_uri(locations[experiment_id], run_id)

        return uri

    def _uri(self, experiment_id: object, run_id: object) -> str:
        return self._uris()(str(experiment_id), str(run_id))

    def _count_points(self, run_id: object, key: object) -> int:
        folder = self._place.layout.run(str(run_id))
        return sum(1 for _ in points_of(folder, self._place.faults, (str(key),)))


def _where(query: RunQuery) -> tuple[str, list[object]]:
    condition = Condition()
    parts = [condition.one_of("runs.experiment_id", query.experiment_ids)]
    if query.view is not ViewType.ALL:
        parts.append(f"runs.lifecycle_stage = '{'active' if query.view is ViewType.ACTIVE_ONLY else 'deleted'}'")
    if query.filter is not None:
        parts.append(condition.of(query.filter))
    return " AND ".join(parts), condition.values
