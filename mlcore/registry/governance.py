"""What has moved in a registry, and who has asked for what to move: the client's methods beyond MLflow's."""

from __future__ import annotations

import uuid
from datetime import datetime

from mlcore.entities import Move, PagedList, RequestStatus, TransitionRequest
from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore.interfaces import RegistryStore, SupportsMoves, SupportsRequests
from mlcore.registry.moving import Mover
from mlcore.registry.names import check_alias, check_version
from mlcore.wire import limits
from mlcore.wire.stages import canonical_stage

_AT_A_TIME = 1000


class GovernanceOperations:
    """Ask for the history of registered models, and work with transition requests.

    Raises everywhere: NotFoundError for an unknown model or request, UnsupportedError for a registry that keeps none of
    this, such as that of an MLflow server.
    """

    @property
    def _registry(self) -> RegistryStore:
        raise NotImplementedError

    @property
    def _mover(self) -> Mover:
        raise NotImplementedError

    def get_model_history(
        self, name: str, max_results: int = _AT_A_TIME, page_token: str | None = None
    ) -> PagedList[Move]:
        """Return a page of all that ever moved in a registered model, the last first; that of a deleted one stays."""
        page = self._moves.history(
            name,
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token) or None,
        )
        return PagedList(page.items, page.next_token)

    def get_alias_at(self, name: str, alias: str, time: int | datetime) -> str | None:
        """Return the number of the version that an alias pointed to at a time; None when there was no such alias.

        time: ms since the epoch, or a datetime; one without a time zone is local.
        """
        at = int(time.timestamp() * 1000) if isinstance(time, datetime) else time
        return self._moves.alias_at(name, check_alias(alias), limits.check_moment("time", at))

    def request_transition(
        self,
        name: str,
        version: str | int,
        stage: str,
        archive_existing_versions: bool = False,
        *,
        comment: str = "",
    ) -> TransitionRequest:
        """Ask that a version be moved to a stage; it is, once somebody approves the request."""
        asked = TransitionRequest(
            uuid.uuid4().hex,
            name,
            check_version(version),
            canonical_stage(stage, archive_existing=archive_existing_versions),
            self._mover.user,
            comment,
            0,  # the store's clock counts
            archive_existing_versions,
        )
        return self._mover.request(asked)

    def approve_transition(self, request_id: str, comment: str = "") -> TransitionRequest:
        """Approve a request, which moves its version.

        Raises InvalidStateError: it was decided before. PermissionDeniedError: a plugin refuses the move; or the server,
        as who asked does not approve.
        """
        return self._mover.decide(request_id, RequestStatus.APPROVED, comment=comment)

    def reject_transition(self, request_id: str, comment: str = "") -> TransitionRequest:
        """Reject a request. Raises InvalidStateError: it was decided before."""
        return self._mover.decide(request_id, RequestStatus.REJECTED, comment=comment)

    def cancel_transition(self, request_id: str, comment: str = "") -> TransitionRequest:
        """Take back a request. Raises InvalidStateError: it was decided before."""
        return self._mover.decide(request_id, RequestStatus.CANCELLED, comment=comment)

    def search_transition_requests(
        self,
        name: str | None = None,
        status: str | None = None,
        max_results: int = _AT_A_TIME,
        page_token: str | None = None,
    ) -> PagedList[TransitionRequest]:
        """Return a page of requests, the newest first.

        name: of one model; None for all. status: PENDING, APPROVED, REJECTED or CANCELLED; None for any.
        """
        registry = self._registry
        if not isinstance(registry, SupportsRequests):
            raise UnsupportedError(f"this registry ({type(registry).__name__}) keeps no transition requests")
        page = registry.search_requests(
            name,
            None if status is None else _status(status),
            max_results=limits.check_max_results(max_results),
            page_token=limits.check_page_token(page_token) or None,
        )
        return PagedList(page.items, page.next_token)

    @property
    def _moves(self) -> SupportsMoves:
        registry = self._registry
        if not isinstance(registry, SupportsMoves):
            raise UnsupportedError(
                f"this registry ({type(registry).__name__}) keeps no history of its moves: use one in a database, such as "
                "sqlite:///mlcore.db, or on an mlcore server"
            )
        return registry


def _status(text: str) -> RequestStatus:
    try:
        return RequestStatus(text.upper())
    except ValueError as err:
        known = ", ".join(each.value for each in RequestStatus)
        raise InvalidParameterError(
            f"invalid status {text!r} of a transition request: expected one of {known}"
        ) from err
