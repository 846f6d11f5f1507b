"""The journals that this process writes: one for each object, opened when it is needed."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from mlcore.entities import Note, Recorded
from mlcore.errors import StoreUnavailableError
from mlcore.journal import PlainJournal, encode
from mlcore.journal.format import frame

SETTLED = "settled"
_MOST_OPEN = 128


class StoreJournal(PlainJournal):
    """A journal that lets go of its file while nobody writes, and says when nothing more is expected.

    A last entry `settled` tells readers that they need not look at the file again; whoever writes after it touches the
    folders, so that they do.
    """

    _fd: int
    _parked: bool = False
    _settled: bool = False
    _over: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._over

    def write(self, recorded: Recorded, at: int | None = None) -> int:
        """Append an entry; see `Journal.write`. Raises OSError: the disk is full; nothing of the entry is left."""
        if at is None:
            at = max(self.at, time.time_ns() // 1_000_000)
        return super().write(recorded, at)

    def write_group(self, group: Sequence[Recorded], at: int) -> None:
        """Append several entries at once. Raises OSError: the disk is full; nothing of them is left."""
        with self._lock:
            self.at = max(self.at, at)
            self._append(b"".join([frame(encode(recorded, self.at)) for recorded in group]))

    def park(self) -> None:
        """Let go of the file until the next entry."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
                self._parked = True

    def settle(self) -> None:
        """Tell readers that nothing more is expected."""
        with self._lock:
            if not self._settled and not self._over:
                self.write(Note(SETTLED))
                self._settled = True
                self.park()

    def close(self) -> None:
        """End writing; a second call does nothing."""
        with self._lock:
            super().close()
            self._over = True

    def abandon(self) -> None:
        """Let go of the parent's journal in a forked child, without a trace in it."""
        super().abandon()
        self._over = True

    def _append(self, data: bytes) -> int:
        with self._lock:
            if self._fd < 0:
                self._reopen()
            if self._settled:
                self._settled = False
                for folder in (self.path.parent, self.path.parent.parent):
                    os.utime(folder)
            return super()._append(data)

    def _reopen(self) -> None:
        if self._over or not self._parked:
            raise ValueError(f"journal {str(self.path)!r} is closed")
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self._parked = False


class Writers:
    """The journals of this process, by folder; a forked child starts without any."""

    def __init__(self) -> None:
        """Start without any."""
        self._journals: OrderedDict[Path, StoreJournal] = OrderedDict()
        self._lock = threading.RLock()

    def journal(self, folder: Path, subject: str, at: int) -> StoreJournal:
        """Return the journal of the object in *folder*, making both when they are not there.

        at: the greatest time that is recorded of the object, in ms since the epoch.
        Raises StoreUnavailableError: the place cannot be written.
        """
        with self._lock:
            found = self._journals.get(folder)
            if found is None or found.is_closed or not found.path.exists():
                found = self._make(folder, subject, at)
                self._journals[folder] = found
            self._journals.move_to_end(folder)
            return found

    def known(self, folder: Path) -> StoreJournal | None:
        """Return the journal that this process has for a folder, or None."""
        found = self._journals.get(folder)
        return None if found is None or found.is_closed else found

    def close(self) -> None:
        """Close all journals and say that nothing more is expected in them."""
        with self._lock:
            for journal in self._journals.values():
                with contextlib.suppress(OSError, ValueError):  # the disk is full, or the folder was removed
                    journal.settle()
                journal.close()
            self._journals.clear()

    def abandon(self) -> None:
        """Forget the parent's journals in a forked child."""
        for journal in self._journals.values():
            journal.abandon()
        self._journals = OrderedDict()
        self._lock = threading.RLock()

    def _make(self, folder: Path, subject: str, at: int) -> StoreJournal:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            journal = StoreJournal(folder, subject)
            os.utime(folder.parent)
        except OSError as err:
            raise StoreUnavailableError(f"cannot record in {str(folder)!r}: {err}") from err
        journal.at = at
        for other in list(self._journals.values())[: -_MOST_OPEN or None]:
            other.park()
        return journal
