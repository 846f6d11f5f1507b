"""Where projects keep what is made once and used again: environments, checkouts, downloads."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from mlcore.settings import Settings


def cache_directory(settings: Settings | None = None) -> Path:
    """Return the directory of everything that can be made again: the setting `cache_dir`, or the user's own.

    It need not exist yet. Below it each owner has a directory: `environments/MANAGER`, `git`, `downloads`.
    """
    chosen = (settings or Settings.load()).cache_dir
    return Path(chosen).expanduser().absolute() if chosen else _of_user() / "mlcore"


def size_below(folder: Path) -> int:
    """Return the bytes of all files below *folder*; those that are gone meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  # a path object each costs more
    return total


def _of_user() -> Path:
    if sys.platform == "win32":  # pragma: no cover
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":  # pragma: no cover
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
