"""Read a history: what was the case at a time, and what an alias or a stage had before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from attrs import Factory, frozen

from mlcore.entities import Move, MoveKind
from mlcore.errors import NotFoundError


@frozen
class Standing:
    """What a registered model was at a time.

    aliases: to the version's number. stages: by the number of each version that there was.
    """

    aliases: dict[str, str] = Factory(dict)
    stages: dict[str, str] = Factory(dict)


def standing_at(moves: Sequence[Move], at: int) -> Standing:
    """Return what a model was at a time in ms since the epoch. moves: its history, the last one first."""
    found = Standing()
    for move in reversed(moves):
        if move.at > at:
            continue
        if move.kind is MoveKind.ALIAS:
            found.aliases.pop(move.subject, None)
            if move.after:
                found.aliases[move.subject] = move.after
        elif move.kind is MoveKind.STAGE:
            found.stages[move.subject] = move.after
        elif move.kind is MoveKind.VERSION:
            found.stages.pop(move.subject, None)
            if move.after:
                found.stages[move.subject] = "None"
    return found


def alias_before(moves: Sequence[Move], alias: str, *, now: str, versions: Collection[str]) -> str:
    """Return the version to which an alias goes back.

    moves: the model's history, the last one first. now: where it points, empty for nowhere. versions: those there are;
    one that was deleted is passed over.
    Raises NotFoundError: it never pointed to another one.
    """
    own = [move for move in reversed(moves) if (move.kind, move.subject) == (MoveKind.ALIAS, alias)]
    for version in reversed(_way([move.after for move in own])):
        if version in versions and version != now:
            return version
    raise NotFoundError(f"alias {alias!r} has pointed to no other version that is still there: nothing to go back to")


def stage_before(moves: Sequence[Move], stage: str, *, now: Collection[str], versions: Collection[str]) -> str | None:
    """Return the version that was in a stage before the one that came last; None when that is there still, beside it.

    now: the versions in the stage; versions: all that there are.
    Raises NotFoundError: there was no other one.
    """
    entered = [move.subject for move in reversed(moves) if (move.kind, move.after) == (MoveKind.STAGE, stage)]
    way = [version for version in _way(entered) if version in versions]
    if len(way) > 1 and way[-1] in now and way[-2] in now:
        return None
    for version in reversed(way):
        if version not in now:
            return version
    raise NotFoundError(f"no other version that is still there was in stage {stage!r}: nothing to go back to")


def last_entered(moves: Iterable[Move], stage: str, now: Collection[str]) -> Move | None:
    """Return the move by which the newest of the versions *now* in a stage came there. moves: the last one first."""
    return next(
        (m for m in moves if m.kind is MoveKind.STAGE and m.after == stage and m.subject in now),
        None,
    )


def _way(values: Iterable[str]) -> list[str]:
    """Return the steps that led to the last value; a step back to the one before takes the last one away.

    So a second rollback goes one further back, and not forth again.
    """
    way: list[str] = []
    for value in values:
        if len(way) > 1 and way[-2] == value:
            way.pop()
        elif not way or way[-1] != value:
            way.append(value)
    return way
