"""Moves that are noted and may expect something, and the history that they leave."""

from __future__ import annotations

import copy

from mlcore.entities import ModelVersion, Move, MoveKind, MoveNote, Page
from mlcore.wire.moves import conflict, no_history
from mlcore.wire.stages import canonical_stage
from mlcore_store_sql import paging
from mlcore_store_sql.dialects import Cursor
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
                cursor.execute(self._texts.moves_of_line, (lines[0], max_results + 1, skip))
            else:
                cursor.execute(self._texts.moves_of_name, (name, max_results + 1, skip))
            return paging.page([move_of(row) for row in cursor.fetchall()], skip, max_results)

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none."""
        with self._db.read() as cursor:
            for line in self._lines(cursor, name):
                cursor.execute(self._texts.move_of_subject_at, (line, MoveKind.ALIAS.value, alias, at))
                row = cursor.fetchone()
                if row is not None:
                    return str(row[0]) or None
        return None

    def _lines(self, cursor: Cursor, name: str) -> list[int]:
        """Return the lines that have, or had at last, a name: the living one first."""
        cursor.execute(self._texts.lines_of_name, (name,))
        found = [number for (number,) in cursor.fetchall()]
        if not found:
            cursor.execute(self._texts.name_now, (name,))
            row = cursor.fetchone()
            raise no_history(name, None if row is None else row[0])
        return found
