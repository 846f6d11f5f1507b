"""Follow the journals of a folder: what is new since the last look, damage stepped over and told of once."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import define, field

from mlcore.entities import Entry, Note, Recorded
from mlcore.errors import CorruptStoreError, UnsupportedError
from mlcore.journal import SUFFIX, Fault, Header, JournalReader, Origin
from mlcore_store_file.clock import Stamp
from mlcore_store_file.writers import SETTLED

REPLAY, REPLAYED = "replay", "replayed"
_YOUNG_S = 10.0
_MARGIN, _AT_A_TIME = 256, 4 * 2**20
_log = logging.getLogger("mlcore.store_file")


class Faults:
    """The damage that was found; each is told of once in a process."""

    def __init__(self) -> None:
        """Start with none."""
        self._told: dict[tuple[str, int], Fault] = {}
        self._lock = threading.Lock()

    @property
    def found(self) -> tuple[Fault, ...]:
        """All that were found so far."""
        return tuple(self._told.values())

    def tell(self, fault: Fault) -> None:
        """Warn of a fault, unless that was done."""
        with self._lock:
            if (fault.path, fault.start) in self._told:
                return
            self._told[fault.path, fault.start] = fault
        _log.warning("%s; everything else in it was read", fault)


@define
class _Followed:
    reader: JournalReader
    offset: int = 0
    size: int = 0
    settled: bool = False


@define
class Tail:
    """The journals of one folder, and how far they were read."""

    folder: Path
    faults: Faults
    journals: dict[str, _Followed] = field(factory=dict)
    too_short: dict[str, int] = field(factory=dict)
    is_damaged: bool = False

    def news(self) -> list[tuple[Stamp, Recorded]]:
        """Return what was recorded since the last call, each journal's in its order. Raises OSError: no such folder."""
        found: list[tuple[Stamp, Recorded]] = []
        with os.scandir(self.folder) as listing:
            for each in listing:
                if each.name.endswith(SUFFIX):
                    size = each.stat().st_size
                    known = self.journals.get(each.name)
                    if known is None or known.size != size:
                        found += self._read(each.name, size)
        return found

    @property
    def subject(self) -> str:
        """The id of the object that the journals are about, as they say; empty when none can tell."""
        return next((each.reader.header.run_id for each in self.journals.values() if each.reader.header.run_id), "")

    @property
    def sizes(self) -> dict[str, tuple[int, bool]]:
        """The size of each journal when it was read, and whether it is settled."""
        whole = {name: (each.size, each.settled) for name, each in self.journals.items()}
        return {**whole, **{name: (size, False) for name, size in self.too_short.items()}}

    def _read(self, name: str, size: int) -> Iterator[tuple[Stamp, Recorded]]:
        journal = self.journals.get(name) or self._open(name, size)
        if journal is None:
            return
        self.journals[name] = journal
        entries, journal.offset = self._entries(journal, size)
        journal.size = size
        journal.settled = bool(entries) and entries[-1].recorded == Note(SETTLED)
        writer = name.removesuffix(SUFFIX)
        for entry in entries:
            yield (entry.at, writer, entry.sequence), entry.recorded

    def _open(self, name: str, size: int) -> _Followed | None:
        path = self.folder / name
        try:
            return _Followed(JournalReader.open(path))
        except UnsupportedError as err:
            self._tell(Fault(str(path), 0, size, str(err)))
        except CorruptStoreError as err:
            if time.time() - path.stat().st_mtime > _YOUNG_S:
                self._tell(Fault(str(path), 0, size, str(err)))
            elif size < 512:  # its writer is about to write the header
                self.too_short[name] = size
                return None
            # who wrote it stands in its name as well
            return _Followed(JournalReader(path, Header("", Origin(name.removesuffix(SUFFIX), "", 0, 0)), 0))
        self.too_short[name] = size
        return None

    def _entries(self, journal: _Followed, size: int) -> tuple[Sequence[Entry], int]:
        """Return the entries after the offset that count, and where to go on."""
        entries: list[Entry] = []
        end, is_last = journal.offset, False
        while not is_last:
            most = min(max(size - end, 0) + _MARGIN, _AT_A_TIME)  # room is made for as much as is asked for
            chunk = journal.reader.read(end, most_bytes=most)
            entries += chunk.entries
            is_last = chunk.is_last or chunk.end == end
            torn = None
            for fault in chunk.faults:
                if is_last and fault is chunk.faults[-1] and fault.reason.startswith("its last entry"):
                    torn = fault.start
                    if not self._is_young(journal):
                        self._tell(fault)
                else:
                    self._tell(fault)
            end = chunk.end if torn is None else torn
        return _whole_groups(entries, end)

    def _tell(self, fault: Fault) -> None:
        self.is_damaged = True
        self.faults.tell(fault)

    def _is_young(self, journal: _Followed) -> bool:
        return time.time() - journal.reader.path.stat().st_mtime < _YOUNG_S


def _whole_groups(entries: list[Entry], end: int) -> tuple[list[Entry], int]:
    """Leave a group at the end out whose last part is missing: it was not recorded, or is not there yet."""
    start = None
    for number, entry in enumerate(entries):
        if isinstance(entry.recorded, Note):
            if entry.recorded.name == REPLAY:
                start = number
            elif entry.recorded.name == REPLAYED:
                start = None
    return (entries, end) if start is None else (entries[:start], entries[start].sequence)
