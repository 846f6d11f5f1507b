"""Histories of registered models: what the source remembers is kept beside what the target remembers itself."""

from __future__ import annotations

from functools import partial

from mlcore.entities import Move
from mlcore.errors import NotFoundError, UnsupportedError
from mlcore.interfaces import RegistryStore, SupportsHistoryAdoption, SupportsMoves
from mlcore.moving.sides import Job
from mlcore.wire.moves import ADOPTED

_PAGE = 1000


def copy_history(job: Job, target: RegistryStore, name: str) -> None:
    """Copy what is new of a model's history; comes before the model, whose history at the target begins with the copy."""
    lines = _lines(_history(job.source.registry, name))
    if isinstance(target, SupportsHistoryAdoption):
        known = set(_history(target, name))
        for line in lines:
            if not known.issuperset(line):
                job.write(partial(target.adopt_history, name, line))
    elif lines:
        job.tally.lack("histories of registered models", repr(name))


def _lines(moves: list[Move]) -> list[list[Move]]:
    """Divide what a name's history tells into the lines of its models; leave out those that tell of a copy alone."""
    lines: list[list[Move]] = []
    for move in moves:
        for line in reversed(lines):
            if line[-1].number == move.number - 1:
                line.append(move)
                break
        else:
            lines.append([move])
    return [line for line in lines if any(move.comment != ADOPTED for move in line)]


def _history(registry: RegistryStore | None, name: str) -> list[Move]:
    """Return all moves of a model, the first one first; none where no history is kept."""
    found: list[Move] = []
    token: str | None = None
    try:
        while isinstance(registry, SupportsMoves):
            page = registry.history(name, max_results=_PAGE, page_token=token)
            found += page.items
            token = page.next_token
            if token is None:
                break
    except (NotFoundError, UnsupportedError):
        return []
    return found[::-1]
