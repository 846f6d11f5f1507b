"""What `mlcore doctor` says of the journals of a store that is a directory: whether all of them are sound."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from mlcore.errors import CorruptStoreError, UnsupportedError
from mlcore.journal import SUFFIX, JournalReader

_WITHIN_S = 10.0
_YOUNG_S = 10.0  # somebody may be writing the end of such a journal
_SHOWN = 3


def examine(root: Path, *, within_s: float = _WITHIN_S) -> tuple[str, str] | None:
    """Return status and detail for the journals below *root*; None when there are none. Reads for *within_s* at most."""
    deadline = time.monotonic() + within_s
    looked, faults, damaged, is_whole = 0, list[str](), 0, True
    for path in _journals(root):
        if time.monotonic() > deadline:
            is_whole = False
            break
        found = _faults(path)
        looked += 1
        damaged += bool(found)
        faults += found
    if not looked:
        return None
    seen = f"{looked} journals" if is_whole else f"{looked} journals, those that were read in {within_s:g} s,"
    if not faults:
        return "ok", f"{seen} are sound"
    shown = "; ".join(faults[:_SHOWN]) + ("; ..." if len(faults) > _SHOWN else "")
    return (
        "warning",
        f"{damaged} of {seen} are damaged: {shown}. Everything else in them is read. To do: copy them from a backup",
    )


def _journals(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name != "artifacts" and not name.startswith(".")]
        yield from (Path(folder, name) for name in names if name.endswith(SUFFIX))


def _damage(path: Path) -> Iterator[str]:
    """Yield what is damaged, a piece of the journal in memory at a time."""
    reader, since, is_last = JournalReader.open(path), 0, False
    while not is_last:
        chunk = reader.read(since)
        yield from map(str, chunk.faults)
        is_last = chunk.is_last or chunk.end == since
        since = chunk.end


def _faults(path: Path) -> list[str]:
    try:
        if time.time() - path.stat().st_mtime < _YOUNG_S:
            return []
        return list(_damage(path))
    except (CorruptStoreError, UnsupportedError) as err:
        return [err.message]
    except OSError as err:
        return [f"{str(path)!r} cannot be read: {err.strerror}"]
