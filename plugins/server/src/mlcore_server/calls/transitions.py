"""Answers about transition requests: wishes for moves, which wait for somebody else's word."""

from __future__ import annotations

import re

from mlcore.entities import Action, RequestStatus, Resource, TransitionRequest
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import SupportsRequests
from mlcore.registry.names import check_version
from mlcore.wire import limits
from mlcore.wire import requests_moves as r
from mlcore.wire.moves import check_comment, no_request
from mlcore.wire.moves_json import request_out
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

_MOST_REQUESTS = 10_000
_REQUEST_ID = re.compile(r"[\w\-.]{1,64}")


class Transitions:
    """The group `transitions` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access) -> None:
        """Answer from *stores*; *access* says who may decide."""
        self._stores = stores
        self._access = access

    def create(self, request: r.CreateRequest, caller: Caller) -> Json:
        """Keep a request."""
        if not _REQUEST_ID.fullmatch(request.request_id):
            raise InvalidParameterError(
                f"invalid request id {request.request_id[:80]!r}: expected 1 to 64 letters, digits, '_', '-' or '.'"
            )
        mover = self._stores.mover(caller, check_comment("user", request.user))
        asked = TransitionRequest(
            request.request_id,
            request.name,
            check_version(request.version),
            request.stage,
            mover.user,
            check_comment("comment", request.comment),
            created=0,
            archive_existing=request.archive_existing,
        )
        made = mover.request(asked)
        if caller.is_limited and made.name != request.name:  # the id is of a request about another model
            raise InvalidParameterError(f"the request id {request.request_id!r} is taken: choose another one")
        return _answer(made)

    def get(self, request: r.RequestId, caller: Caller) -> Json:
        """Return a request."""
        return _answer(self._found(request.request_id, caller))

    def decide(self, request: r.DecideRequest, caller: Caller) -> Json:
        """Approve, reject or cancel a request; nobody approves what they asked for themselves."""
        self._found(request.request_id, caller)
        return self._decided(request, request.status, caller)

    def cancel(self, request: r.CancelRequest, caller: Caller) -> Json:
        """Take a request back, by who asked or by who may decide."""
        asked = self._found(request.request_id, caller)
        if asked.user != caller.principal.name:
            self._demand(caller, Action.EDIT, asked.name)
        return self._decided(request, RequestStatus.CANCELLED, caller)

    def search(self, request: r.SearchRequests, caller: Caller) -> Json:
        """Return a page of requests about what the caller may read."""
        if request.name:
            self._demand(caller, Action.READ, request.name)
        page = self._registry().search_requests(
            request.name or None,
            request.status,
            max_results=limits.check_max_results(request.max_results, _MOST_REQUESTS),
            page_token=request.page_token or None,
        )
        shown = [request_out(each) for each in page.items if self._concerns(each, caller)]
        out: Json = {"transition_requests": shown} if shown else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def _decided(self, request: r.DecideRequest | r.CancelRequest, status: RequestStatus, caller: Caller) -> Json:
        mover = self._stores.mover(caller, check_comment("user", request.user))
        comment = check_comment("comment", request.comment)
        return _answer(mover.decide(request.request_id, status, comment=comment))

    def _found(self, request_id: str, caller: Caller) -> TransitionRequest:
        found = self._registry().get_request(request_id)
        if not self._concerns(found, caller):
            raise no_request(request_id)
        return found

    def _concerns(self, asked: TransitionRequest, caller: Caller) -> bool:
        """Whether a request is about the model that has its name now, and not about one that had it before."""
        if not caller.is_limited:
            return True
        try:
            return self._stores.registry.get_model(asked.name).creation_timestamp <= asked.created
        except NotFoundError:
            return False

    def _demand(self, caller: Caller, action: Action, name: str) -> None:
        if caller.is_limited:
            self._access.demand(caller.principal, action, Resource("registered_model", name))

    def _registry(self) -> SupportsRequests:
        return self._stores.requests


def _answer(request: TransitionRequest) -> Json:
    return {"transition_request": request_out(request)}
