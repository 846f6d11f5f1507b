"""Tickets: a URL that opens a part of somebody's artifacts, for a while, without credentials.

What a page in a sandbox loads comes from nowhere, as browsers see it, and brings no credentials; so what is allowed
has to stand in the path. A ticket says what it opens, for whom, and until when, and is signed by a key that only
servers with the same state directory have.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from attrs import asdict, frozen

from mlcore.errors import InvalidParameterError, PermissionDeniedError, StoreUnavailableError

KEY_FILE = "tickets.key"
LIFETIME_S = 3600
_KEY_BYTES = 32
_MOST_CHARACTERS = 8000
# in front of what is signed, so that the key can't be made to sign something else
_PURPOSE = b"mlcore raw ticket 1\n"


class BadTicketError(PermissionDeniedError):
    """A ticket was not made here, was changed, or is too old."""


@frozen(kw_only=True)
class Pass:
    """What a ticket opens, for whom, until when.

    One of run_id, model_id, and name with version says whose files; prefix: the path that the ticket is for.
    user, token_id: who asked for it; empty without an authority.
    expires_ms: ms since the epoch, UTC.
    """

    run_id: str = ""
    model_id: str = ""
    name: str = ""
    version: str = ""
    prefix: str = ""
    user: str = ""
    token_id: str = ""
    expires_ms: int = 0


class Tickets:
    """Makes and reads tickets."""

    def __init__(self, state_dir: str, clock: Callable[[], float] = time.time) -> None:
        """Keep the key in *state_dir*; *clock* tells seconds since the epoch."""
        self._directory = Path(state_dir)
        self._clock = clock

    def expiry_ms(self) -> int:
        """Return until when a ticket holds that is made now."""
        return int((self._clock() + LIFETIME_S) * 1000)

    def make(self, opens: Pass) -> str:
        """Return the ticket for *opens*. Raises InvalidParameterError: its texts are too long for a URL."""
        told = json.dumps(list(asdict(opens).values()), separators=(",", ":"))
        payload = _encoded(told.encode())
        if len(payload) > _MOST_CHARACTERS:
            raise InvalidParameterError(
                f"path {opens.prefix[:80]!r}... is too long for a ticket: ask for one of a parent"
            )
        return f"{payload}.{self._signature(payload)}"

    def read(self, ticket: str) -> Pass:
        """Return what *ticket* opens. Raises BadTicketError."""
        payload, _, signature = ticket.partition(".")
        expected = self._signature(payload)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise BadTicketError("this link is not one of this server")
        values = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        opens = Pass(**dict(zip(asdict(Pass()), values, strict=True)))
        if self._clock() * 1000 >= opens.expires_ms:
            raise BadTicketError("this link has expired: open the file again from its page")
        return opens

    def _signature(self, payload: str) -> str:
        signed = _PURPOSE + payload.encode("utf-8", "replace")
        return _encoded(hmac.new(self._key, signed, hashlib.sha256).digest())

    @cached_property
    def _key(self) -> bytes:
        path = self._directory / KEY_FILE
        try:
            return _read_key(path)
        except FileNotFoundError:
            _make_key(path)
            return _read_key(path)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _read_key(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        key = file.read(_KEY_BYTES + 1)
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise StoreUnavailableError(f"others may read {str(path)!r}, with which anybody can make tickets: chmod 600")
    if len(key) != _KEY_BYTES:
        raise StoreUnavailableError(f"{str(path)!r} is not a key of {_KEY_BYTES} bytes: remove it, then try again")
    return key


def _make_key(path: Path) -> None:
    """Put a new key at *path* if there is none: whoever is first wins, and nobody sees a half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{KEY_FILE}-")  # 0600
    except OSError as err:
        raise StoreUnavailableError(
            f"cannot write a key for tickets into {str(path.parent)!r}: {err.strerror}"
        ) from err
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        return  # another worker was faster
    except OSError as err:
        raise StoreUnavailableError(
            f"cannot write a key for tickets into {str(path.parent)!r}: {err.strerror}"
        ) from err
    finally:
        Path(unfinished).unlink()
