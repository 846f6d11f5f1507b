"""What a recording call does: append to the journal of its run, and return."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.entities import Batch, Metric, Recorded
from mlcore.journal import Journal, MappedJournal, new_origin

if TYPE_CHECKING:
    from mlcore.delivery.outbox import Outbox


class _NoJournal:
    """Stands where no journal is open."""

    is_closed = True

    def point(self, *_: object) -> None:
        """Refuse, so that one is opened."""
        raise ValueError("no journal is open")

    def write(self, _: Recorded) -> int:
        """Refuse, so that one is opened."""
        raise ValueError("no journal is open")

    def sync(self) -> None:
        """Do nothing."""


_NO_JOURNAL = _NoJournal()


class RunWriter:
    """Append to the journal of one run, whichever that is at the moment; one object per run and process."""

    def __init__(self, outbox: Outbox, run_id: str) -> None:
        """Open nothing yet."""
        self.run_id: str = run_id
        self._outbox = outbox
        self._journal: Journal | _NoJournal = _NO_JOURNAL
        # re-entrant: a signal handler that records runs inside the call that it interrupts
        self._lock = threading.RLock()
        self._created = 0

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Record one checked point of a metric."""
        try:
            self._journal.point(key, value, timestamp, step)
        except (ValueError, OSError):
            self._otherwise(Batch((Metric(key, value, timestamp, step),)))

    def write(self, recorded: Recorded) -> None:
        """Record anything that is checked."""
        try:
            self._journal.write(recorded)
        except (ValueError, OSError):
            self._otherwise(recorded)

    def end(self) -> tuple[str, int]:
        """Return where the journal ends now: its writer, and the byte."""
        journal = self._journal
        return ("", 0) if not isinstance(journal, Journal) else (journal.header.origin.writer, journal.end)

    def close(self, journal: Journal | None = None) -> None:
        """Close the journal, if it is still *journal* when that is given; the next call opens another one."""
        with self._lock:
            now = self._journal
            if isinstance(now, Journal) and journal in (None, now):
                self._journal = _NO_JOURNAL
                now.close()

    def abandon(self) -> None:
        """Let go of the parent's journal in a forked child."""
        self._lock = threading.RLock()
        if isinstance(self._journal, Journal):
            self._journal.abandon()
        self._journal = _NO_JOURNAL

    def sync(self) -> None:
        """Force what is written to the disk."""
        self._journal.sync()

    def _otherwise(self, recorded: Recorded) -> None:
        """Record what the journal did not take: into the next one, or past the journals."""
        try:
            with self._lock:
                if self._journal.is_closed:
                    self._journal = self._open()
                self._journal.write(recorded)
        except OSError as failed:
            self._outbox.overflow(self.run_id, recorded, failed)

    def _open(self) -> Journal:
        # of one process a later journal is also created later, whatever the clock does
        self._created = max(self._created + 1, time.time_ns() // 1_000_000)
        return self._outbox.open_journal(self, self._created)


class SyncedWriter(RunWriter):
    """A writer whose calls return when what they recorded would survive a loss of power."""

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Record one checked point of a metric."""
        super().point(key, value, timestamp, step)
        self.sync()

    def write(self, recorded: Recorded) -> None:
        """Record anything that is checked."""
        super().write(recorded)
        self.sync()


def new_journal(folder: Path, run_id: str, created: int) -> MappedJournal:
    """Make a journal for a run. Raises OSError: the folder is gone, or the disk is full."""
    return MappedJournal(folder, run_id, evolve(new_origin(), created=created))
