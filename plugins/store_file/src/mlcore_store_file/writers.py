"""The journals that this process writes: one for each object, opened when it is needed."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from mlcore.entities import Note, Recorded
from mlcore.errors import StoreUnavailableError
from mlcore.journal import PlainJournal, encode
from mlcore.journal.format import frame
from mlcore_store_file.layout import make_folder

SETTLED = "settled"
_MOST_OPEN = 128


class OpenFiles:
    """The journals whose files are open: not more than some, as a process may have a thousand open files."""

    def __init__(self) -> None:
        """Start with none."""
        self._journals: OrderedDict[int, StoreJournal] = OrderedDict()
        self._lock = threading.RLock()  # a signal handler may record too

    def opened(self, journal: StoreJournal) -> None:
        """Learn that a journal's file is open, and let go of that of another one which nobody writes now."""
        with self._lock:
            self._journals[id(journal)] = journal
            self._journals.move_to_end(id(journal))
            if len(self._journals) > _MOST_OPEN:
                for key, each in self._journals.items():
                    if each is not journal and each.park():
                        del self._journals[key]
                        break


class StoreJournal(PlainJournal):
    """A journal that lets go of its file while nobody writes, and says when nothing more is expected.

    A last entry `settled` tells readers that they need not look at the file again; whoever writes after it touches the
    folders, so that they do.
    """

    at: int
    _parked: bool = False
    _settled: bool = False
    _over: bool = False
    _busy: bool = False
    open_files: OpenFiles | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._over

    def write_group(self, group: Sequence[Recorded], at: int) -> None:
        """Append several entries at once. Raises OSError: the disk is full; nothing of them is left."""
        with self._lock:
            self.at = max(self.at, at)
            self._append(b"".join([frame(encode(recorded, self.at)) for recorded in group]))

    def park(self) -> bool:
        """Let go of the file until the next entry; False when somebody writes at this moment."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            if self._busy:
                return False  # a signal handler interrupted the writer
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
                self._parked = True
        finally:
            self._lock.release()
        return True

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
            was_busy, self._busy = self._busy, True
            try:
                return super()._append(data)
            finally:
                self._busy = was_busy

    def _reopen(self) -> None:
        if self._over or not self._parked:
            raise ValueError(f"journal {str(self.path)!r} is closed")
        self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self._parked = False
        if self.open_files is not None:
            self.open_files.opened(self)


class Writers:
    """The journals of this process, by folder; a forked child starts without any."""

    def __init__(self) -> None:
        """Start without any."""
        self._journals: dict[Path, StoreJournal] = {}
        self._open = OpenFiles()
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
            self._journals, self._open = {}, OpenFiles()

    def abandon(self) -> None:
        """Forget the parent's journals in a forked child."""
        for journal in self._journals.values():
            journal.abandon()
        self._journals, self._open = {}, OpenFiles()
        self._lock = threading.RLock()

    def _make(self, folder: Path, subject: str, at: int) -> StoreJournal:
        try:
            make_folder(folder)
            journal = StoreJournal(folder, subject)
            os.utime(folder.parent)
        except OSError as err:
            raise StoreUnavailableError(f"cannot record in {str(folder)!r}: {err}") from err
        journal.at = at
        journal.open_files = self._open
        self._open.opened(journal)
        return journal
