"""Slow down who guesses: failures counted per user and client, and per client."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from mlcore.errors import LimitExceededError

WINDOW_S = 60.0
PER_USER = 10  # wrong passwords for one user from one address
PER_CLIENT = 60  # wrong credentials of any kind from one address
_MOST_KEPT = 10_000


class Throttle:
    """Failures of the last minute. Credentials that were right a short while ago are not asked of it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of no failures. *clock* tells seconds, from anywhere."""
        self._clock = clock
        self._failures: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, client: str, user: str = "") -> None:
        """Raises LimitExceededError: too many failures in the last minute; says how long to wait."""
        limits = [(("", client), PER_CLIENT), *([((user, client), PER_USER)] if user else [])]
        with self._lock:
            for key, limit in limits:
                since, count = self._of(key)
                if count >= limit:
                    wait = math.ceil(since + WINDOW_S - self._clock())
                    raise LimitExceededError(
                        f"{count} wrong tries to sign in from {client or 'this address'!r}: try again in {wait} s"
                    )

    def failed(self, client: str, user: str = "") -> None:
        """Count one more."""
        with self._lock:
            for key in {("", client), (user, client)}:
                since, count = self._of(key)
                self._failures[key] = (since, count + 1)
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEPT:
                self._failures.popitem(last=False)

    def _of(self, key: tuple[str, str]) -> tuple[float, int]:
        since, count = self._failures.get(key, (self._clock(), 0))
        return (since, count) if self._clock() < since + WINDOW_S else (self._clock(), 0)
