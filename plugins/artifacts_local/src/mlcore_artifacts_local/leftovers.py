"""Clean up after processes that died while they wrote."""

# ruff: noqa: PTH108, PTH118  # the paths come from scandir and walk as texts
from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress

from mlcore.artifacts.local_files import is_staging

STALE_S = 24 * 3600


def remove_stale(directory: str, now: float | None = None) -> None:
    """Remove unfinished files and trees in *directory* that nobody has written to for a day.

    now: seconds since the epoch. What cannot be looked at or removed stays.
    """
    limit = (time.time() if now is None else now) - STALE_S
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if is_staging(entry.name) and _newest(entry.path) < limit:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        os.unlink(entry.path)


def _newest(path: str) -> float:
    """Return when anything in a file or tree was last written: a long upload touches only its innermost directory."""
    newest = os.lstat(path).st_mtime
    for folder, _, names in os.walk(path):
        newest = max(newest, os.lstat(folder).st_mtime)
        for name in names:
            with suppress(OSError):
                newest = max(newest, os.lstat(os.path.join(folder, name)).st_mtime)
    return newest
