"""MLflow's own SQLite databases, of any release since 1.0: recognised by their tables and opened to be read.

What a release calls its columns is looked up in the file itself, so nothing here knows version numbers.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlcore.errors import CorruptStoreError, MlcoreError, StoreUnavailableError, UnsupportedError
from mlcore.uris import file_uri
from mlcore_store_sql.dialects import Row
from mlcore_store_sql.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

MARKS = frozenset(("alembic_version", "experiments", "runs", "metrics", "params", "tags"))
_WAL = 2
_PIECE = 2**20
# By device and number of the file.
_KEPT: dict[tuple[int, int], int] = {}
_KEEPING = threading.Lock()
_CHUNK = 500
_NOTHING_THERE: frozenset[str] = frozenset()


class MlflowFile:
    """A database that MLflow has written; nothing here writes to it, or beside it.

    columns: of each table.
    """

    def __init__(self, path: Path) -> None:
        """Open *path*. Raises StoreUnavailableError: it cannot be read. CorruptStoreError: it makes no sense."""
        self.path: Path = path
        self._lock = threading.Lock()
        self._copy: TemporaryDirectory[str] | None = None
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self.columns: Mapping[str, frozenset[str]] = self._columns()

    @classmethod
    def found_at(cls, uri: str) -> MlflowFile | None:
        """Return the database at *uri* if it is one of MLflow's; None for any other, and where there is none."""
        path = SqliteFile.from_uri(uri).path
        if path is None or not path.is_file() or not _holds_marks(path):
            return None
        try:
            return cls(path)
        except MlcoreError:
            return None  # whoever opens it next finds the words

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return what a statement selects."""
        with self._lock:
            try:
                return self._opened().execute(statement, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise self._error(error) from error

    def rows_of(self, statement: str, ids: Sequence[object]) -> Iterator[Row]:
        """Return the rows of many ids, whose place in the statement is `{ids}`."""
        for start in range(0, len(ids), _CHUNK):
            some = ids[start : start + _CHUNK]
            yield from self.rows(statement.replace("{ids}", ",".join("?" * len(some))), some)

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether there is such a table, or column."""
        there = self.columns.get(table, _NOTHING_THERE)
        return bool(there) if column is None else column in there

    def pick(self, table: str, column: str, otherwise: str = "NULL", *, alias: str = "") -> str:
        """Return the SQL of a column, or *otherwise* where the release has none."""
        return f'{alias or table}."{column}"' if self.has(table, column) else otherwise

    def located(self, place: str | None) -> str:
        """Return a place of artifacts; a relative one is meant from where the database is."""
        if not place or ":" in place.partition("/")[0] or place.startswith("/"):
            return place or ""
        return file_uri(self.path.parent / place)

    def refusal(self, what: str) -> UnsupportedError:
        """Return the error for a change that is asked for."""
        return UnsupportedError(
            f"cannot {what}: {str(self.path)!r} is a database of MLflow, which mlcore only reads. Copy it into a store "
            f"of mlcore and go on there: mlcore import --from sqlite:///{self.path}"
        )

    def close(self) -> None:
        """Let go of the file; further calls open it again."""
        with self._lock:
            self._shut()

    def _columns(self) -> dict[str, frozenset[str]]:
        names = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: frozenset(row[1] for row in self.rows('PRAGMA table_info("' + name.replace('"', '""') + '")'))
            for name in names
        }

    def _opened(self) -> sqlite3.Connection:
        if self._process != os.getpid():
            # A connection must not cross a fork; the parent's is left to the parent.
            self._connection, self._copy, self._process = None, None, os.getpid()
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        log, undo, index = (self.path.with_name(self.path.name + end) for end in ("-wal", "-journal", "-shm"))
        if _size(undo) or (_size(log) and not index.exists()):
            # The last transactions are beside the database; to read them is to write them into it, or next to it.
            return self._open_copy([each for each in (log, undo) if each.exists()])
        quiet = _uses_log(self.path) and not _size(log)
        try:
            return _connect(f"{file_uri(self.path)}?mode=ro{'&immutable=1' * quiet}")
        except sqlite3.OperationalError:
            return self._open_copy([each for each in (log, undo) if each.exists()])

    def _open_copy(self, beside: Sequence[Path]) -> sqlite3.Connection:
        import shutil  # seldom needed, and every store is asked first whether it is MLflow's
        import tempfile

        self._copy = tempfile.TemporaryDirectory(prefix="mlcore-mlflow-", ignore_cleanup_errors=True)
        try:
            _copy(self.path, Path(self._copy.name) / self.path.name)
            for each in beside:
                shutil.copyfile(each, Path(self._copy.name) / each.name)
        except OSError as error:
            raise StoreUnavailableError(
                f"the database {str(self.path)!r} has transactions beside it that were never finished, and cannot be "
                f"copied to be read: {error.strerror}"
            ) from error
        return _connect(str(Path(self._copy.name) / self.path.name), plain=True)

    def _shut(self) -> None:
        connection, self._connection = self._connection, None
        copy, self._copy = self._copy, None
        if self._process == os.getpid():
            if connection is not None:
                connection.close()
            if copy is not None:
                copy.cleanup()

    def _error(self, error: sqlite3.DatabaseError) -> MlcoreError:
        if isinstance(error, sqlite3.OperationalError):
            return StoreUnavailableError(f"the database {str(self.path)!r} of MLflow cannot be read: {error}")
        return CorruptStoreError(f"the database {str(self.path)!r} of MLflow makes no sense: {error}")


def _connect(place: str, *, plain: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(place, uri=not plain, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _holds_marks(path: Path) -> bool:
    """Whether MLflow's tables are in the file; without any lock, since most files are not MLflow's."""
    try:
        connection = sqlite3.connect(f"{file_uri(path)}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error:
        return False
    try:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return {name for (name,) in rows} >= MARKS


def _descriptor(path: Path) -> int:
    """Return a descriptor of a database, which stays open for as long as the process lives.

    To close one would undo all locks that this process has on the file, those of SQLite's connections included
    (POSIX), and other programs would think that nobody is there.
    """
    with _KEEPING:
        found = path.stat()
        key = (found.st_dev, found.st_ino)
        if key not in _KEPT:
            _KEPT[key] = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return _KEPT[key]


def _read(path: Path, length: int, start: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(_descriptor(path), length, start)
    with path.open("rb") as file:  # where locks are of the handle
        file.seek(start)
        return file.read(length)


def _copy(path: Path, target: Path) -> None:
    with target.open("wb") as file:
        while data := _read(path, _PIECE, file.tell()):
            file.write(data)


def _uses_log(path: Path) -> bool:
    return _read(path, 2, 18) == bytes((_WAL, _WAL))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
