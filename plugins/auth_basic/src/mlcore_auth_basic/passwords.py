"""Passwords: kept as argon2id hashes only, compared in constant time, remembered for a while once they were right."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mlcore.errors import InvalidParameterError
from mlcore_auth_basic.tokens import PREFIX

MAX_BYTES = 1024
REMEMBERED_S = 300.0
_MOST_REMEMBERED = 1000
# Some 45 ms of CPU and 19 MiB. More memory would be better against guessing a stolen file, but each login that runs at
# the same time takes as much from the server.
_PASSES, _KIBIBYTES, _LANES = 3, 19456, 1
_AT_ONCE = 2


class Passwords:
    """Hash and compare."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, hasher: PasswordHasher | None = None) -> None:
        """Remember nothing yet. *clock* tells seconds, from anywhere; *hasher* has the costs of new hashes."""
        self._hasher = hasher or PasswordHasher(time_cost=_PASSES, memory_cost=_KIBIBYTES, parallelism=_LANES)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        # compared with when the user is unknown, so that the answer takes as long
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())
        self._right = RememberedPasswords(clock)

    def hash(self, password: str) -> str:
        """Return what may be stored of *password*."""
        with self._slots:
            return self._hasher.hash(_normal(password))

    def is_remembered(self, user: str, password: str, stored: str | None) -> bool:
        """Whether *password* was found right for just this *stored* hash a short while ago."""
        return stored is not None and self._right.has(user, password, stored)

    def is_right(self, user: str, password: str, stored: str | None) -> bool:
        """Whether *password* belongs to the *stored* hash; None is an unknown user, which costs the same."""
        if len(password.encode("utf-8", "replace")) > MAX_BYTES:
            return False
        with self._slots:
            # several requests of a new client come at once: the first one pays for all
            if self.is_remembered(user, password, stored):
                return True
            is_right = self._matches(stored or self._nobodys, password)
        if stored is None or not is_right:
            return False
        self._right.add(user, password, stored)
        return True

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than new ones are."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _normal(password))
        except (VerificationError, InvalidHashError):
            return False


class RememberedPasswords:
    """Passwords that were right, known by a keyed hash alone; forgotten after a while or when the stored hash changes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Make a key of its own, which leaves the process never."""
        self._key = secrets.token_bytes(32)
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, user: str, password: str, stored: str) -> bool:
        """Whether it was added with the same stored hash, and not too long ago."""
        digest = self._digest(user, password)
        with self._lock:
            found = self._known.get(digest)
            if found is None:
                return False
            if found[0] != stored or found[1] < self._clock():
                del self._known[digest]
                return False
            return True

    def add(self, user: str, password: str, stored: str) -> None:
        """Remember; the oldest go when there are too many."""
        with self._lock:
            self._known[self._digest(user, password)] = (stored, self._clock() + REMEMBERED_S)
            while len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)

    def _digest(self, user: str, password: str) -> bytes:
        # the length first, so that no two pairs run into one text
        text = f"{len(user)}:{user}{password}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256")


def checked_password(password: str, user: str, min_length: int) -> str:
    """Return *password* when it may be used by *user*. Raises InvalidParameterError: too short, too long, the name."""
    if len(password) < min_length:
        raise InvalidParameterError(
            f"the password has {len(password)} characters, expected {min_length} or more; a sentence does well"
        )
    if len(password.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidParameterError(f"the password has more than {MAX_BYTES} bytes")
    if password.casefold().strip() == user.casefold():
        raise InvalidParameterError("the password is the user's name: choose another one")
    if password.startswith(PREFIX):
        raise InvalidParameterError(f"the password begins with {PREFIX!r} as API tokens do: choose another one")
    if len(set(password)) < 4:
        raise InvalidParameterError("the password repeats fewer than 4 different characters: choose another one")
    return password


def _normal(password: str) -> bytes:
    # keyboards and systems compose characters differently (RFC 8265)
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
