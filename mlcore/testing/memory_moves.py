"""The history of a registry in memory, and what moves there."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Sequence
from typing import TypeVar

from attrs import define, evolve, field

from mlcore.entities import (
    ModelVersion,
    Move,
    MoveKind,
    MoveNote,
    Page,
    RegisteredModel,
    RequestStatus,
    TransitionRequest,
)
from mlcore.errors import NotFoundError
from mlcore.testing.memory_paging import page_of
from mlcore.wire.moves import GONE, PRODUCTION, conflict, gap, in_production, no_history
from mlcore.wire.stages import ARCHIVED, NO_STAGE, canonical_stage

Registry = TypeVar("Registry", bound="MemoryMoves")


@define(eq=False)
class Line:
    """A registered model with what belongs to it.

    moved, moved_at: number and time of its last move.
    """

    model: RegisteredModel
    versions: dict[str, ModelVersion] = field(factory=dict)
    aliases: dict[str, str] = field(factory=dict)
    count: int = 0
    moved: int = 0
    moved_at: int = 0


class MemoryMoves:
    """Keep lines of models, and every move with the line that it belongs to; deleted lines stay there."""

    def __init__(self) -> None:
        """Start empty."""
        self.lines: dict[str, Line] = {}
        self.moves: list[tuple[Line, Move]] = []
        self.requests: dict[str, tuple[Line, TransitionRequest]] = {}
        self._lock = threading.RLock()
        self._note = MoveNote()

    def noting(self: Registry, note: MoveNote) -> Registry:
        """Return the same registry, with *note* at every move that comes by the methods of `RegistryStore`."""
        other = copy.copy(self)
        other._note = note
        return other

    def move_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool, note: MoveNote, expected: str | None
    ) -> ModelVersion:
        """Move a version to a stage. Raises ConflictError: it is in another stage than *expected*."""
        wanted = canonical_stage(stage, archive_existing=archive_existing)
        believed = None if expected is None else canonical_stage(expected)
        with self._lock:
            line, found = self._line(name), self._bare(name, version)
            if believed not in (None, found.current_stage):
                raise self._conflict(line, MoveKind.STAGE, version, str(believed), found.current_stage)
            others = [each for each in line.versions.values() if each.current_stage == wanted] * archive_existing
            for other in others:
                if other.version != version:
                    self._to_stage(line, other, ARCHIVED, note)
            self._to_stage(line, found, wanted, note)
            line.model = evolve(line.model, last_updated_timestamp=now_ms())
            return self._shown(line, line.versions[version])

    def move_alias(self, name: str, alias: str, version: str | None, *, note: MoveNote, expected: str | None) -> None:
        """Point an alias to a version; None removes it. Raises ConflictError: it points elsewhere than *expected*."""
        with self._lock:
            line = self._line(name)
            found = line.aliases.get(alias, "")
            if expected not in (None, found):
                raise self._conflict(line, MoveKind.ALIAS, alias, str(expected), found)
            self._to_version(line, alias, "" if version is None else self._bare(name, version).version, note)

    def remove_version(self, name: str, version: str, *, note: MoveNote, force: bool) -> None:
        """Remove a version and its aliases. Raises InvalidStateError: it is in Production, and nobody forces it."""
        with self._lock:
            line, found = self._line(name), self._bare(name, version)
            if found.current_stage == PRODUCTION and not force:
                raise in_production(name, version)
            for alias in sorted(alias for alias, number in line.aliases.items() if number == version):
                self._to_version(line, alias, "", note)
            del line.versions[version]
            self._remember(line, MoveKind.VERSION, version, found.source, "", note)
            line.model = evolve(line.model, last_updated_timestamp=now_ms())
            self._cancel(line, version, note)

    def history(self, name: str, *, max_results: int, page_token: str | None) -> Page[Move]:
        """Return a page of the moves of a model, the last one first. Raises NotFoundError: there never was such one."""
        with self._lock:
            lines = self._lines_named(name)
            found = [move for line, move in self.moves if line in lines]
            return page_of(sorted(found, key=lambda move: move.at)[::-1], max_results, page_token)

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none."""
        with self._lock:
            for line in self._lines_named(name):
                told = [move for owner, move in self.moves if owner is line and move.at <= at]
                if told:
                    moved = [move.after for move in told if (move.kind, move.subject) == (MoveKind.ALIAS, alias)]
                    return moved[-1] or None if moved else None
        return None

    def adopt_history(self, name: str, moves: Sequence[Move]) -> int:
        """Keep what happened elsewhere to a model of that name; return how many moves were new."""
        with self._lock:
            kept, new = list(self.moves), 0
            previous: Move | None = None
            for move in moves:
                if not any(line.model.name == name and known == move for line, known in self.moves):
                    if move.number != (previous.number + 1 if previous else 1):
                        self.moves = kept
                        raise gap(name, move)
                    self.moves.append((self._ended_line(name, previous), move))
                    new += 1
                previous = move
            return new

    def _ended_line(self, name: str, last: Move | None) -> Line:
        """Return the line of a model that is not here and whose history ends with *last*; make it when need be."""
        if last is not None:
            known = {line: move for line, move in self.moves if line.model.name == name}
            ended = [line for line, move in known.items() if move == last and self.lines.get(name) is not line]
            if ended:
                return ended[0]
        made = Line(RegisteredModel(name, 0, 0))
        if last is not None:  # another one that began alike went on otherwise
            like = next(line for line, move in self.moves if line.model.name == name and move == last)
            self.moves += [(made, move) for line, move in self.moves if line is like and move.number <= last.number]
        return made

    def _remember(self, line: Line, kind: MoveKind, subject: str, before: str, after: str, note: MoveNote) -> None:
        line.moved += 1
        line.moved_at = max(line.moved_at, now_ms())
        name, at = line.model.name, line.moved_at
        self.moves.append((line, Move(line.moved, name, kind, subject, before, after, at, note.user, note.comment)))

    def _came(self, line: Line, version: ModelVersion, note: MoveNote) -> None:
        self._remember(line, MoveKind.VERSION, version.version, "", version.source, note)
        if version.current_stage != NO_STAGE:
            self._remember(line, MoveKind.STAGE, version.version, NO_STAGE, version.current_stage, note)

    def _to_stage(self, line: Line, version: ModelVersion, stage: str, note: MoveNote) -> None:
        changed = evolve(version, current_stage=stage, last_updated_timestamp=now_ms())
        line.versions[version.version] = changed
        if stage != version.current_stage:
            self._remember(line, MoveKind.STAGE, version.version, version.current_stage, stage, note)

    def _to_version(self, line: Line, alias: str, version: str, note: MoveNote) -> None:
        before = line.aliases.pop(alias, "")
        if version:
            line.aliases[alias] = version
        if before != version:
            self._remember(line, MoveKind.ALIAS, alias, before, version, note)

    def _cancel(self, line: Line, version: str | None, note: MoveNote) -> None:
        """End the requests that wait for a version, or for any, that is deleted."""
        for key, (owner, asked) in self.requests.items():
            if owner is line and asked.status is RequestStatus.PENDING and version in (None, asked.version):
                self.requests[key] = (line, cancelled(asked, note))

    def _conflict(self, line: Line, kind: MoveKind, subject: str, expected: str, found: str) -> Exception:
        mine = (move for owner, move in reversed(self.moves) if owner is line)
        last = next((move for move in mine if (move.kind, move.subject) == (kind, subject)), None)
        return conflict(line.model.name, kind, subject, expected=expected, found=found, last=last)

    def _lines_named(self, name: str) -> list[Line]:
        """Return the lines that have, or had at last, a name: the living one first."""
        found = self._every_line(name)
        if not found:
            renamed = (line for line, move in reversed(self.moves) if move.name == name)
            raise no_history(name, next((line.model.name for line in renamed), None))
        return sorted(found, key=lambda line: self.lines.get(name) is not line)

    def _every_line(self, name: str) -> list[Line]:
        every = dict.fromkeys(line for line, _ in reversed(self.moves))
        return [line for line in every if line.model.name == name]

    def _line(self, name: str) -> Line:
        if name not in self.lines:
            raise NotFoundError(f"no registered model {name!r}: create it first")
        return self.lines[name]

    def _bare(self, name: str, version: str) -> ModelVersion:
        line = self._line(name)
        if version not in line.versions:
            raise NotFoundError(f"no version {version!r} of model {name!r} (known: {', '.join(line.versions)})")
        return line.versions[version]

    def _shown(self, line: Line, version: ModelVersion) -> ModelVersion:
        aliases = tuple(sorted(alias for alias, number in line.aliases.items() if number == version.version))
        return evolve(version, aliases=aliases)


def cancelled(request: TransitionRequest, note: MoveNote) -> TransitionRequest:
    """Return a request after its version was deleted."""
    return evolve(
        request,
        status=RequestStatus.CANCELLED,
        decided=now_ms(),
        decided_by=note.user,
        decision=GONE,
    )


def now_ms() -> int:
    """Return the time, ms since the epoch."""
    return time.time_ns() // 1_000_000
