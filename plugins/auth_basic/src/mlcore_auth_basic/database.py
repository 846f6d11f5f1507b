"""The file with accounts, permissions and audit log: SQLite, for several threads and processes at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlcore.errors import CorruptStoreError, InvalidParameterError, MlcoreError, SettingsError, StoreUnavailableError
from mlcore_auth_basic.schema import MIGRATIONS, VERSION

FILE = "auth.db"
_WAIT_S = 10.0


class Database:
    """Connections to one file, made when they are needed and used again."""

    def __init__(self, path: Path) -> None:
        """Know the file; `open` makes it ready."""
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._lost: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._writer = threading.Lock()

    @classmethod
    def open(cls, directory: Path) -> Database:
        """Open `auth.db` in *directory*, creating both, readable by this user alone.

        Raises SettingsError: everybody may write into the directory. CorruptStoreError: the file is no database, or of
        a newer version. StoreUnavailableError: it cannot be created, or is locked for long.
        """
        directory = directory.absolute()
        database = cls(directory / FILE)
        try:
            _make_directory(directory)
            _make_file(database.path)
        except OSError as error:
            raise StoreUnavailableError(f"{database.path} cannot be created: {error}") from error
        database._prepare()
        return database

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for single queries."""
        connection = self._take()
        try:
            yield connection
        except sqlite3.Error as error:
            raise self._told(error) from error
        except UnicodeEncodeError as error:
            raise InvalidParameterError(f"{error.object[:100]!r} has half a character in it") from error
        finally:
            self._idle.append(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside of a transaction, which is durable at the end and undone by an exception."""
        with self._writer, self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk ends it already
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections that nobody uses at the moment; the next use opens new ones."""
        self._leave_the_parents()
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        self._leave_the_parents()
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()

    def _leave_the_parents(self) -> None:
        """After a fork: a connection of the parent can be neither used nor closed here without harm to its locks."""
        if self._pid != os.getpid():
            self._lost += self._idle
            self._idle = []
            self._writer = threading.Lock()
            self._pid = os.getpid()

    def _connect(self) -> sqlite3.Connection:
        try:
            # never to create: a file that vanished must not come back empty, with another first admin
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                timeout=_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(
                "PRAGMA recursive_triggers = ON"
            )  # else REPLACE would get round the audit log's triggers
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -1024")
        except sqlite3.Error as error:
            raise self._told(error) from error
        return connection

    def _told(self, error: sqlite3.Error) -> MlcoreError:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            return StoreUnavailableError(f"{self.path} does not answer: {error}")
        if isinstance(error, sqlite3.IntegrityError):
            return MlcoreError(f"{self.path} refused a change: {error}")
        return CorruptStoreError(f"{self.path} cannot be read: {error}. Restore it from a backup")

    def _prepare(self) -> None:
        self._to_wal()
        with self.reading() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise CorruptStoreError(
                f"{self.path} has version {version}, this mlcore-auth-basic knows {VERSION}: install a newer one"
            )
        while version < VERSION:
            with self.writing() as connection:
                # again, now that nobody else can write: another process may have been quicker
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version < VERSION:
                    for statement in _statements(MIGRATIONS[version]):
                        connection.execute(statement)
                    version += 1
                    connection.execute(f"PRAGMA user_version = {version}")

    def _to_wal(self) -> None:
        # Of several that open a new file at once all but one are told `locked`, without waiting.
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                with self.reading() as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
            except StoreUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def _statements(script: str) -> Iterator[str]:
    """Split at the semicolons that end a statement; `executescript` would commit the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _make_directory(directory: Path) -> None:
    for folder in (*reversed(directory.parents), directory):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    mode = directory.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise SettingsError(
            f"everybody may write into the directory {str(directory)!r}, so its files prove nothing: "
            f"chmod 700 it, or choose another one"
        )


def _make_file(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o600)
