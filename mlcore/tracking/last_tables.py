"""Tables as this process wrote them last, so that rows are appended to them also when nobody can read them."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path

Key = tuple[str, str, str]


class Tables:
    """Copies of tables: by tracking URI, run and path."""

    def __init__(self) -> None:
        """Begin with none."""
        self._folder: Path | None = None
        self._kept: dict[Key, Path] = {}

    def fetch(self, key: Key, target: Path) -> bool:
        """Bring a table to *target*; return False when it was not written here."""
        if key not in self._kept:
            return False
        shutil.copyfile(self._kept[key], target)
        return True

    def keep(self, key: Key, written: Path) -> None:
        """Remember a table as it is written now."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="mlcore-tables-"))
            weakref.finalize(self, _remove, self._folder, os.getpid())
        kept = self._kept.setdefault(key, self._folder / f"{len(self._kept)}{written.suffix}")
        shutil.copyfile(written, kept)

    def close(self) -> None:
        """Forget all."""
        self._kept.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child ends, too
        shutil.rmtree(folder, ignore_errors=True)
