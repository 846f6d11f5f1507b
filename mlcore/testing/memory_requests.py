"""The transition requests of a registry in memory."""

from __future__ import annotations

from attrs import evolve

from mlcore.entities import MoveNote, Page, RequestStatus, TransitionRequest
from mlcore.testing.memory_moves import Line, MemoryMoves, now_ms
from mlcore.testing.memory_paging import page_of
from mlcore.wire.moves import approved_by, check_decision, no_request
from mlcore.wire.stages import canonical_stage


class MemoryRequests(MemoryMoves):
    """Keep requests with the line of the model that they are about."""

    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        """Keep a request as pending, at this store's time; one with the same id that is there is returned as it is."""
        stage = canonical_stage(request.stage, archive_existing=request.archive_existing)
        with self._lock:
            if request.request_id not in self.requests:
                line = self._line(request.name)
                self._bare(request.name, request.version)
                kept = evolve(pending(request), stage=stage, created=now_ms())
                self.requests[request.request_id] = (line, kept)
            return self.get_request(request.request_id)

    def get_request(self, request_id: str) -> TransitionRequest:
        """Return a request. Raises NotFoundError: unknown."""
        with self._lock:
            if request_id not in self.requests:
                raise no_request(request_id)
            return _told(*self.requests[request_id])

    def decide_request(self, request_id: str, status: RequestStatus, *, note: MoveNote) -> TransitionRequest:
        """Approve, reject or cancel a request; approval moves the version in the same step."""
        with self._lock:
            asked = self.get_request(request_id)
            check_decision(asked, status)
            if status is RequestStatus.APPROVED:
                self.move_stage(
                    asked.name,
                    asked.version,
                    asked.stage,
                    archive_existing=asked.archive_existing,
                    note=approved_by(asked, note),
                    expected=None,
                )
            done = evolve(asked, status=status, decided=now_ms(), decided_by=note.user, decision=note.comment)
            self.requests[request_id] = (self.requests[request_id][0], done)
            return self.get_request(request_id)

    def search_requests(
        self, name: str | None, status: RequestStatus | None, *, max_results: int, page_token: str | None
    ) -> Page[TransitionRequest]:
        """Return a page of requests, of one model or of all, the newest first."""
        with self._lock:
            lines = None if name is None else self._lines_named(name)
            found = [
                _told(line, asked)
                for line, asked in reversed(self.requests.values())
                if (lines is None or line in lines) and status in (None, asked.status)
            ]
        return page_of(found, max_results, page_token)


def pending(request: TransitionRequest) -> TransitionRequest:
    """Return a request without any decision that it may bring."""
    return evolve(request, status=RequestStatus.PENDING, decided=None, decided_by="", decision="")


def _told(line: Line, request: TransitionRequest) -> TransitionRequest:
    return evolve(request, name=line.model.name)
