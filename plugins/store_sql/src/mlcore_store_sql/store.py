"""The tracking store."""

from __future__ import annotations

from mlcore.uris import file_uri
from mlcore_store_sql.bucketing import BucketsPart
from mlcore_store_sql.changes import ChangesPart
from mlcore_store_sql.counts import CountsPart
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, SqliteDialect
from mlcore_store_sql.experiments import DEFAULT_ID, DEFAULT_NAME, ExperimentsPart
from mlcore_store_sql.group import GroupPart
from mlcore_store_sql.logged_searching import LoggedSearchingPart
from mlcore_store_sql.migrations import migrate
from mlcore_store_sql.part import now_ms
from mlcore_store_sql.places import Places
from mlcore_store_sql.replaying import ReplayPart
from mlcore_store_sql.runs import RunsPart
from mlcore_store_sql.searching import SearchingPart
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.tables import TablesPart


class SqlTrackingStore(
    ExperimentsPart,
    GroupPart,
    ReplayPart,
    RunsPart,
    SearchingPart,
    LoggedSearchingPart,
    BucketsPart,
    ChangesPart,
    CountsPart,
    TablesPart,
):
    """Experiments and runs in an SQL database; the contract is `mlcore.interfaces.TrackingStore`."""

    @classmethod
    def open(cls, uri: str, artifact_root: str | None = None) -> SqlTrackingStore:
        """Open the store at *uri*, creating file, directory and tables when they are new.

        artifact_root: absolute URI below which new experiments put artifacts; None for the directory
        `mlartifacts` beside the database.
        Raises InvalidParameterError: not a URI of an SQL database that is supported. StoreUnavailableError: not
        to be opened or written, or written by a newer release. CorruptStoreError: not a database.
        InvalidStateError: another program's database.
        """
        file = SqliteFile.from_uri(uri)
        beside = file_uri(file.artifacts)
        chosen = artifact_root.rstrip("/") if artifact_root else None
        return cls(Database(SqliteDialect(file)), Places(beside, None if chosen == beside else chosen))

    def __init__(self, database: Database, places: Places) -> None:
        """Bring the tables of *database* up to date."""
        super().__init__(database, places)
        database.set_up_with(lambda: migrate(database, self._add_default_experiment))

    def close(self) -> None:
        """Let go of connections and files; further calls open them again. A database in memory stays."""
        self._db.close()

    def _add_default_experiment(self, cursor: Cursor) -> None:
        now = now_ms()
        values = (DEFAULT_NAME, self._places.to_store(DEFAULT_ID), now, now)
        cursor.execute(self._texts.insert_default_experiment, values)
