"""Everything in which databases differ: connections, transactions, errors, and a few words of SQL.

Only SQLite so far. `SqliteDialect` imports nothing heavy; `SqliteGrammar`, needed for searches and for
compiling statements, imports SQLAlchemy in its methods.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

from mlcore.errors import CorruptStoreError, InvalidParameterError, MlcoreError, StoreUnavailableError
from mlcore.wire.filter_values import like
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.texts import Texts

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, ColumnElement, Table
    from sqlalchemy import Dialect as Compiler

Row = tuple[Any, ...]  # what the driver returns; the statement says which columns


class Cursor(Protocol):
    """A cursor of the database's driver (PEP 249), as far as it is used here."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, statement: str, parameters: Sequence[object] = ..., /) -> object:
        """Run one statement."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> object:
        """Run one statement for each row of parameters; `rowcount` is then the sum."""
        ...

    def fetchone(self) -> Row | None:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Row]:
        """Return the remaining rows."""
        ...


class Connection(Protocol):
    """A connection of the database's driver (PEP 249), as far as it is used here."""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        ...

    def commit(self) -> object:
        """End the transaction and keep its work."""
        ...

    def rollback(self) -> object:
        """End the transaction, if there is one, and undo its work."""
        ...

    def close(self) -> object:
        """Let go of the database."""
        ...


