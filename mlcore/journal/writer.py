"""Write a journal: each call appends one frame, whole or not at all."""

from __future__ import annotations

import json
import os
import struct
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import asdict

from mlcore.entities import Recorded
from mlcore.journal.entries import encode
from mlcore.journal.format import FIRST_POINT, HEAD, JSON, MAGIC, POINT, POINTS, SUFFIX, VERSION, Header, Origin, frame

_KEYS = 4096
_POINTS = bytes((POINTS,))
NOT_SO_QUICK = (KeyError, TypeError, ValueError, OverflowError, struct.error, OSError)


def new_origin() -> Origin:
    """Return a writer that no other process, thread or machine is."""
    return Origin(uuid.uuid4().hex[:20], os.uname().nodename, os.getpid(), time.time_ns() // 1_000_000)


class Journal:
    """Append to a file of one's own; safe to use from any thread, and inside a signal handler.

    A forked child must not use its parent's: it opens one of its own, see `abandon`.
    """

    def __init__(self, folder: Path, run_id: str, origin: Origin | None = None) -> None:
        """Make the file `<writer>.journal` in *folder*, which has to exist. Raises OSError: it cannot be made."""
        self.header: Header = Header(run_id, origin or new_origin())
        self.path: Path = folder / f"{self.header.origin.writer}{SUFFIX}"
        self.at: int = 0
        # re-entrant: a signal handler that records runs inside the call that it interrupts
        self._lock = threading.RLock()
        self._end = 0
        self._keys: dict[str, bytes] = {}
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | self._flags(), 0o600)
        self._open()
        self._append(MAGIC + frame(bytes((JSON,)) + _header_text(self.header)))

    @property
    def end(self) -> int:
        """How many bytes are written: the sequence that the next entry will have."""
        return self._end

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._fd < 0

    def fileno(self) -> int:
        """Return the descriptor of the open file, for locks and for reading what is written; -1 when closed."""
        return self._fd

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Append one checked point of a metric; the way of `log_metric`. Raises OSError: the disk is full."""
        name = self._keys.get(key)
        if name is None:
            name = self._encoded(key)
        payload = FIRST_POINT.pack(POINTS, timestamp, step, value, len(name)) + name
        self._append(HEAD.pack(len(payload), zlib.crc32(payload)) + payload)

    def quick(self, key: str, value: float, step: int) -> bool:
        """Append a point that was measured now, checking no more than what cannot be stored; the way of `log_metric`.

        Returns False, and has appended nothing, when that does not do: for a key that was never appended here before, a
        value that is no number, a step that is no int64, a journal that is closed or a disk that is full.
        """
        try:
            name = self._keys[key]
            payload = FIRST_POINT.pack(POINTS, time.time_ns() // 1_000_000, step, value, len(name)) + name
            self._append(HEAD.pack(len(payload), zlib.crc32(payload)) + payload)
        except NOT_SO_QUICK:
            return False
        return True

    def quick_points(self, values: Mapping[str, float], timestamp: int, step: int) -> bool:
        """Append a point of each metric, all or none; for the rest see `quick`."""
        keys, pack = self._keys, POINT.pack
        try:
            points = [pack(timestamp, step, value, len(name := keys[key])) + name for key, value in values.items()]
            if points:
                self._append(frame(_POINTS + b"".join(points)))
        except NOT_SO_QUICK:
            return False
        return True

    def write(self, recorded: Recorded, at: int | None = None) -> int:
        """Append an entry and return where it ends.

        at: ms since the epoch; now when not given. Times never go back in a journal, even if the clock does.
        Raises OSError: the disk is full; nothing of the entry is left.
        """
        with self._lock:
            self.at = max(self.at, time.time_ns() // 1_000_000 if at is None else at)
            return self._append(frame(encode(recorded, self.at)))

    def sync(self) -> None:
        """Return when everything written so far would survive a loss of power."""
        with self._lock:
            if self._fd >= 0:
                os.fsync(self._fd)

    def close(self) -> None:
        """End writing; a second call does nothing."""
        with self._lock:
            if self._fd >= 0:
                self._shut()
                os.close(self._fd)
                self._fd = -1

    def abandon(self) -> None:
        """Let go of the parent's journal in a forked child, without a trace in it."""
        self._lock = threading.RLock()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _encoded(self, key: str) -> bytes:
        name = key.encode()
        if len(self._keys) < _KEYS:
            self._keys[key] = name
        return name

    def _flags(self) -> int:
        raise NotImplementedError

    def _open(self) -> None:
        raise NotImplementedError

    def _append(self, data: bytes) -> int:
        raise NotImplementedError

    def _shut(self) -> None:
        raise NotImplementedError


class PlainJournal(Journal):
    """A journal that is written by `write`: right for shared and network file systems."""

    def _flags(self) -> int:
        return os.O_APPEND

    def _open(self) -> None:
        self._write: Callable[[int, bytes], int] = os.write

    def _append(self, data: bytes) -> int:
        with self._lock:
            try:
                written = self._write(self._fd, data)
            except OSError:
                self._cut()
                raise
            if written != len(data):  # the disk is nearly full: ask again for the rest, which tells why
                self._finish(data[written:])
            self._end += len(data)
            return self._end

    def _finish(self, rest: bytes) -> None:
        try:
            while rest:
                rest = rest[self._write(self._fd, rest) :]
        except OSError:
            self._cut()
            raise

    def _cut(self) -> None:
        if self._fd >= 0:
            os.ftruncate(self._fd, self._end)

    def _shut(self) -> None:
        pass


def _header_text(header: Header) -> bytes:
    said = {"journal": {"version": VERSION, "run_id": header.run_id, **asdict(header.origin)}}
    return json.dumps(said, separators=(",", ":")).encode()
