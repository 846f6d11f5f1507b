"""Where an SQLite database is: URIs, paths, and what stands there before SQLite looks at it."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from mlcore.errors import CorruptStoreError, InvalidParameterError, StoreUnavailableError

_HEADER = b"SQLite format 3\x00"
# Files that this process has looked at. SQLite's locks are the process's: when any other handle of a file is closed, the
# system drops them all, and the next program that closes the database removes the write-ahead log under our feet.
_SEEN: set[tuple[int, int]] = set()
_FORMS = "expected sqlite:///relative.db, sqlite:////absolute.db, or sqlite:// for a database in memory"


@frozen
class SqliteFile:
    """The place of a database.

    path: absolute; None for a database in memory.
    """

    path: Path | None

    @classmethod
    def from_uri(cls, uri: str) -> SqliteFile:
        """Read an SQLite URI in SQLAlchemy's form; a relative path is below the present working directory.

        The path is taken as written: nothing is percent-decoded.
        Raises InvalidParameterError: not such a URI.
        """
        head, colon, rest = uri.partition("://")
        if not colon or head.lower() not in ("sqlite", "sqlite+pysqlite"):
            raise InvalidParameterError(f"invalid SQLite URI {uri!r}: {_FORMS}")
        if rest in ("", "/", "/:memory:"):
            return cls(None)
        if not rest.startswith("/"):
            raise InvalidParameterError(f"invalid SQLite URI {uri!r}: a host makes no sense, {_FORMS}")
        if "?" in rest:
            raise InvalidParameterError(f"invalid SQLite URI {uri!r}: options after '?' are not supported, {_FORMS}")
        return cls(Path(os.path.abspath(rest[1:])))  # noqa: PTH100 - Path.absolute() keeps '..'

    @property
    def artifacts(self) -> Path:
        """The directory of artifacts beside the database; in the working directory for one in memory."""
        return (self.path.parent if self.path else Path.cwd()) / "mlartifacts"

    def identity(self) -> tuple[int, int] | None:
        """Return the file's device and number; None when it is not there, zeros for one in memory."""
        if self.path is None:
            return (0, 0)
        try:
            found = os.stat(self.path)  # noqa: PTH116 - half the time of Path.stat(), on every call of the store
        except OSError:
            return None
        return (found.st_dev, found.st_ino)

    def make(self) -> None:
        """Create the file, empty, and its directory, for this user alone; check what is there already.

        Raises StoreUnavailableError: a directory is in the way, or it may not be created.
        CorruptStoreError: a file that is not an SQLite database, or the rest of one that was removed.
        """
        if self.path is None or self.identity() in _SEEN:
            return
        log = self.path.with_name(self.path.name + "-wal")
        # os.path: False, not an error, where this user may not even look; what comes next says so
        if os.path.exists(log) and not os.path.exists(self.path):  # noqa: PTH110 - Path.exists() raises there
            # SQLite would play it back into the new database.
            raise CorruptStoreError(
                f"the write-ahead log {str(log)!r} is left of a database that was removed. Put {self.path.name!r} back "
                "to read both, or remove the log to begin anew"
            )
        try:
            _make_private(self.path.parent)
            # SQLite gives the write-ahead log the mode of the database.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600))
            with self.path.open("rb") as file:
                start = file.read(len(_HEADER))
        except IsADirectoryError as error:
            raise StoreUnavailableError(
                f"the SQLite database {str(self.path)!r} is a directory; name a file in it, such as "
                f"sqlite:///{self.path / 'mlcore.db'}"
            ) from error
        except OSError as error:
            raise StoreUnavailableError(
                f"the SQLite database {str(self.path)!r} cannot be opened: {error.strerror}. It and its directory must "
                "be writable by this user; another place is set by the tracking URI"
            ) from error
        if start and start != _HEADER:
            raise CorruptStoreError(
                f"the file {str(self.path)!r} is not an SQLite database: it begins with {start!r}. It was left as it "
                "is: restore it from a backup, or name another file in the tracking URI"
            )
        found = self.identity()
        if found is not None:
            _SEEN.add(found)


def _make_private(directory: Path) -> None:
    """Make a directory and those above it that are missing, for this user alone; `parents=True` asks the umask."""
    missing = []
    while not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
