"""One journal on its way to the store: what is read of it, how far it is delivered."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence

from attrs import frozen

from mlcore.delivery.locks import FileLock
from mlcore.delivery.spool import RunFolder
from mlcore.entities import Batch, Entry, Metric, Note
from mlcore.journal import Chunk, Fault, Journal, JournalReader
from mlcore.journal.format import HEAD, whole_frame
from mlcore.journal.merging import point_frames

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
        self.is_living: bool = False
        self._names: dict[bytes, str] = {}
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
        data, is_last = self._bytes(AT_A_TIME)
        if len(data) >= HEAD.size and HEAD.unpack_from(data)[0] + HEAD.size > len(data):
            data, is_last = self._bytes(HEAD.unpack_from(data)[0] + HEAD.size)  # one entry, larger than a piece
        stretches: list[Stretch] = []
        at, begin = 0, self.sent
        while at < len(data):
            points, last, end = point_frames(data, at, self._names)
            if points:
                entry = Entry(begin + last, 0, Batch(tuple(points)))
                stretches.append(Stretch(begin + at, begin + end, entry))
                at = end
            end = whole_frame(data, at)
            if not end:
                break
            stretches.append(self._decoded(data, at, end))
            at = end
        if at and not is_last:
            return stretches, begin + at  # what follows is not whole, or damaged: the next piece begins with it
        rest = self.reader.chunk(data[at:], begin + at, is_live=self._is_written, is_last=is_last)
        self.faults += rest.faults
        if self.journal is None and (is_last or rest.end == begin):
            self._left_end = rest.end
        return stretches + merged(rest), rest.end

    def _decoded(self, data: bytes, start: int, end: int) -> Stretch:
        chunk = self.reader.chunk(data[start:end], self.sent + start, is_live=False, is_last=False)
        self.faults += chunk.faults
        entry = chunk.entries[0] if chunk.entries else Entry(self.sent + start, 0, Note("unknown"))
        return Stretch(self.sent + start, self.sent + end, entry)

    @property
    def _is_written(self) -> bool:
        return self.is_living or self.journal is not None

    def _bytes(self, most: int) -> tuple[bytes, bool]:
        """Return what comes next in the journal, and whether that is all of it."""
        end = self.end
        size = min(end - self.sent, most)
        if self._fd >= 0:  # by the open file: somebody may have removed its name
            return os.pread(self._fd, size, self.sent), self.sent + size >= end
        with self.reader.path.open("rb") as file:
            file.seek(self.sent)
            return file.read(size), self.sent + size >= end

    def advance(self, end: int) -> None:
        """Remember that everything before *end* is delivered.

        On a full disk only this process remembers; who delivers the journal after it begins earlier, and the store
        takes what it has already as done.
        """
        self.sent = end
        if self.folder.path.exists():
            with contextlib.suppress(OSError):
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
    ends = [*(entry.sequence for entry in chunk.entries[1:]), chunk.end][: len(chunk.entries)]
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
