"""One zip file that several threads and processes read and change: read whole, changed whole, replaced at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

from mlcore.errors import CorruptStoreError, InvalidParameterError, StoreUnavailableError


class ZipPlace:
    """The members of a zip file by name.

    A change is made in memory under a lock and then put in the file's place, so readers see all of it or nothing,
    whatever kills the writer.
    """

    def __init__(self, path: Path) -> None:
        """Know the *path*; the file is made by the first change."""
        self.path = path
        self._thread = threading.RLock()
        self._known: tuple[tuple[int, int, int], dict[str, bytes]] | None = None

    def read(self) -> dict[str, bytes]:
        """Return all members; not to be changed."""
        with self._thread:
            try:
                found = self.path.stat()
            except FileNotFoundError:
                return {}
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if self._known is None or self._known[0] != stamp:
                self._known = (stamp, self._load())
            return self._known[1]

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, bytes]]:
        """Give the members to change; they are kept when the block ends well."""
        with self._thread, self._lock():
            members = dict(self.read())
            yield members
            if members != self.read():
                self._replace(members)

    def _load(self) -> dict[str, bytes]:
        try:
            with zipfile.ZipFile(self.path) as file:
                return {name: file.read(name) for name in file.namelist()}
        except zipfile.BadZipFile as err:
            raise CorruptStoreError(f"{str(self.path)!r} is no zip file: {err}") from err

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as err:
            raise StoreUnavailableError(f"cannot write beside {str(self.path)!r}: {err.strerror}") from err
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _replace(self, members: dict[str, bytes]) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}-", dir=self.path.parent)
        try:
            with os.fdopen(handle, "wb") as raw:
                with zipfile.ZipFile(raw, "w") as file:
                    for member, content in members.items():
                        file.writestr(zipfile.ZipInfo(member), content)
                raw.flush()
                os.fsync(raw.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


_places: dict[Path, ZipPlace] = {}
_guard = threading.Lock()


def place_of(uri: str) -> tuple[ZipPlace, str]:
    """Return the zip file of a URI, one object per file and process, and the folder inside.

    `zip:///data/lab.zip/runs/1` is the folder `runs/1` in `/data/lab.zip`.
    """
    path, dot, inside = uri.partition(":")[2].removeprefix("//").partition(".zip")
    if not dot or (inside and not inside.startswith("/")) or not path.startswith("/"):
        raise InvalidParameterError(
            f"invalid URI {uri!r}: expected zip:///path/to/lab.zip, with a folder inside or not"
        )
    file = Path(path + dot)
    with _guard:
        return _places.setdefault(file, ZipPlace(file)), inside.strip("/")
