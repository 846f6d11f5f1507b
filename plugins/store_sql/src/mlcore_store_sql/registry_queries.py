"""The statements of searches in the registry; importing this module imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, select

from mlcore.entities import OrderBy
from mlcore.entities.filters import Filter
from mlcore_store_sql.compiling import Compiler
from mlcore_store_sql.dialects import SqliteGrammar
from mlcore_store_sql.filters import Target, text
from mlcore_store_sql.reading import Compiled
from mlcore_store_sql.schema_registry import MODEL_ALIASES, MODEL_TAGS, MODEL_VERSION_TAGS, MODEL_VERSIONS, MODELS
from mlcore_store_sql.statements_registry import MODEL_COLUMNS, VERSION_COLUMNS, VERSION_JOIN, latest_versions


class RegistryQueries(Compiler):
    """Makes the statements of searches for registered models and versions."""

    def __init__(self, grammar: SqliteGrammar) -> None:
        """Write as *grammar* has it."""
        super().__init__(grammar)
        self._models = _models(grammar)
        self._versions = _versions(grammar)

    def models(self, tree: Filter | None, order_by: tuple[OrderBy, ...], most: int, skip: int) -> Compiled:
        """Return the statement for the rows of a page of registered models, and one more."""
        statement = self.filtered(select(*MODEL_COLUMNS), self._models, tree, order_by)
        return self.compiled(statement.order_by(MODELS.c.name).limit(most + 1).offset(skip))

    def versions(self, tree: Filter | None, order_by: tuple[OrderBy, ...], most: int, skip: int) -> Compiled:
        """Return the statement for the rows of a page of versions, and one more."""
        statement: Select[Any] = select(*VERSION_COLUMNS).select_from(VERSION_JOIN)
        statement = self.filtered(statement, self._versions, tree, order_by)
        order = (MODEL_VERSIONS.c.last_update_time.desc(), MODELS.c.name, MODEL_VERSIONS.c.version.desc())
        return self.compiled(statement.order_by(*order).limit(most + 1).offset(skip))

    def latest_versions(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the newest versions of each stage of many models."""
        return self.of_many("latest", latest_versions(), MODEL_VERSIONS.c.model, models)

    def model_tags(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many models."""
        return self.of_many(
            "model tags", select(*MODEL_TAGS.columns).order_by(MODEL_TAGS.c.key), MODEL_TAGS.c.model, models
        )

    def version_tags(self, versions: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the tags of many versions."""
        tags = MODEL_VERSION_TAGS
        return self.of_many("version tags", select(*tags.columns).order_by(tags.c.key), tags.c.model_version, versions)

    def aliases(self, models: Sequence[int]) -> Iterator[Compiled]:
        """Return the statements for the aliases of many models: model, alias, version, and the version's number."""
        aliases = MODEL_ALIASES
        columns = (aliases.c.model, aliases.c.alias, aliases.c.model_version, MODEL_VERSIONS.c.version)
        statement = select(*columns).select_from(aliases.join(MODEL_VERSIONS)).order_by(aliases.c.alias)
        return self.of_many("aliases", statement, aliases.c.model, models)


def _models(grammar: SqliteGrammar) -> Target:
    attributes = {
        "name": MODELS.c.name,
        "creation_timestamp": MODELS.c.creation_time,
        "last_updated_timestamp": MODELS.c.last_update_time,
    }
    return Target(MODELS, attributes, grammar, {"tag": text(MODEL_TAGS, MODELS)})


def _versions(grammar: SqliteGrammar) -> Target:
    versions = MODEL_VERSIONS
    attributes = {
        "name": MODELS.c.name,
        "version_number": versions.c.version,
        "run_id": versions.c.run_id,
        "source_path": versions.c.source,
        "current_stage": versions.c.stage,
        "creation_timestamp": versions.c.creation_time,
        "last_updated_timestamp": versions.c.last_update_time,
    }
    return Target(versions, attributes, grammar, {"tag": text(MODEL_VERSION_TAGS, versions)})
