"""What a recording call does: append to the journal of its run, and return."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.entities import Batch, Metric, Recorded
from mlcore.journal import Journal, MappedJournal, new_origin

if TYPE_CHECKING:
    from mlcore.delivery.outbox import Outbox


class NoJournal:
    """Stands where no journal is open."""

    is_closed = True

    def quick(self, *_: object) -> bool:
        """Refuse, so that the longer way is taken."""
        return False

    def quick_points(self, *_: object) -> bool:
        """Refuse, so that the longer way is taken."""
        return False

    def point(self, *_: object) -> None:
        """Refuse, so that one is opened."""
        raise ValueError("no journal is open")

    def write(self, _: Recorded) -> int:
        """Refuse, so that one is opened."""
        raise ValueError("no journal is open")

    def sync(self) -> None:
        """Do nothing."""


NO_JOURNAL = NoJournal()


class RunWriter:
    """Append to the journal of one run, whichever that is at the moment; one object per run and process.

    journal: where points may be appended by `quick`.
    """

    def __init__(self, outbox: Outbox, run_id: str) -> None:
        """Open nothing yet."""
        self.run_id: str = run_id
        self._outbox = outbox
        self.journal: Journal | NoJournal = NO_JOURNAL
        # re-entrant: a signal handler that records runs inside the call that it interrupts
        self._lock = threading.RLock()
        self._created = 0

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Record one checked point of a metric."""
        try:
            self.journal.point(key, value, timestamp, step)
        except (ValueError, OSError):
            self._otherwise(Batch((Metric(key, value, timestamp, step),)))

    def write(self, recorded: Recorded) -> None:
        """Record anything that is checked."""
        try:
            self.journal.write(recorded)
        except (ValueError, OSError):
            self._otherwise(recorded)

    def end(self) -> tuple[str, int]:
        """Return where the journal ends now: its writer, and the byte."""
        journal = self.journal
        return ("", 0) if not isinstance(journal, Journal) else (journal.header.origin.writer, journal.end)

    def close(self, journal: Journal | None = None) -> None:
        """Close the journal, if it is still *journal* when that is given; the next call opens another one."""
        with self._lock:
            now = self.journal
            if isinstance(now, Journal) and journal in (None, now):
                self.journal = NO_JOURNAL
                now.close()

    def abandon(self) -> None:
        """Let go of the parent's journal in a forked child."""
        self._lock = threading.RLock()
        if isinstance(self.journal, Journal):
            self.journal.abandon()
        self.journal = NO_JOURNAL

    def sync(self) -> None:
        """Force what is written to the disk."""
        self.journal.sync()

    def _otherwise(self, recorded: Recorded) -> None:
        """Record what the journal did not take: into the next one, or past the journals."""
        try:
            with self._lock:
                if self.journal.is_closed:
                    self.journal = self._open()
                self.journal.write(recorded)
        except OSError as failed:
            self._outbox.overflow(self.run_id, recorded, failed)

    def _open(self) -> Journal:
        # of one process a later journal is also created later, whatever the clock does
        self._created = max(self._created + 1, time.time_ns() // 1_000_000)
        return self._outbox.open_journal(self, self._created)


class SyncedJournal(MappedJournal):
    """A journal whose calls return when what they recorded would survive a loss of power."""

    def quick(self, key: str, value: float, step: int) -> bool:
        """Append by the method below, which forces it to the disk."""
        return Journal.quick(self, key, value, step)

    def _append(self, data: bytes) -> int:
        end = super()._append(data)
        self.sync()
        return end


def new_journal(folder: Path, run_id: str, created: int, *, fsync: str = "never") -> MappedJournal:
    """Make a journal for a run; *fsync* as in the settings. Raises OSError: the folder is gone, or the disk is full."""
    kind = SyncedJournal if fsync == "always" else MappedJournal
    journal = kind(folder, run_id, evolve(new_origin(), created=created))
    if fsync != "never":  # the file's name, too, has to be there after a loss of power
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    return journal
