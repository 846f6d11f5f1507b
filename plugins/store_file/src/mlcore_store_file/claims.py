"""Claims: of several who want one name or number at a moment, one gets it, on any file system, without a lock.

A claim is a file that only one can make. What counts is recorded in journals afterwards; a claim whose maker died before
it recorded anything is passed over, and the next file with a higher ending is tried.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from mlcore.errors import StoreUnavailableError
from mlcore_store_file.layout import make_folder, publish

_PATIENCE_S = 10.0
_LOOK_S = 0.003


@frozen
class Claim:
    """Who claims.

    token: names the operation that will be recorded. subject: the object in whose journal.
    """

    token: str
    subject: str
    host: str
    pid: int


VOID = Claim("", "", "", 0)


class Claims:
    """The claims in one folder."""

    def __init__(self, folder: Path) -> None:
        """Use *folder*, which is made when it is needed."""
        self._folder = folder

    @contextlib.contextmanager
    def taken(
        self, key: str, subject: str, check: Callable[[], None], is_recorded: Callable[[Claim], bool]
    ) -> Iterator[str]:
        """Claim *key* while the block records what it is claimed for, and yield the token to record with it.

        check: raises when the key is in use, as the journals say now. is_recorded: whether what another claim was made
        for is in the journals.
        """
        token = os.urandom(10).hex()
        mine = Claim(token, subject, _host(), os.getpid())
        path = self._claim(key, mine, check, is_recorded)
        try:
            yield token
        except BaseException:
            _give_up(path)
            raise

    def _claim(self, key: str, mine: Claim, check: Callable[[], None], is_recorded: Callable[[Claim], bool]) -> Path:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        content = json.dumps({"token": mine.token, "subject": mine.subject, "host": mine.host, "pid": mine.pid})
        while True:
            number = self._first_free(name)
            if number:
                _wait(self._folder / f"{name}.{number - 1}", is_recorded)
            check()
            last = self._folder / f"{name}.{number}"
            try:
                make_folder(self._folder)
                if publish(last, content.encode()):
                    return last
            except OSError as err:
                raise StoreUnavailableError(f"cannot record in {str(self._folder)!r}: {err}") from err

    def _first_free(self, name: str) -> int:
        """Return the number after the last claim's; there are no gaps."""
        low, high = 0, 1
        while (self._folder / f"{name}.{high - 1}").exists():
            low, high = high, high * 2
        while low < high - 1:
            middle = (low + high) // 2
            low, high = (middle, high) if (self._folder / f"{name}.{middle - 1}").exists() else (low, middle)
        return low


def _give_up(path: Path) -> None:
    """Tell those who wait that nothing will be recorded; the file stays, as numbers have no gaps."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    with contextlib.suppress(OSError):
        draft.write_bytes(json.dumps({"void": True}).encode())
        draft.replace(path)


def _wait(path: Path, is_recorded: Callable[[Claim], bool]) -> None:
    """Wait until what a claim was made for is recorded, or never will be."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        claim = _read(path)
        if claim is not None and (claim == VOID or is_recorded(claim) or _is_dead(claim)):
            return
        time.sleep(_LOOK_S)


def _read(path: Path) -> Claim | None:
    try:
        said = json.loads(path.read_bytes())
        if said.get("void"):
            return VOID
        return Claim(str(said["token"]), str(said["subject"]), str(said["host"]), int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_dead(claim: Claim) -> bool:
    if claim.host != _host():
        return False
    try:
        os.kill(claim.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _host() -> str:
    """Name the machine and, in a container, whose process numbers are meant."""
    try:
        return f"{os.uname().nodename} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return os.uname().nodename
