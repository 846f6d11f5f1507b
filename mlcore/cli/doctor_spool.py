"""What `mlcore doctor` says of the spool: what waits for which store, what was refused or damaged, whether there is room."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mlcore.cli import values
from mlcore.delivery import spool_root, spools
from mlcore.delivery.budget import used_bytes
from mlcore.delivery.sync import Waiting, waiting
from mlcore.settings import Settings

_NEARLY_FULL = 0.9


def examine(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield subject, status and detail of each finding; reads only, asks no store."""
    root = spool_root(settings.spool_dir)
    yield str(root), *_place(root, settings)
    for spool in spools(root):
        found = tuple(waiting(spool))
        if found:
            yield spool.uri, *_store(found)


def _place(root: Path, settings: Settings) -> tuple[str, str]:
    if settings.strict:
        return "ok", "not used: each call waits for the store (strict)"
    nearest = root
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return "failed", f"{nearest} cannot be written: set MLCORE_SPOOL_DIR to a place that can, or records get lost"
    used, limit = used_bytes(root), settings.spool_limit_mb * 2**20
    told = f"{values.size(used)} of at most {values.size(limit)} used"
    if used > limit * _NEARLY_FULL:
        return "warning", f"{told}: deliver what waits (mlcore sync), or raise MLCORE_SPOOL_LIMIT_MB"
    return "ok", told


def _store(found: tuple[Waiting, ...]) -> tuple[str, str]:
    said, is_sound = [], True
    left = [w for w in found if not w.is_live and (w.journal_bytes or w.artifact_bytes)]
    if left:
        amount = values.size(sum(w.journal_bytes + w.artifact_bytes for w in left))
        said.append(f"{_count(len(left), 'run')} with {amount} not delivered. To do: mlcore sync")
        is_sound = False
    written = sum(w.is_live for w in found)
    if written:
        said.append(f"{_count(written, 'run')} being recorded")
    for number, what in (
        (sum(w.refused for w in found), "refused record"),
        (sum(w.damaged for w in found), "damaged journal"),
    ):
        if number:
            said.append(f"{_count(number, what)}. To do: look at mlcore sync --status")
            is_sound = False
    return ("ok" if is_sound else "warning"), "; ".join(said) or "nothing waits"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
