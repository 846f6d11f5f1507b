"""The shapes of answers about moves in the registry and transition requests."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import MoveKind, RequestStatus


@frozen
class MoveShape:
    """One line of a model's history."""

    number: int
    name: str
    kind: MoveKind
    subject: str
    before: str
    after: str
    at: int
    user: str = ""
    comment: str = ""


@frozen
class MovePage:
    """A page of a history, the last move first."""

    moves: tuple[MoveShape, ...] = ()
    next_page_token: str = ""


@frozen
class AliasAtAnswer:
    """The version to which an alias pointed; absent for none."""

    version: str = ""


@frozen
class AdoptedHistory:
    """How many moves were new."""

    adopted: int = 0


@frozen
class TransitionRequestShape:
    """A wish for a move."""

    request_id: str
    name: str
    version: str
    stage: str
    user: str
    comment: str
    created: int
    archive_existing: bool
    status: RequestStatus
    decided: int | None = None
    decided_by: str = ""
    decision: str = ""


@frozen
class TransitionRequestAnswer:
    """One transition request."""

    transition_request: TransitionRequestShape


@frozen
class TransitionRequestPage:
    """A page of transition requests, the newest first."""

    transition_requests: tuple[TransitionRequestShape, ...] = ()
    next_page_token: str = ""
