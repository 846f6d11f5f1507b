"""Connections and transactions: one writer at a time in a process, readers beside it, none across a fork."""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlcore.errors import MlcoreError, StoreUnavailableError
from mlcore_store_sql.dialects import BUSY_SECONDS, Connection, Cursor, Dialect
from mlcore_store_sql.texts import Texts

T = TypeVar("T")

_IDLE_READERS = 8
_FORK_PATIENCE_S = 10.0


class Database:
    """A database, open for any number of threads.

    Writers of this process take turns at one connection, so that they wait on a lock and not on the database.
    Readers have connections of their own and never wait, but for a database in memory, which has one for all.

    When the file was removed or replaced since it was opened, the one that stands there now is set up and used:
    what is written to the old one would be lost.

    A fork waits until what is under way has ended, and closes the connections before it: SQLite keeps notes of
    its file locks in the process, and a child that inherits them believes to hold locks that only its parent has.
    """

    def __init__(self, dialect: Dialect) -> None:
        """Prepare to speak *dialect*; nothing is opened before it is needed."""
        self.dialect = dialect
        self.texts: Texts = dialect.texts
        # Numbers of metric keys; they never change once committed, as long as the database is the same.
        self.key_numbers: dict[str, int] = {}
        self._set_up: Callable[[], None] | None = None
        self._identity: object = None
        self._renewing = threading.RLock()
        self._setting_up = False
        self._writing = threading.Lock()
        self._writer: Connection | None = None
        self._reading = threading.Condition()
        self._idle: list[Connection] = []
        self._busy_readers = 0
        self._forking = False
        self._held_for_fork = False
        self._lost: list[Connection | None] = []
        if hasattr(os, "register_at_fork"):
            _watch_forks(self)

    def set_up_with(self, set_up: Callable[[], None]) -> None:
        """Make or check the tables with *set_up*, now and whenever the database has been replaced."""
        self._set_up = set_up
        self._renew()

    @contextmanager
    def write(self) -> Iterator[Cursor]:
        """Run a block as one transaction that nobody else's writes can come between: all of it, or nothing.

        Raises StoreUnavailableError: locked for too long, full, or not writable. CorruptStoreError: not readable.
        """
        self._follow()
        with self._writing:
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
        self._follow()
        try:
            connection = self._take_reader()
            try:
                cursor = connection.cursor()
                self.dialect.begin(cursor, write=False)
                yield cursor
            finally:
                try:
                    connection.rollback()
                finally:
                    self._give_back(connection)
        except self.dialect.errors as error:
            raise self.dialect.translate(error) from error

    @contextmanager
    def outside_transactions(self) -> Iterator[Cursor]:
        """Run a block on the writer's connection without a transaction, for what cannot be in one."""
        with self._writing:
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
        with self._writing:
            self._close_writer()
        with self._reading:
            self._close_readers()

    def _follow(self) -> None:
        if self.dialect.identity() != self._identity:
            self._renew()

    def _renew(self) -> None:
        with self._renewing:
            # Setting up reads and writes, and so comes by here itself; other threads wait for the tables.
            if self._setting_up or self._set_up is None:
                return
            if self._identity is not None and self.dialect.identity() == self._identity:
                return
            self._setting_up = True
            try:
                self.close()
                self.dialect.make()
                self.key_numbers = {}
                identity = self.dialect.identity()
                self._set_up()
                self._identity = identity
            finally:
                self._setting_up = False

    def _open_writer(self) -> Connection:
        self._refuse_if_lost()
        self._writer = self.dialect.connect()
        return self._writer

    def _take_reader(self) -> Connection:
        with self._reading:
            while self._forking:
                self._reading.wait()
            self._busy_readers += 1
            if self._idle:
                return self._idle.pop()
        try:
            self._refuse_if_lost()
            return self.dialect.connect(read_only=True)
        except BaseException:
            self._reader_is_done(None)
            raise

    def _give_back(self, connection: Connection) -> None:
        keep = len(self._idle) < _IDLE_READERS
        if not keep:
            connection.close()
        self._reader_is_done(connection if keep else None)

    def _reader_is_done(self, connection: Connection | None) -> None:
        with self._reading:
            self._busy_readers -= 1
            if connection is not None:
                self._idle.append(connection)
            if self._forking:
                self._reading.notify_all()

    def _close_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _close_readers(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _refuse_if_lost(self) -> None:
        if self._lost:
            raise StoreUnavailableError(
                f"the {self.dialect.place} cannot be used in this process: it was forked while a transaction was "
                "open. Start processes with the method 'spawn', or fork where nothing is being logged"
            )

    def before_fork(self) -> None:
        """Wait until what is under way has ended, keep more from beginning, and close all connections."""
        self._held_for_fork = quiet = self._writing.acquire(timeout=_FORK_PATIENCE_S)
        with self._reading:
            self._forking = True
            quiet = self._reading.wait_for(lambda: not self._busy_readers, _FORK_PATIENCE_S) and quiet
            if not quiet:
                # The forking thread itself may be inside of a transaction, such as in a signal handler.
                self._lost = [self._writer, *self._idle]
            elif not self.dialect.single:
                self._close_writer()
                self._close_readers()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        with self._reading:
            self._forking = False
            self._lost = []
            self._reading.notify_all()
        if self._held_for_fork:
            self._writing.release()

    def after_fork_in_child(self) -> None:
        """Begin anew; what could not be closed before stays the parent's."""
        for connection in self._lost:
            _never_free(connection)
        self._renewing = threading.RLock()
        self._setting_up = False
        self._writing = threading.Lock()
        self._reading = threading.Condition()
        self._busy_readers = 0
        self._forking = False
        if self._lost:
            self._writer = None
            self._idle = []


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


def _never_free(connection: Connection | None) -> None:
    import ctypes  # only a child that was forked at a bad moment needs it

    # The driver closes what is freed, at the latest when the interpreter ends; that would undo the parent's work.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
