"""Record straight into the journals of a store that keeps its runs in journals."""

from __future__ import annotations

import threading

from mlcore.entities import Batch, Recorded
from mlcore.interfaces import SupportsJournals, TrackingStore
from mlcore.journal import Journal
from mlcore.tracking.recorder import NOT_QUICK, DirectRecorder, Mark, Quick, Writer


class StoreJournalRecorder(DirectRecorder):
    """Append to the store's own journals: what is appended is stored."""

    is_direct = False

    def __init__(self, store: TrackingStore, journals: SupportsJournals, fsync: str = "never") -> None:
        """Record into *store*, which is *journals* too; *fsync* as in the settings."""
        super().__init__(store)
        self._journals = journals
        self._fsync = fsync
        self._writers: dict[str, _StoreWriter] = {}
        self._syncer: threading.Thread | None = None
        self._closed = threading.Event()

    def writer(self, run_id: str) -> Writer:
        """Return what appends to the run's journal."""
        found = self._writers.get(run_id)
        if found is None:
            found = self._writers.setdefault(run_id, _StoreWriter(self._journals, run_id, self._fsync))
            if self._fsync.isdigit() and (
                self._syncer is None or not self._syncer.is_alive()
            ):  # a fork leaves it behind
                self._syncer = threading.Thread(target=self._sync_often, name="mlcore-syncer", daemon=True)
                self._syncer.start()
        return found

    def _sync_often(self) -> None:
        while not self._closed.wait(int(self._fsync) / 1000):
            for writer in tuple(self._writers.values()):
                writer.sync()

    def record(self, run_id: str, batch: Batch) -> None:
        """Append a batch to the run's journal."""
        self.writer(run_id).write(batch)

    def write(self, run_id: str, recorded: Recorded) -> None:
        """Append anything to the run's journal."""
        self.writer(run_id).write(recorded)

    def finish(self, run_id: str) -> None:
        """Close the run's journal; what comes later goes into another one."""
        writer = self._writers.pop(run_id, None)
        if writer is not None:
            writer.close()

    def close(self) -> None:
        """Close all journals."""
        for run_id in tuple(self._writers):
            self.finish(run_id)
        self._closed.set()


class _StoreWriter:
    @property
    def journal(self) -> Quick:
        return self._journal if self._journal is not None and not self._is_synced else NOT_QUICK

    def __init__(self, journals: SupportsJournals, run_id: str, fsync: str) -> None:
        self._journals = journals
        self._run_id = run_id
        self._journal: Journal | None = None
        self._is_synced = fsync == "always"
        self._syncs = fsync != "never"
        self._synced = 0

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        journal = self._journal
        if journal is None or journal.is_closed:
            journal = self._open()
        journal.point(key, value, timestamp, step)
        if self._is_synced:
            journal.sync()

    def write(self, recorded: Recorded) -> None:
        journal = self._journal
        if journal is None or journal.is_closed:
            journal = self._open()
        journal.write(recorded)
        if self._is_synced:
            journal.sync()

    def sync(self) -> None:
        if self._journal is not None and self._synced != (end := self._journal.end):
            self._journal.sync()
            self._synced = end

    def end(self) -> Mark:
        journal = self._journal
        return ("", 0) if journal is None else (journal.header.origin.writer, journal.end)

    def close(self) -> None:
        if self._journal is not None:
            if self._syncs:
                self._journal.sync()
            self._journal.close()

    def _open(self) -> Journal:
        self._journal = self._journals.journal(self._run_id)
        return self._journal
