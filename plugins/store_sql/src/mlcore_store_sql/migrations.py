"""The schema's versions: what makes a new database, and what brings an older one up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlcore.errors import InvalidStateError, StoreUnavailableError
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.registry_beginnings import begin_histories
from mlcore_store_sql.texts import Texts

COMPONENT = "tracking"
REGISTRY_COMPONENT = "registry"
_VERSIONS = "mlcore_versions"

Migration = Callable[[Cursor, Texts], None]


def create_tables(cursor: Cursor, texts: Texts) -> None:
    """Make all tables and indexes of version 1."""
    for statement in texts.ddl:
        cursor.execute(statement)


def add_logged_models(cursor: Cursor, texts: Texts) -> None:
    """Make the tables and indexes of version 2."""
    for statement in texts.ddl_logged_models:
        cursor.execute(statement)


def add_deliveries(cursor: Cursor, texts: Texts) -> None:
    """Make the tables of version 3."""
    for statement in texts.ddl_delivery:
        cursor.execute(statement)


def add_changes(cursor: Cursor, texts: Texts) -> None:
    """Make the table of version 4, with a row for each run."""
    for statement in texts.ddl_changes:
        cursor.execute(statement)
    cursor.execute(texts.begin_changes)


def create_registry(cursor: Cursor, texts: Texts) -> None:
    """Make all tables and indexes of version 1 of the registry."""
    for statement in texts.ddl_registry:
        cursor.execute(statement)


def add_history(cursor: Cursor, texts: Texts) -> None:
    """Make the tables of version 2 of the registry, and the first lines of the histories of what is there."""
    for statement in texts.ddl_history:
        cursor.execute(statement)
    begin_histories(cursor, texts)


# In order; the schema's version is how many have run. Never change one that was released: add another.
MIGRATIONS: tuple[Migration, ...] = (create_tables, add_logged_models, add_deliveries, add_changes)
REGISTRY_MIGRATIONS: tuple[Migration, ...] = (create_registry, add_history)


def migrate(
    database: Database,
    first: Callable[[Cursor], None],
    migrations: Sequence[Migration] = MIGRATIONS,
    component: str = COMPONENT,
) -> None:
    """Bring a component to the newest version in one transaction, of which racing processes do one each.

    first: fills a new component, in the same transaction.
    Raises StoreUnavailableError: the database was written by a newer release. InvalidStateError: it belongs to
    another program. In both cases it is left as it is.
    """
    if database.patiently(lambda: _version_now(database, component, len(migrations))) == len(migrations):
        return
    database.patiently(lambda: _prepare(database))
    with database.write() as cursor:
        version = _checked_version(database, cursor, component, len(migrations))
        if version == len(migrations):
            return
        cursor.execute(database.texts.create_versions)
        for step in migrations[version:]:
            step(cursor, database.texts)
        cursor.execute(database.texts.set_version, (component, len(migrations)))
        if version == 0:
            first(cursor)


def _version_now(database: Database, component: str, newest: int) -> int:
    with database.outside_transactions() as cursor:
        return _checked_version(database, cursor, component, newest)


def _prepare(database: Database) -> None:
    with database.outside_transactions() as cursor:
        database.dialect.prepare(cursor)


def _checked_version(database: Database, cursor: Cursor, component: str, newest: int) -> int:
    """Return the component's version, 0 when it is not there."""
    tables = database.dialect.tables(cursor)
    if _VERSIONS not in tables:
        if tables:
            raise InvalidStateError(_foreign(database.dialect.place, tables))
        return 0
    cursor.execute(database.texts.version, (component,))
    row = cursor.fetchone()
    version = int(row[0]) if row else 0
    if version > newest:
        raise StoreUnavailableError(
            f"the {database.dialect.place} has schema version {version} of {component}, this release of "
            f"mlcore-store-sql knows versions up to {newest}. It was left as it is: upgrade with pip install -U mlcore-store-sql"
        )
    return version


def _foreign(place: str, tables: frozenset[str]) -> str:
    if {"alembic_version", "experiments", "runs"} <= tables:
        return (
            f"the {place} belongs to MLflow, whose tables have another layout. It was left as it is: "
            "name another file in the URI"
        )
    names = ", ".join(repr(name) for name in sorted(tables)[:3])
    return (
        f"the {place} belongs to another program: it has the tables {names}. It was left as it is: "
        "name another file in the URI"
    )
