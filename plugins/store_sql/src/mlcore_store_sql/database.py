"""Connections and transactions: one writer at a time in a process, readers beside it, safe after a fork."""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlcore.errors import MlcoreError
from mlcore_store_sql.dialects import BUSY_SECONDS, Connection, Cursor, Dialect

T = TypeVar("T")

_IDLE_READERS = 8


class Database:
    """A database, open for any number of threads.

    Writers of this process take turns at one connection, so that they wait on a lock and not on the database.
    Readers have connections of their own and never wait, but for a database in memory, which has one for all.
    A forked child opens connections of its own.
    """

    def __init__(self, dialect: Dialect) -> None:
        """Prepare to speak *dialect*; nothing is opened before it is needed."""
        self.dialect = dialect
        self.texts = dialect.texts
        self._lock = threading.Lock()
        self._writer: Connection | None = None
        self._idle: deque[Connection] = deque()
        self._readers: set[Connection] = set()
        if hasattr(os, "register_at_fork"):
            _watch_forks(self)

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Run a block as one transaction that nobody else's writes can come between: all of it, or nothing.

        Raises StoreUnavailableError: locked for too long, full, or not writable. CorruptStoreError: not readable.
        """
        with self._lock:
            try:
                connection = self._writer or self._open_writer()
                done = False
                try:
                    cursor = connection.cursor()
                    self.dialect.begin(cursor, write=True)
                    yield cursor
                    connection.commit()
                    done = True
                finally:
                    if not done:
                        connection.rollback()
            except self.dialect.errors as error:
                raise self.dialect.translate(error) from error

    @contextmanager
    def read(self) -> Iterator[Cursor]:
        """Run a block that sees one state of the database, whatever is written meanwhile.

        Raises StoreUnavailableError: not to be opened. CorruptStoreError: not readable.
        """
        if self.dialect.single:
            with self.write() as cursor:
                yield cursor
            return
        try:
            connection = self._reader()
            try:
                cursor = connection.cursor()
                self.dialect.begin(cursor, write=False)
                yield cursor
            finally:
                connection.rollback()
                self._put_back(connection)
        except self.dialect.errors as error:
            raise self.dialect.translate(error) from error

    @contextmanager
    def outside_transactions(self) -> Iterator[Cursor]:
        """Run a block on the writer's connection without a transaction, for what cannot be in one."""
        with self._lock:
            try:
                yield (self._writer or self._open_writer()).cursor()
            except self.dialect.errors as error:
                raise self.dialect.translate(error) from error

    def patiently(self, step: Callable[[], T]) -> T:
        """Repeat *step* while the database is busy, for what the database itself does not wait for."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return step()
            except MlcoreError as error:
                cause = error.__cause__
                if cause is None or not self.dialect.is_busy(cause) or time.monotonic() > deadline:
                    raise
            time.sleep(random.uniform(0.002, 0.02))  # noqa: S311 - spreads those who wait, nothing secret

    def close(self) -> None:
        """Close all connections that are not in use; the next call opens new ones. Memory stays open."""
        if self.dialect.single:
            return
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
        while self._idle:
            self._discard(self._idle.pop())

    def _open_writer(self) -> Connection:
        self._writer = self.dialect.connect()
        return self._writer

    def _reader(self) -> Connection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = self.dialect.connect(read_only=True)
            self._readers.add(connection)
            return connection

    def _put_back(self, connection: Connection) -> None:
        if len(self._idle) < _IDLE_READERS:
            self._idle.append(connection)
        else:
            self._discard(connection)

    def _discard(self, connection: Connection) -> None:
        self._readers.discard(connection)
        connection.close()

    def before_fork(self) -> None:
        """Wait for the writer, so that a child gets no transaction that is under way.

        Only memory needs it; a file's connections stay with the parent, and waiting may take long.
        """
        if self.dialect.single:
            self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self.dialect.single:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Leave the parent's connections alone: closing one here could undo the parent's work."""
        self._lock = threading.Lock()
        if self.dialect.single:
            return
        _never_free([self._writer, *self._readers])
        self._writer = None
        self._idle = deque()
        self._readers = set()


def _watch_forks(database: Database) -> None:
    seen = weakref.ref(database)

    def call(name: str) -> None:
        alive = seen()
        if alive is not None:
            getattr(alive, name)()

    os.register_at_fork(
        before=lambda: call("before_fork"),
        after_in_parent=lambda: call("after_fork_in_parent"),
        after_in_child=lambda: call("after_fork_in_child"),
    )


def _never_free(connections: list[Connection | None]) -> None:
    import ctypes  # only forked children need it

    for connection in connections:
        # The driver closes what is freed, at the latest when the interpreter ends.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
