"""How much the spool may take of the disk."""

from __future__ import annotations

import errno
import logging
import os
import time
from pathlib import Path

logger: logging.Logger = logging.getLogger(__name__)

_LOOK_S = 5.0
_WARN_S = 60.0


class Budget:
    """Watch the size of a spool; all that any process keeps in it counts."""

    def __init__(self, root: Path, limit_bytes: int) -> None:
        """Allow *limit_bytes* below *root*."""
        self._root = root
        self._limit = limit_bytes
        self._looked = float("-inf")
        self._used = 0
        self._warned = float("-inf")

    def check(self, more_bytes: int = 0) -> None:
        """Raise OSError when *more_bytes* are too many."""
        now = time.monotonic()
        if now - self._looked > _LOOK_S:
            self._looked, self._used = now, used_bytes(self._root)
        if self._used + more_bytes > self._limit:
            if now - self._looked > 0.2:  # something may have been delivered
                self._looked, self._used = now, used_bytes(self._root)
            if self._used + more_bytes > self._limit:
                raise OSError(
                    errno.EDQUOT,
                    f"the spool would hold more than {self._limit // 2**20} MB (MLCORE_SPOOL_LIMIT_MB)",
                    str(self._root),
                )
        self._used += more_bytes

    def warn(self, run_id: str, why: OSError) -> None:
        """Say that records are lost, at most once a minute."""
        now = time.monotonic()
        if now - self._warned > _WARN_S:
            self._warned = now
            logger.warning(
                "records of run %s are lost: the store does not take them now and %s: %s; make room there, or set "
                "MLCORE_SPOOL_DIR to a place that has some",
                run_id,
                self._root,
                why.strerror or why,
            )


def used_bytes(root: Path) -> int:
    """Return what the files below *root* take of the disk."""
    total = 0
    pending = [str(root)]
    while pending:
        try:
            found = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in found:
            try:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:
                continue
    return total
