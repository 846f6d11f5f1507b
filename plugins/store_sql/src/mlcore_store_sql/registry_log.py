"""The lines of a model's history, as they are written in the transaction of what moves."""

from __future__ import annotations

from mlcore.entities import Move, MoveKind, MoveNote
from mlcore.errors import CorruptStoreError
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import now_ms
from mlcore_store_sql.texts import Texts


class History:
    """The history of one registered model, for the duration of a transaction."""

    def __init__(self, cursor: Cursor, texts: Texts, model: int, name: str) -> None:
        """Find the line of the model with the number *model*."""
        self._cursor = cursor
        self._texts = texts
        self._name = name
        cursor.execute(texts.line_of_model, (model,))
        row = cursor.fetchone()
        if row is None:
            raise CorruptStoreError(f"the history of registered model {name!r} is gone: restore it from a backup")
        self.line: int = row[0]
        self._moved: int = row[1]
        self._moved_at: int = row[2]

    def add(
        self, kind: MoveKind, subject: str, before: str, after: str, *, note: MoveNote, at: int | None = None
    ) -> None:
        """Write a line. at: ms since the epoch, now unless given; never before that of the line before."""
        self._moved += 1
        self._moved_at = max(self._moved_at, now_ms() if at is None else at)
        what = (self.line, self._moved, self._name, kind.value, subject, before, after)
        self._cursor.execute(self._texts.insert_move, (*what, self._moved_at, note.user, note.comment))
        self._cursor.execute(self._texts.move_line, (self._moved, self._moved_at, self.line))

    def last(self, kind: MoveKind, subject: str) -> Move | None:
        """Return the last move of a version or alias."""
        self._cursor.execute(self._texts.last_move_of_subject, (self.line, kind.value, subject))
        row = self._cursor.fetchone()
        return None if row is None else move_of(row)


def begin(cursor: Cursor, texts: Texts, model: int, name: str) -> History:
    """Begin the history of a registered model that has none."""
    cursor.execute(texts.insert_line, (model, name))
    return History(cursor, texts, model, name)


def move_of(row: Row) -> Move:
    """Make a move of its row."""
    number, name, kind, subject, before, after, at, user, comment = row
    return Move(number, name, MoveKind(kind), subject, before, after, at, user, comment)
