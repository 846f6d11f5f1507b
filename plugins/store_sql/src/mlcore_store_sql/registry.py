"""The registry store."""

from __future__ import annotations

from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, SqliteDialect
from mlcore_store_sql.migrations import REGISTRY_COMPONENT, REGISTRY_MIGRATIONS, migrate
from mlcore_store_sql.registry_models import ModelsPart
from mlcore_store_sql.registry_requests import RequestsPart
from mlcore_store_sql.registry_searching import RegistrySearchingPart
from mlcore_store_sql.registry_versions import VersionsPart
from mlcore_store_sql.sqlite_file import SqliteFile


class SqlRegistryStore(ModelsPart, VersionsPart, RequestsPart, RegistrySearchingPart):
    """Registered models in an SQL database, beside experiments and runs or alone.

    The contract is `mlcore.interfaces.RegistryStore`.
    """

    @classmethod
    def open(cls, uri: str) -> SqlRegistryStore:
        """Open the registry at *uri*, creating file, directory and tables when they are new.

        Raises InvalidParameterError: not a URI of an SQL database that is supported. StoreUnavailableError: not
        to be opened or written, or written by a newer release. CorruptStoreError: not a database.
        InvalidStateError: another program's database.
        """
        return cls(Database(SqliteDialect(SqliteFile.from_uri(uri))))

    def __init__(self, database: Database) -> None:
        """Bring the registry's tables in *database* up to date."""
        super().__init__(database)
        database.set_up_with(lambda: migrate(database, _nothing, REGISTRY_MIGRATIONS, REGISTRY_COMPONENT))

    def close(self) -> None:
        """Let go of connections and files; further calls open them again. A database in memory stays."""
        self._db.close()


def _nothing(cursor: Cursor) -> None:
    """A new registry is empty."""
