"""One journal on its way to the store: what is read of it, how far it is delivered."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence

from attrs import frozen

from mlcore.delivery.locks import FileLock
from mlcore.delivery.spool import RunFolder
from mlcore.entities import Batch, Entry, Metric
from mlcore.journal import Chunk, Fault, Journal, JournalReader

AT_A_TIME = 2 * 2**20


@frozen
class Stretch:
    """Neighbouring entries of a journal that are delivered as one.

    start, end: the bytes of the journal that it stands for. entry: its sequence is that of the last one of them.
    """

    start: int
    end: int
    entry: Entry


class Outgoing:
    """A journal that is delivered, piece by piece; used by one thread at a time."""

    def __init__(self, folder: RunFolder, reader: JournalReader, journal: Journal | None) -> None:
        """Deliver what *reader* reads; *journal* is given when this process writes it."""
        self.folder: RunFolder = folder
        self.reader: JournalReader = reader
        self.journal: Journal | None = journal
        self.writer: str = reader.header.origin.writer
        self.sent: int = max(folder.sent(self.writer), reader.start)
        self.lock: FileLock | None = None
        self.faults: list[Fault] = []
        self.is_damaged: bool = False
        self._seen = (0, 0.0)
        # its own descriptor: the journal can be closed, or lose its name, before all of it is delivered; the lock that
        # tells others that its writer lives hangs on it
        self._fd: int = os.dup(journal.fileno()) if journal is not None else -1
        self._left_end: int = 0 if journal is not None else reader.path.stat().st_size

    @property
    def end(self) -> int:
        """Where the journal ends now."""
        return self.journal.end if self.journal is not None else self._left_end

    @property
    def is_waiting(self) -> bool:
        """Whether something is written that is not delivered."""
        return self.end > self.sent

    def read(self) -> tuple[list[Stretch], int]:
        """Return the next entries to deliver, points merged, and where they end."""
        chunk = self._read_live(self.journal) if self.journal is not None else self._read_left()
        self.faults += chunk.faults
        return merged(chunk), chunk.end

    def _read_live(self, journal: Journal) -> Chunk:
        end = journal.end
        data = os.pread(self._fd, min(end - self.sent, AT_A_TIME), self.sent)
        chunk = self.reader.chunk(data, self.sent, is_live=True, is_last=False)
        if chunk.end == self.sent:  # one entry that is larger than a piece
            data = os.pread(self._fd, end - self.sent, self.sent)
            chunk = self.reader.chunk(data, self.sent, is_live=False, is_last=True)
        return chunk

    def _read_left(self) -> Chunk:
        chunk = self.reader.read(self.sent, most_bytes=AT_A_TIME)
        if chunk.is_last or chunk.end == self.sent:
            self._left_end = chunk.end
        return chunk

    def advance(self, end: int) -> None:
        """Remember that everything before *end* is delivered."""
        self.sent = end
        if self.folder.path.exists():
            self.folder.note_sent(self.writer, end)

    def rests(self, for_s: float) -> bool:
        """Return whether nothing was written for so many seconds, as far as earlier calls have seen."""
        end, now = self.end, time.monotonic()
        if end != self._seen[0]:
            self._seen = (end, now)
        return now - self._seen[1] > for_s

    def finish(self) -> None:
        """Remove the journal, all of which is delivered; one that is damaged stays, under another name."""
        with contextlib.suppress(OSError):
            if self.is_damaged:
                path = self.reader.path
                path.rename(path.with_name(path.name + ".damaged"))
            self.folder.forget(self.writer)
        self.release()

    def release(self) -> None:
        """Let others deliver the journal; nothing more can be read of it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self.lock is not None:
            self.lock.release()
            self.lock = None


def merged(chunk: Chunk) -> list[Stretch]:
    """Return the entries of a chunk, neighbours that hold nothing but points as one."""
    ends = [entry.sequence for entry in chunk.entries[1:]] + [chunk.end]
    out: list[Stretch] = []
    points: list[Metric] = []
    start = 0
    for entry, end in zip(chunk.entries, ends, strict=True):
        recorded = entry.recorded
        if isinstance(recorded, Batch) and recorded.metrics and not (recorded.params or recorded.tags):
            if not points:
                start = entry.sequence
            points += recorded.metrics
            last, last_end = entry, end
            continue
        if points:
            out.append(Stretch(start, last_end, Entry(last.sequence, last.at, Batch(tuple(points)))))
            points = []
        out.append(Stretch(entry.sequence, end, entry))
    if points:
        out.append(Stretch(start, last_end, Entry(last.sequence, last.at, Batch(tuple(points)))))
    return out


def entries_of(stretches: Sequence[Stretch]) -> list[Entry]:
    """Return the entries alone."""
    return [stretch.entry for stretch in stretches]
