"""The index of a store's runs: a SQLite file that is a cache. It can be deleted, and is made again from the journals."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mlcore.wire.filter_values import like
from mlcore_store_file.layout import make_folder

SCHEMA = 2
_TABLES = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, folder TEXT NOT NULL UNIQUE, shard TEXT NOT NULL, mtime INTEGER NOT NULL,
    run_id TEXT NOT NULL, experiment_id TEXT NOT NULL, lifecycle_stage TEXT NOT NULL, start_time INTEGER NOT NULL,
    end_time INTEGER, status TEXT NOT NULL, run_name TEXT NOT NULL, user_id TEXT NOT NULL, document TEXT NOT NULL
);
CREATE INDEX runs_by_start ON runs (experiment_id, start_time DESC, run_id);
CREATE INDEX runs_by_shard ON runs (shard);
CREATE TABLE journals (
    run INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL, settled INTEGER NOT NULL, PRIMARY KEY (run, name)
) WITHOUT ROWID;
CREATE INDEX journals_open ON journals (run) WHERE settled = 0;
CREATE TABLE metrics (
    run INTEGER NOT NULL, key TEXT NOT NULL, last REAL, least REAL, greatest REAL, PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE params (
    run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, number REAL, PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE TABLE tags (run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID;
CREATE TABLE inputs (run INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, number INTEGER NOT NULL);
CREATE INDEX inputs_by_run ON inputs (run, key);
CREATE TABLE shards (name TEXT PRIMARY KEY, mtime INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE experiments (id TEXT PRIMARY KEY, stages TEXT NOT NULL) WITHOUT ROWID;
"""
# A metric of nothing but NaN has no least and greatest; it is told from one that is absent by its row.
_BUSY_S = 20.0


class Index:
    """A connection to the index; not for use by several threads at once."""

    def __init__(self, places: Iterable[Path]) -> None:
        """Use the first of *places* where a file can be made, or memory."""
        self._places = tuple(places)
        self.path: Path | None = None
        self.is_shared = False
        self._connection: sqlite3.Connection | None = None
        self._pid = os.getpid()
        self._functions: dict[str, tuple[int, Callable[..., str | int]]] = {}

    def function(self, name: str, arguments: int, call: Callable[..., str | int]) -> None:
        """Let statements call a function."""
        self._functions[name] = (arguments, call)

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection."""
        if self._connection is not None and self._pid != os.getpid():
            _parents.append(self._connection)  # closing it here would break the parent's locks
            self._connection = None
        if self._connection is None:
            self._pid = os.getpid()
            self._connection = self._open()
        return self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Change the index in one transaction."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def discard(self) -> None:
        """Throw a damaged index away; the next use makes it again."""
        self.close()
        if self.path is not None:
            for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
                with contextlib.suppress(OSError):
                    (self.path.parent / name).unlink()

    def to_memory(self) -> None:
        """Keep the index in memory from now on."""
        self.close()
        self._places = ()

    def close(self) -> None:
        """Let go of the file; further use opens it again."""
        if self._connection is not None and self._pid == os.getpid():
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _open(self) -> sqlite3.Connection:
        for path in self._places:
            try:
                make_folder(path.parent)
                found = self._connect(path)
            except sqlite3.OperationalError:
                continue  # it cannot be written there
            except sqlite3.DatabaseError:
                self.path = path
                self.discard()
                try:
                    found = self._connect(path)
                except sqlite3.Error:
                    continue
            except OSError:
                continue
            self.path = path
            return found
        self.path = None
        return self._connect(None)

    def _connect(self, path: Path | None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            if path is not None:
                path.chmod(0o600)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # a cache that a power cut damages is made again
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != SCHEMA:
                _drop_all(connection)
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA}")
            connection.execute("COMMIT")
            for name, (arguments, call) in self._functions.items():
                connection.create_function(name, arguments, call, deterministic=False)
            connection.create_function("fits", 2, _fits, deterministic=True)
            connection.create_function("fits_any_case", 2, _fits_any_case, deterministic=True)
        except (sqlite3.Error, OSError):
            connection.close()
            raise
        return connection


_parents: list[sqlite3.Connection] = []


def _drop_all(connection: sqlite3.Connection) -> None:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    for (name,) in names.fetchall():
        connection.execute(f'DROP TABLE "{name}"')


def _fits(text: object, pattern: object) -> bool:
    return like(str(text), str(pattern))


def _fits_any_case(text: object, pattern: object) -> bool:
    return like(str(text), str(pattern), ignore_case=True)
