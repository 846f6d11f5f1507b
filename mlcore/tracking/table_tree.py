"""The order of a table in which runs stand below their parents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import frozen


@frozen
class Place:
    """A row: the run's number in the order asked, its depth, and how many children it has."""

    run: int
    depth: int
    children: int


def arranged(
    run_ids: Sequence[str], parents: Sequence[str | None], collapsed: Collection[str] = ()
) -> tuple[Place, ...]:
    """Return the rows of a tree of runs from top to bottom.

    run_ids: in the order asked, which roots keep, and the children of one parent among themselves.
    parents: the parent of each; one that is not among *run_ids* makes a root. Of runs that are each other's parents
    the first one is a root.
    collapsed: runs whose children, and theirs, are left out.
    """
    above = _parents_among(run_ids, parents)
    children: list[list[int]] = [[] for _ in run_ids]
    for number, parent in enumerate(above):
        if parent is not None:
            children[parent].append(number)
    hidden = frozenset(collapsed)
    closed = [run_id in hidden for run_id in run_ids] if hidden else [False] * len(run_ids)
    return tuple(_walked([number for number, parent in enumerate(above) if parent is None], children, closed))


def _walked(roots: list[int], children: list[list[int]], closed: list[bool]) -> Iterator[Place]:
    waiting = [(number, 0) for number in reversed(roots)]
    while waiting:
        number, depth = waiting.pop()
        below = children[number]
        yield Place(number, depth, len(below))
        if below and not closed[number]:
            waiting += [(child, depth + 1) for child in reversed(below)]


def _parents_among(run_ids: Sequence[str], parents: Sequence[str | None]) -> list[int | None]:
    """Return the number of each run's parent; None for roots. Circles are cut at their first run."""
    numbers = {run_id: number for number, run_id in enumerate(run_ids)}
    above = [None if parent is None else numbers.get(parent) for parent in parents]
    seen = [0] * len(above)  # by which walk; 0 for none
    for start in range(len(above)):
        at: int | None = start
        while at is not None and seen[at] == 0:
            seen[at] = start + 1
            at = above[at]
        if at is not None and seen[at] == start + 1:  # this walk has come back to itself
            above[_first_of_circle(at, above)] = None
    return above


def _first_of_circle(start: int, above: list[int | None]) -> int:
    first, at = start, above[start]
    while at is not None and at != start:
        first, at = min(first, at), above[at]
    return first
