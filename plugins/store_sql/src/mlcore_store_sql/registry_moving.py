"""The steps that move versions and aliases, each with its line in the history."""

from __future__ import annotations

from mlcore.entities import MoveKind, MoveNote, RequestStatus
from mlcore.wire.moves import GONE, PRODUCTION, in_production
from mlcore.wire.stages import ARCHIVED
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import now_ms
from mlcore_store_sql.registry_log import History
from mlcore_store_sql.registry_rows import RegistryPart


class MovingPart(RegistryPart):
    """Steps within a transaction, for the methods that others call."""

    def _history(self, cursor: Cursor, model: int, name: str) -> History:
        return History(cursor, self._texts, model, name)

    def _to_stage(self, cursor: Cursor, row: Row, stage: str, archive_existing: bool, note: MoveNote) -> None:
        """Move the version of a row to a stage, and those that are there to Archived when asked."""
        number, model, name, version, before, now = row[0], row[1], row[2], str(row[3]), row[9], now_ms()
        history = self._history(cursor, model, name)
        if archive_existing:
            cursor.execute(self._texts.versions_in_stage, (model, stage, number))
            for other, _ in cursor.fetchall():
                history.add(MoveKind.STAGE, str(other), stage, ARCHIVED, note=note)
            cursor.execute(self._texts.archive_versions, (now, model, stage, number))
        if stage != before:
            history.add(MoveKind.STAGE, version, before, stage, note=note)
        cursor.execute(self._texts.update_version, (stage, row[12], now, number))
        cursor.execute(self._texts.touch_model, (now, model))

    def _remove(self, cursor: Cursor, row: Row, note: MoveNote, *, force: bool) -> None:
        """Remove the version of a row."""
        number, model, name, version, source, stage = row[0], row[1], row[2], str(row[3]), row[4], row[9]
        if stage == PRODUCTION and not force:
            raise in_production(name, version)
        history = self._history(cursor, model, name)
        cursor.execute(self._texts.aliases_of_model, (model,))
        for alias, _, owner in cursor.fetchall():
            if owner == number:
                history.add(MoveKind.ALIAS, alias, version, "", note=note)
        history.add(MoveKind.VERSION, version, source, "", note=note)
        self._cancel_requests(cursor, history.line, row[3], note)
        cursor.execute(self._texts.delete_version, (number,))
        cursor.execute(self._texts.touch_model, (now_ms(), model))

    def _cancel_requests(self, cursor: Cursor, line: int, version: int | None, note: MoveNote) -> None:
        """End the requests that wait for a version, or for any, that is deleted."""
        decision = (RequestStatus.CANCELLED.value, now_ms(), note.user, GONE)
        cursor.execute(self._texts.cancel_requests, (*decision, line, int(version is None), version or 0))
