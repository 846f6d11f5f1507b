"""Searches in the registry: a page in a handful of statements, however many models or versions it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.wire.filter_parser import parse_model_filter, parse_model_order, parse_version_filter, parse_version_order
from mlcore_store_sql import paging
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row, SqliteGrammar
from mlcore_store_sql.reading import Once, rows, texts_by_owner
from mlcore_store_sql.registry_rows import RegistryPart, model_of, version_of

if TYPE_CHECKING:
    from mlcore_store_sql.registry_queries import RegistryQueries


class RegistrySearchingPart(RegistryPart):
    """The registry's methods that search."""

    def __init__(self, database: Database) -> None:
        """Work on *database*."""
        super().__init__(database)
        self._queries = Once(_queries)

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        skip = paging.offset(page_token)
        tree, order = parse_model_filter(filter_string), parse_model_order(order_by)
        statement = self._queries().models(tree, order, max_results, skip)
        with self._db.read() as cursor:
            found = paging.page(rows(cursor, [statement]), skip, max_results)
            return Page(self._models_of(cursor, found.items), found.next_token)

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        skip = paging.offset(page_token)
        tree, order = parse_version_filter(filter_string), parse_version_order(order_by)
        statement = self._queries().versions(tree, order, max_results, skip)
        with self._db.read() as cursor:
            found = paging.page(rows(cursor, [statement]), skip, max_results)
            models = sorted({row[1] for row in found.items})
            aliases = rows(cursor, self._queries().aliases(models))
            return Page(self._versions_of(cursor, found.items, aliases), found.next_token)

    def _models_of(self, cursor: Cursor, found: Sequence[Row]) -> tuple[RegisteredModel, ...]:
        numbers = [row[0] for row in found]
        queries = self._queries()
        aliases = rows(cursor, queries.aliases(numbers))
        latest_rows = rows(cursor, queries.latest_versions(numbers))
        latest: dict[int, list[ModelVersion]] = defaultdict(list)
        for row, version in zip(latest_rows, self._versions_of(cursor, latest_rows, aliases), strict=True):
            latest[row[1]].append(version)
        tags = texts_by_owner(rows(cursor, queries.model_tags(numbers)))
        by_alias = texts_by_owner((model, alias, str(version)) for model, alias, _, version in aliases)
        return tuple(
            model_of(row, latest.get(row[0], []), tags.get(row[0], {}), by_alias.get(row[0], {})) for row in found
        )

    def _versions_of(self, cursor: Cursor, found: Sequence[Row], aliases: Sequence[Row]) -> tuple[ModelVersion, ...]:
        tags = texts_by_owner(rows(cursor, self._queries().version_tags([row[0] for row in found])))
        own: dict[int, list[str]] = defaultdict(list)
        for _, alias, version, _ in aliases:
            own[version].append(alias)
        return tuple(version_of(row, tags.get(row[0], {}), tuple(own.get(row[0], ()))) for row in found)


def _queries() -> RegistryQueries:
    from mlcore_store_sql.registry_queries import RegistryQueries  # SQLAlchemy costs 0.4 s of CPU

    return RegistryQueries(SqliteGrammar())
