"""Moves that are noted and may expect something, and the history that they leave."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from mlcore.entities import ModelVersion, Move, MoveKind, MoveNote, Page
from mlcore.wire.moves import conflict, gap, no_history
from mlcore.wire.stages import canonical_stage
from mlcore_store_sql import paging
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.registry_log import move_of
from mlcore_store_sql.registry_moving import MovingPart


class HistoryPart(MovingPart):
    """The registry's methods of `SupportsMoves` and `SupportsNotes`."""

    def noting(self, note: MoveNote) -> HistoryPart:
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
        with self._db.write() as cursor:
            row = self._version_row(cursor, name, version)
            if believed not in (None, row[9]):
                last = self._history(cursor, row[1], name).last(MoveKind.STAGE, version)
                raise conflict(name, MoveKind.STAGE, version, expected=str(believed), found=row[9], last=last)
            self._to_stage(cursor, row, wanted, archive_existing, note)
            return self._version(cursor, self._version_row(cursor, name, version))

    def move_alias(self, name: str, alias: str, version: str | None, *, note: MoveNote, expected: str | None) -> None:
        """Point an alias to a version; None removes it. Raises ConflictError: it points elsewhere than *expected*."""
        with self._db.write() as cursor:
            model = self._model_row(cursor, name)[0]
            history = self._history(cursor, model, name)
            cursor.execute(self._texts.aliases_of_model, (model,))
            before = next((str(number) for found, number, _ in cursor.fetchall() if found == alias), "")
            if expected not in (None, before):
                last = history.last(MoveKind.ALIAS, alias)
                raise conflict(name, MoveKind.ALIAS, alias, expected=str(expected), found=before, last=last)
            row = None if version is None else self._version_row(cursor, name, version)
            after = "" if row is None else str(row[3])
            if row is None:
                cursor.execute(self._texts.delete_alias, (model, alias))
            else:
                cursor.execute(self._texts.set_alias, (model, alias, row[0]))
            if before != after:
                history.add(MoveKind.ALIAS, alias, before, after, note=note)

    def remove_version(self, name: str, version: str, *, note: MoveNote, force: bool) -> None:
        """Remove a version and its aliases. Raises InvalidStateError: it is in Production, and nobody forces it."""
        with self._db.write() as cursor:
            self._remove(cursor, self._version_row(cursor, name, version), note, force=force)

    def history(self, name: str, *, max_results: int, page_token: str | None) -> Page[Move]:
        """Return a page of the moves of a model, the last one first. Raises NotFoundError: there never was such one."""
        skip = paging.offset(page_token)
        with self._db.read() as cursor:
            lines = self._lines(cursor, name)
            if len(lines) == 1:  # by far the most, which are read in the order of an index
                cursor.execute(self._texts.moves_of_line, (lines[0][0], max_results + 1, skip))
            else:
                cursor.execute(self._texts.moves_of_name, (name, max_results + 1, skip))
            return paging.page([move_of(row) for row in cursor.fetchall()], skip, max_results)

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none."""
        with self._db.read() as cursor:
            for line, _, _ in self._lines(cursor, name):
                first = self._move(cursor, line, 1)
                if first is not None and first.at <= at:
                    cursor.execute(self._texts.move_of_subject_at, (line, MoveKind.ALIAS.value, alias, at))
                    row = cursor.fetchone()
                    return None if row is None else str(row[0]) or None
        return None

    def adopt_history(self, name: str, moves: Sequence[Move]) -> int:
        """Keep what happened elsewhere to a model of that name; return how many moves were new."""
        new, previous = 0, None
        with self._db.write() as cursor:
            for move in moves:
                if self._line_with(cursor, name, move) is None:
                    if move.number != (previous.number + 1 if previous else 1):
                        raise gap(name, move)
                    self._write_told(cursor, self._ended_line(cursor, name, previous), move)
                    new += 1
                previous = move
        return new

    def _line_with(self, cursor: Cursor, name: str, move: Move) -> int | None:
        """Return a line of a name that holds a move."""
        cursor.execute(self._texts.lines_of_name, (name,))
        lines = [line for line, _, _ in cursor.fetchall()]
        return next((line for line in lines if self._move(cursor, line, move.number) == move), None)

    def _ended_line(self, cursor: Cursor, name: str, last: Move | None) -> int:
        """Return the line of a model that is not here and whose history ends with *last*; make it when need be."""
        cursor.execute(self._texts.lines_of_name, (name,))
        for line, moved, model in cursor.fetchall():
            if model is None and last is not None and moved == last.number and self._move(cursor, line, moved) == last:
                return int(line)
        cursor.execute(self._texts.ended_line, (name,))
        cursor.execute(self._texts.lines_of_name, (name,))
        made = next(int(line) for line, moved, _ in cursor.fetchall() if moved == 0)
        like = None if last is None else self._line_with(cursor, name, last)
        if like is not None and last is not None:  # another one that began alike went on otherwise
            for number in range(1, last.number + 1):
                move = self._move(cursor, like, number)
                if move is not None:
                    self._write_told(cursor, made, move)
        return made

    def _write_told(self, cursor: Cursor, line: int, move: Move) -> None:
        what = (line, move.number, move.name, move.kind.value, move.subject, move.before, move.after, move.at)
        cursor.execute(self._texts.insert_move, (*what, move.user, move.comment))
        cursor.execute(self._texts.move_line, (move.number, move.at, line))

    def _move(self, cursor: Cursor, line: int, number: int) -> Move | None:
        cursor.execute(self._texts.move, (line, number))
        row = cursor.fetchone()
        return None if row is None else move_of(row)

    def _lines(self, cursor: Cursor, name: str) -> list[Row]:
        """Return the lines that have, or had at last, a name, with last number and model: the living one first."""
        cursor.execute(self._texts.lines_of_name, (name,))
        found = cursor.fetchall()
        if not found:
            cursor.execute(self._texts.name_now, (name,))
            row = cursor.fetchone()
            raise no_history(name, None if row is None else row[0])
        return found
