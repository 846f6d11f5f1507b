"""The order of what is recorded: times that never go back, whatever the machine's clock does."""

from __future__ import annotations

import threading
import time

# When, by which writer, and where in its journal: what all readers sort by.
Stamp = tuple[int, str, int]


class Clock:
    """Give times in ms since the epoch that are never less than any that this process has given or seen."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        self._last = 0
        self._lock = threading.Lock()

    def abandon(self) -> None:
        """Forget a lock that another thread of the parent may hold, in a forked child."""
        self._lock = threading.Lock()

    def seen(self, at: int) -> None:
        """Learn of a time that another writer recorded."""
        if at > self._last:
            with self._lock:
                self._last = max(self._last, at)

    def now(self) -> int:
        """Return the time for an entry whose place in its journal tells it from those before."""
        with self._lock:
            self._last = max(self._last, time.time_ns() // 1_000_000)
            return self._last

    def after(self) -> int:
        """Return a time that is greater than all that were given and seen."""
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1_000_000)
            return self._last
