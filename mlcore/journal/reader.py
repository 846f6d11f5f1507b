"""Read journals: what is sound is read, damage is told of and stepped over."""

from __future__ import annotations

import json
import os
from pathlib import Path

from attrs import frozen

from mlcore.entities import Entry
from mlcore.errors import CorruptStoreError
from mlcore.journal.entries import decode
from mlcore.journal.format import HEAD, JSON, MAGIC, Fault, Header, Origin, check_magic, next_frame, whole_frame

_AT_A_TIME, _BEGINNING = 8 * 2**20, 64 * 2**10


@frozen
class Chunk:
    """Some entries of a journal, in order.

    end: where to go on reading. faults: damage that was stepped over before *end*.
    is_last: nothing more was in the file when it was read.
    """

    entries: tuple[Entry, ...]
    end: int
    faults: tuple[Fault, ...] = ()
    is_last: bool = True


class JournalReader:
    """Read one journal, from wherever the last call ended; keeps no file open."""

    def __init__(self, path: Path, header: Header, start: int) -> None:
        """Use `open`."""
        self.path: Path = path
        self.header: Header = header
        self.start: int = start
        self._at = 0
        self._whole = b""  # of a short journal what `open` has read, until the first call of `read`

    @classmethod
    def open(cls, path: Path) -> JournalReader:
        """Read the header.

        Raises CorruptStoreError: not a journal, or cut off in its header. UnsupportedError: of a later version.
        OSError: it cannot be read.
        """
        data = _beginning(path)
        if len(data) < len(MAGIC) and MAGIC.startswith(data):
            raise CorruptStoreError(f"journal {str(path)!r} ends in its first {len(data)} bytes: nothing was recorded")
        check_magic(data[: len(MAGIC)], str(path))
        end = whole_frame(data, len(MAGIC))
        header = _header(data[len(MAGIC) + HEAD.size : end]) if end else None
        if header is None:
            raise CorruptStoreError(f"journal {str(path)!r} has no readable header: who wrote what is unknown")
        reader = cls(path, header, end)
        reader._whole = data if len(data) < _BEGINNING else b""
        return reader

    def read(self, since: int = 0, *, is_live: bool = False, most_bytes: int = _AT_A_TIME) -> Chunk:
        """Return the entries from *since* on, a chunk at a time.

        since: `end` of the chunk before; 0 for the first.
        is_live: the writer may be in the middle of an entry; an unsound end is then no fault, but not read yet.
        """
        begin = max(since, self.start)
        whole, self._whole = self._whole, b""
        if whole and begin == self.start and len(whole) - begin <= most_bytes:
            return self.chunk(whole[begin:], begin, is_live=is_live, is_last=True)
        with self.path.open("rb") as file:
            file.seek(begin)
            data = file.read(most_bytes)
            while len(data) >= HEAD.size and HEAD.unpack_from(data)[0] + HEAD.size > len(data):
                more = file.read(max(most_bytes, HEAD.unpack_from(data)[0]))  # an entry that is larger than a chunk
                if not more:
                    break
                data += more
            is_last = not file.read(1)
        return self.chunk(data, begin, is_live=is_live, is_last=is_last)

    def chunk(self, data: bytes, begin: int, *, is_live: bool, is_last: bool) -> Chunk:
        """Return the entries in *data*, which stands at byte *begin* of the journal; for the rest see `read`."""
        entries: list[Entry] = []
        faults: list[Fault] = []
        view = memoryview(data)
        at = 0
        while at < len(data):
            end = whole_frame(view, at)
            if end:
                self._take(view[at + HEAD.size : end], begin + at, begin + end, entries, faults)
                at = end
                continue
            rest = data[at:].rstrip(b"\0")
            if not rest:  # room that was reserved and not used
                if is_last:
                    break
                at = len(data) if not is_live else at
                break
            if is_live or (not is_last and at > 0):
                break  # read on later: the rest of the entry is not there yet, or in the next chunk
            following = next_frame(view, at + 1)
            end = following if following < len(data) else at + len(rest)
            reason = "its last entry is not whole" if following >= len(data) and is_last else "a checksum does not fit"
            faults.append(Fault(str(self.path), begin + at, begin + end, reason))
            at = following
        return Chunk(tuple(entries), begin + at, tuple(faults), is_last)

    def _take(self, payload: memoryview, start: int, end: int, entries: list[Entry], faults: list[Fault]) -> None:
        try:
            entry = decode(payload, start, self._at)
        except (ValueError, KeyError, TypeError) as err:  # sound, but not of this version
            faults.append(Fault(str(self.path), start, end, f"an entry cannot be understood: {err}"))
            return
        self._at = entry.at
        entries.append(entry)


def read_journal(path: Path) -> tuple[Header, tuple[Entry, ...], tuple[Fault, ...]]:
    """Read a journal to its end; see `JournalReader`."""
    reader = JournalReader.open(path)
    entries: list[Entry] = []
    faults: list[Fault] = []
    since, is_last = 0, False
    while not is_last:
        chunk = reader.read(since)
        entries += chunk.entries
        faults += chunk.faults
        is_last = chunk.is_last or chunk.end == since
        since = chunk.end
    return reader.header, tuple(entries), tuple(faults)


def _beginning(path: Path) -> bytes:
    """Return as much of a file as its header may take, and all of a short one."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.read(fd, _BEGINNING)
        while data and len(data) < _BEGINNING and (more := os.read(fd, _BEGINNING - len(data))):
            data += more
        return data
    finally:
        os.close(fd)


def _header(payload: bytes) -> Header | None:
    try:
        if payload[0] != JSON:
            return None
        said = json.loads(payload[1:])["journal"]
        origin = Origin(said["writer"], said["host"], int(said["pid"]), int(said["created"]))
        return Header(said["run_id"], origin, int(said["version"]))
    except (ValueError, KeyError, TypeError):
        return None
