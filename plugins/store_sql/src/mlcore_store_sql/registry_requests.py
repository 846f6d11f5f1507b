"""Transition requests: create, read, decide, search."""

from __future__ import annotations

from mlcore.entities import MoveNote, Page, RequestStatus, TransitionRequest
from mlcore.wire.moves import approved_by, check_decision, no_request
from mlcore.wire.stages import canonical_stage
from mlcore_store_sql import paging
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import now_ms
from mlcore_store_sql.registry_history import HistoryPart


class RequestsPart(HistoryPart):
    """The registry's methods of `SupportsRequests`."""

    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        """Keep a request as pending, at this store's time; one with the same id that is there is returned as it is."""
        stage = canonical_stage(request.stage, archive_existing=request.archive_existing)
        with self._db.write() as cursor:
            cursor.execute(self._texts.request, (request.request_id,))
            row = cursor.fetchone()
            if row is None:
                version = self._version_row(cursor, request.name, request.version)
                line = self._history(cursor, version[1], request.name).line
                wish = (version[3], stage, request.user, request.comment, now_ms(), int(request.archive_existing))
                cursor.execute(self._texts.insert_request, (request.request_id, line, *wish))
                row = self._request_row(cursor, request.request_id)
            return _request_of(row)

    def get_request(self, request_id: str) -> TransitionRequest:
        """Return a request. Raises NotFoundError: unknown."""
        with self._db.read() as cursor:
            return _request_of(self._request_row(cursor, request_id))

    def decide_request(self, request_id: str, status: RequestStatus, *, note: MoveNote) -> TransitionRequest:
        """Approve, reject or cancel a request; approval moves the version in the same transaction."""
        with self._db.write() as cursor:
            row = self._request_row(cursor, request_id)
            asked = _request_of(row)
            check_decision(asked, status)
            if status is RequestStatus.APPROVED:
                version = self._version_row(cursor, asked.name, asked.version)
                self._to_stage(cursor, version, asked.stage, asked.archive_existing, approved_by(asked, note))
            cursor.execute(self._texts.decide_request, (status.value, now_ms(), note.user, note.comment, row[0]))
            return _request_of(self._request_row(cursor, request_id))

    def search_requests(
        self, name: str | None, status: RequestStatus | None, *, max_results: int, page_token: str | None
    ) -> Page[TransitionRequest]:
        """Return a page of requests, of one model or of all, the newest first."""
        skip = paging.offset(page_token)
        with self._db.read() as cursor:
            if name is not None:
                self._lines(cursor, name)
            wanted = (int(name is None), name or "", int(status is None), status.value if status else "")
            cursor.execute(self._texts.search_requests, (*wanted, max_results + 1, skip))
            return paging.page([_request_of(row) for row in cursor.fetchall()], skip, max_results)

    def _request_row(self, cursor: Cursor, request_id: str) -> Row:
        cursor.execute(self._texts.request, (request_id,))
        row = cursor.fetchone()
        if row is None:
            raise no_request(request_id)
        return row


def _request_of(row: Row) -> TransitionRequest:
    _, request_id, name, version, stage, user, comment, created, archive, status, decided, who, decision = row
    return TransitionRequest(
        request_id=request_id,
        name=name,
        version=str(version),
        stage=stage,
        user=user,
        comment=comment,
        created=created,
        archive_existing=bool(archive),
        status=RequestStatus(status),
        decided=decided,
        decided_by=who,
        decision=decision,
    )
