"""Moves with their history, and transition requests, on a server of mlcore whose registry keeps them."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.entities import ModelVersion, Move, MoveNote, Page, RequestStatus, TransitionRequest
from mlcore.wire import requests_moves as r
from mlcore.wire.models_json import version_in
from mlcore.wire.moves_json import move_in, move_out, request_in
from mlcore_store_rest.registry import RestRegistryStore, named

_PER_PAGE = 10_000
_PER_REQUEST = 1000


class MovingModels(RestRegistryStore):
    """A server whose registry keeps a history of moves.

    Where the server knows its users, a note's user is whoever it takes the caller for. What expects something is
    sent once: of a second delivery the first one would be the conflict.
    """

    def move_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool, note: MoveNote, expected: str | None
    ) -> ModelVersion:
        """Move a version to a stage. Raises ConflictError: it is in another stage than *expected*."""
        request = r.MoveStage(
            **named(name, version),
            stage=stage,
            archive_existing_versions=archive_existing,
            expected=expected,
            user=note.user,
            comment=note.comment,
        )
        found = self.service.call("POST model-versions/move", request, once=expected is not None)
        return version_in(found["model_version"])

    def move_alias(self, name: str, alias: str, version: str | None, *, note: MoveNote, expected: str | None) -> None:
        """Point an alias to a version; None removes it. Raises ConflictError: it points elsewhere than *expected*."""
        if version is not None:
            named(name, version)
        request = r.MoveAlias(
            name=name, alias=alias, version=version or "", expected=expected, user=note.user, comment=note.comment
        )
        self.service.call("POST registered-models/move-alias", request, once=expected is not None)

    def remove_version(self, name: str, version: str, *, note: MoveNote, force: bool) -> None:
        """Remove a version and its aliases. Raises InvalidStateError: it is in Production, and nobody forces it."""
        request = r.RemoveVersion(**named(name, version), force=force, user=note.user, comment=note.comment)
        self.service.call("POST model-versions/remove", request)

    def history(self, name: str, *, max_results: int, page_token: str | None) -> Page[Move]:
        """Return a page of the moves of a model, the last one first."""
        request = r.History(name=name, max_results=min(max_results, _PER_PAGE), page_token=page_token or "")
        found = self.service.call("GET registered-models/history", request)
        return Page(tuple(map(move_in, found.get("moves") or ())), found.get("next_page_token") or None)

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none."""
        found = self.service.call("GET registered-models/alias-at", r.AliasAt(name=name, alias=alias, at=at))
        return str(found["version"]) if found.get("version") else None


class AdoptingHistories(RestRegistryStore):
    """A server whose registry keeps histories of other stores."""

    def adopt_history(self, name: str, moves: Sequence[Move]) -> int:
        """Keep what happened elsewhere to a model of that name; return how many moves were new."""
        new = 0
        for start in range(0, len(moves), _PER_REQUEST):
            # Each part begins with a move that is there already, but for the first.
            told = [move_out(each) for each in moves[max(start - 1, 0) : start + _PER_REQUEST]]
            found = self.service.call("POST registered-models/adopt-history", {"name": name, "moves": told})
            new += int(found.get("adopted", 0))
        return new


class RequestingModels(RestRegistryStore):
    """A server whose registry keeps transition requests."""

    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        """Keep a request as pending; one with the same id that is there is returned as it is."""
        sent = r.CreateRequest(
            **named(request.name, request.version),
            request_id=request.request_id,
            stage=request.stage,
            archive_existing=request.archive_existing,
            user=request.user,
            comment=request.comment,
        )
        return self._request("POST transition-requests/create", sent)

    def get_request(self, request_id: str) -> TransitionRequest:
        """Return a request. Raises NotFoundError: unknown."""
        return self._request("GET transition-requests/get", r.RequestId(request_id=request_id))

    def decide_request(self, request_id: str, status: RequestStatus, *, note: MoveNote) -> TransitionRequest:
        """Approve, reject or cancel a request; who asked may cancel, and nobody approves their own."""
        if status is RequestStatus.CANCELLED:
            back = r.CancelRequest(request_id=request_id, user=note.user, comment=note.comment)
            return self._request("POST transition-requests/cancel", back)
        word = r.DecideRequest(request_id=request_id, status=status, user=note.user, comment=note.comment)
        return self._request("POST transition-requests/decide", word)

    def search_requests(
        self, name: str | None, status: RequestStatus | None, *, max_results: int, page_token: str | None
    ) -> Page[TransitionRequest]:
        """Return a page of requests, of one model or of all, the newest first."""
        most = min(max_results, _PER_PAGE)
        request = r.SearchRequests(name=name or "", status=status, max_results=most, page_token=page_token or "")
        found = self.service.call("GET transition-requests/search", request)
        items = tuple(map(request_in, found.get("transition_requests") or ()))
        return Page(items, found.get("next_page_token") or None)

    def _request(self, name: str, request: object) -> TransitionRequest:
        return request_in(self.service.call(name, request)["transition_request"])
