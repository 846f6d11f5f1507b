"""Journals whose process is gone before they were delivered."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlcore.delivery.locks import hold, lives, take
from mlcore.delivery.outgoing import Outgoing
from mlcore.delivery.spool import RunFolder, Spool
from mlcore.errors import CorruptStoreError, UnsupportedError
from mlcore.journal import SUFFIX, JournalReader
from mlcore.journal.format import MAGIC

logger: logging.Logger = logging.getLogger(__name__)

_YOUNG_S = 10.0  # more than lies between the making of a journal and its lock
_FOREIGN_S = 3600.0


def claim(
    spool: Spool, is_mine: Callable[[Path], bool], *, living: bool = False, only: RunFolder | None = None
) -> Iterator[tuple[RunFolder, Outgoing]]:
    """Yield the journals of *spool* that nobody delivers, each locked for this process.

    is_mine: tells which journals this process writes itself. living: take those too whose writer goes on, which is
    right when that writer does not deliver, as without a connection. only: of this run.
    """
    for folder in spool.runs() if only is None else (only,):
        for path in folder.journals():
            if is_mine(path):
                continue
            with contextlib.suppress(OSError):  # it is gone, somebody else's, or there is no room for its lock
                outgoing = _claimed(folder, path, living)
                if outgoing is not None:
                    yield folder, outgoing


def _claimed(folder: RunFolder, path: Path, living: bool) -> Outgoing | None:
    left = is_left(path)
    if not left and not living:
        return None
    lock = take(path.with_suffix(".lock"))
    if lock is None:
        return None
    if not path.exists():  # somebody else was faster
        path.with_suffix(".lock").unlink(missing_ok=True)
        lock.release()
        return None
    try:
        outgoing = Outgoing(folder, JournalReader.open(path), None)
    except (CorruptStoreError, UnsupportedError) as err:
        _set_aside(folder, path, err)
        lock.release()
        return None
    outgoing.lock = lock
    outgoing.is_living = not left
    return outgoing


def is_left(path: Path) -> bool:
    """Return whether nobody writes a journal any more.

    Its lock tells; that of another machine may not be seen here, so that a journal from there has to rest for an hour.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        free = hold(fd)
        if free is False:
            return False
        rested_s = time.time() - os.fstat(fd).st_mtime
    finally:
        os.close(fd)
    try:
        origin = JournalReader.open(path).header.origin
    except (CorruptStoreError, UnsupportedError):
        return rested_s > _YOUNG_S
    if origin.host != os.uname().nodename:
        return rested_s > _FOREIGN_S
    return not lives(origin.pid) or (free is True and rested_s > _YOUNG_S)


def _set_aside(folder: RunFolder, path: Path, err: Exception) -> None:
    """Keep a journal that cannot be read out of the way; one in which nothing stands is removed."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start.strip(b"\0") or path.stat().st_size < len(MAGIC):
        folder.forget(path.name.removesuffix(SUFFIX))
        return
    if isinstance(err, CorruptStoreError):
        logger.warning("%s; it is kept as %s.damaged", err, path)
        path.rename(path.with_name(path.name + ".damaged"))