class Dialect(Protocol):
    """How to speak with one database.

    texts: the statements of the hot paths.
    errors: what the driver raises.
    unstorable: what of that says that a value cannot be stored, and leaves the transaction as it is.
    single: whether all work goes through one connection, as for a database in memory.
    place: how the database is called in messages.
    """

    @property
    def texts(self) -> Texts:
        """The statements of the hot paths."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""
        ...

    @property
    def unstorable(self) -> tuple[type[Exception], ...]:
        """What the driver raises for a value that cannot be stored; the transaction stays as it is."""
        ...

    @property
    def single(self) -> bool:
        """Whether all work goes through one connection, as for a database in memory."""
        ...

    @property
    def place(self) -> str:
        """How the database is called in messages."""
        ...

    def make(self) -> None:
        """Make what has to be there before a connection can be opened."""
        ...

    def identity(self) -> object:
        """Return what tells this database from another one that was put in its place; None when there is none."""
        ...

    def connect(self, *, read_only: bool = False) -> Connection:
        """Open a connection that begins no transactions by itself."""
        ...

    def begin(self, cursor: Cursor, *, write: bool) -> None:
        """Begin a transaction; one that writes keeps other writers out from its first statement on."""
        ...

    def prepare(self, cursor: Cursor) -> None:
        """Set what the database itself remembers, outside of a transaction, before tables are made."""
        ...

    def tables(self, cursor: Cursor) -> frozenset[str]:
        """Return the names of the tables that there are."""
        ...

    def is_busy(self, error: BaseException) -> bool:
        """Whether the database is in use by another and a second try may succeed."""
        ...

    def translate(self, error: BaseException) -> MlcoreError:
        """Return the error of mlcore that stands for one of the driver."""
        ...


BUSY_SECONDS = 30.0

_PRAGMAS = (
    # NORMAL: a power cut may take the last transactions, never the database; a killed process takes nothing.
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16384",
    "PRAGMA journal_size_limit=67108864",
)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _sqlite_texts() -> Texts:
    # Imported late, so that `statements.py`, which writes that module, can use this one.
    from mlcore_store_sql.texts_sqlite import TEXTS

    return TEXTS


@frozen
class SqliteDialect:
    """SQLite, in a file or in memory.

    timeout_s: how long a call waits for other writers.
    """

    file: SqliteFile
    timeout_s: float = BUSY_SECONDS
    texts: Texts = field(factory=_sqlite_texts, repr=False)
    errors: tuple[type[Exception], ...] = (sqlite3.Error, OverflowError, UnicodeEncodeError)
    unstorable: tuple[type[Exception], ...] = (OverflowError, UnicodeEncodeError)

    @property
    def single(self) -> bool:
        """A database in memory lives as long as its one connection."""
        return self.file.path is None

    @property
    def place(self) -> str:
        """The file's path."""
        return f"SQLite database {str(self.file.path)!r}" if self.file.path else "SQLite database in memory"

    def make(self) -> None:
        """Create the file and its directory; check what is there already."""
        self.file.make()

    def identity(self) -> object:
        """Return the file's device and number."""
        return self.file.identity()

    def connect(self, *, read_only: bool = False) -> Connection:
        """Open a connection; write-ahead log, foreign keys, and the functions that searches use."""
        connection = sqlite3.connect(
            str(self.file.path or ":memory:"),
            timeout=self.timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            if read_only:
                connection.execute("PRAGMA query_only=ON")
            connection.create_function("mlcore_like", 2, _like, deterministic=True)
            connection.create_function("mlcore_ilike", 2, _ilike, deterministic=True)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def begin(self, cursor: Cursor, *, write: bool) -> None:
        """Begin a transaction; IMMEDIATE, so that it cannot fail later for having read before it writes."""
        cursor.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def prepare(self, cursor: Cursor) -> None:
        """Switch to the write-ahead log, in which readers and the writer do not wait for each other."""
        cursor.execute("PRAGMA journal_mode=WAL")

    def tables(self, cursor: Cursor) -> frozenset[str]:
        """Return the names of the tables that there are, SQLite's own left out."""
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
        return frozenset(name for (name,) in cursor.fetchall())

    def is_busy(self, error: BaseException) -> bool:
        """Whether the database is in use by another and a second try may succeed."""
        return _primary_code(error) in _BUSY

    def translate(self, error: BaseException) -> MlcoreError:
        """Return the error of mlcore that stands for one of sqlite3."""
        if isinstance(error, self.unstorable):
            return InvalidParameterError(f"a value cannot be stored in the {self.place}: {error}")
        code = _primary_code(error)
        if code in _CORRUPT:
            return CorruptStoreError(
                f"the {self.place} cannot be read: {error}. It was left as it is: restore it from a backup, or "
                "save what can be read with the sqlite3 program's .recover into a new file"
            )
        if code in _BUSY:
            return StoreUnavailableError(
                f"the {self.place} was locked by another process for more than {self.timeout_s:g} s; "
                "find the process that holds it (fuser), or try again"
            )
        if code == sqlite3.SQLITE_FULL:
            return StoreUnavailableError(
                f"the {self.place} cannot grow: {error}. Nothing of this call was recorded: free some space and repeat it"
            )
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
            return StoreUnavailableError(
                f"the {self.place} cannot be used: {error}. It and its directory must exist and be writable by this "
                "user, and be on a disk of this machine"
            )
        return MlcoreError(f"the {self.place} failed: {error}")


def _primary_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _like(text: str | None, pattern: str) -> bool | None:
    return None if text is None else like(text, pattern)


def _ilike(text: str | None, pattern: str) -> bool | None:
    return None if text is None else like(text, pattern, ignore_case=True)


class SqliteGrammar:
    """What SQLite writes in its own way."""

    def compiler(self) -> Compiler:
        """Return SQLAlchemy's dialect, with positional parameters."""
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

        return SQLiteDialect_pysqlite(paramstyle="qmark")

    def insert_or_ignore(
        self, table: Table, names: tuple[str, ...], fixed: Mapping[str, ColumnElement[Any]] | None = None
    ) -> ClauseElement:
        """Insert a row, *names* from parameters and *fixed* as given; do nothing when a unique key is taken."""
        from sqlalchemy import bindparam
        from sqlalchemy.dialects.sqlite import insert

        values: dict[str, ColumnElement[Any]] = {name: bindparam(name) for name in names}
        values.update(fixed or {})
        return insert(table).values(values).on_conflict_do_nothing()

    def upsert(
        self, table: Table, fixed: Mapping[str, ColumnElement[Any]] | None = None, *, rising: str = ""
    ) -> ClauseElement:
        """Insert all columns, from parameters unless *fixed*; overwrite those outside of a primary key that is taken.

        rising: a column; a row is overwritten only when that becomes greater.
        """
        from sqlalchemy import bindparam
        from sqlalchemy.dialects.sqlite import insert

        values: dict[str, ColumnElement[Any]] = {column.name: bindparam(column.name) for column in table.columns}
        values.update(fixed or {})
        statement = insert(table).values(values)
        keys = [column.name for column in table.primary_key.columns]
        rest = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
        is_greater = table.c[rising] < statement.excluded[rising] if rising else None
        return statement.on_conflict_do_update(index_elements=keys, set_=rest, where=is_greater)

    def like(self, text: ColumnElement[str], pattern: str, *, ignore_case: bool) -> ColumnElement[bool]:
        """Match *pattern* as the kernel defines LIKE and ILIKE; SQLite's own LIKE folds ASCII only."""
        from sqlalchemy import Boolean, func

        match = func.mlcore_ilike if ignore_case else func.mlcore_like
        found: ColumnElement[bool] = match(text, pattern, type_=Boolean)
        return found
