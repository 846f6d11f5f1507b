"""A journal in mapped memory: an append is a copy of bytes, without a system call."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from time import time_ns
from zlib import crc32

from mlcore.journal.format import FIRST_POINT, HEAD, POINTS
from mlcore.journal.writer import NOT_SO_QUICK, Journal

_pack_point, _pack_head = FIRST_POINT.pack, HEAD.pack
_LEAST, _MOST = 64 * 2**10, 4 * 2**20


class MappedJournal(Journal):
    """A journal on a local disk that never lets go of the interpreter's lock while it appends.

    With `write` another Python thread may take the interpreter in the middle of the call and keep it for 5 ms; the
    thread that ships the journal is one. What is appended belongs to the operating system at once, as after `write`: it
    survives the death of the process, not that of the machine (see `sync`). Room is reserved before it is used, so
    that a full disk is an error and not a fault of memory.

    reserve: asked before the file grows by so many bytes; what it raises, an OSError, is what the append raises.
    """

    _map: mmap.mmap | None = None
    _start = 0  # of the mapped room, in the file
    _limit = 0
    reserve: Callable[[int], None] | None = None

    def _flags(self) -> int:
        return 0

    def _open(self) -> None:
        self._room = _LEAST

    def quick(self, key: str, value: float, step: int) -> bool:
        """Append a point that was measured now; see `Journal.quick`. Every call that is saved here counts."""
        try:
            name = self._keys[key]
            payload = _pack_point(POINTS, time_ns() // 1_000_000, step, value, len(name)) + name
            data = _pack_head(len(payload), crc32(payload)) + payload
            with self._lock:
                start = self._end
                end = start + len(data)
                if end > self._limit:
                    self._grow(end)
                begin = start - self._start
                self._map[begin : begin + len(data)] = data  # type: ignore[index]  # _grow has mapped it
                self._end = end
        except NOT_SO_QUICK:
            return False
        return True

    def _append(self, data: bytes) -> int:
        with self._lock:
            start = self._end
            end = start + len(data)
            if end > self._limit:
                self._grow(end)
            begin = start - self._start
            self._map[begin : begin + len(data)] = data  # type: ignore[index]  # _grow has mapped it
            self._end = end
            return end

    def _grow(self, end: int) -> None:
        """Map room from the page in which the journal ends now to beyond *end*."""
        if self._fd < 0:
            raise ValueError(f"journal {str(self.path)!r} is closed")
        page = mmap.ALLOCATIONGRANULARITY
        start = self._end // page * page
        size = (max(self._room, end - start + page) // page) * page
        if self.reserve is not None:
            self.reserve(size)
        _reserve(self._fd, start, size)
        fresh = mmap.mmap(self._fd, size, offset=start)
        if self._map is not None:
            self._map.close()
        self._map, self._start, self._limit = fresh, start, start + size
        self._room = min(self._room * 4, _MOST)

    def _shut(self) -> None:
        self._unmap()
        os.ftruncate(self._fd, self._end)

    def abandon(self) -> None:
        """Let go of the parent's journal in a forked child, without a trace in it."""
        self._unmap()
        super().abandon()

    def sync(self) -> None:
        """Return when everything written so far would survive a loss of power."""
        with self._lock:
            if self._map is not None:
                self._map.flush()
            super().sync()

    def _unmap(self) -> None:
        if self._map is not None:
            self._map.close()
        self._map, self._limit = None, 0


def _reserve(fd: int, start: int, size: int) -> None:
    """Give a part of the file room on the disk. Raises OSError: there is none."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, start, size)
        return
    end = os.fstat(fd).st_size  # macOS: zeros have to be written
    while end < start + size:
        end += os.pwrite(fd, bytes(min(start + size - end, _LEAST)), end)
