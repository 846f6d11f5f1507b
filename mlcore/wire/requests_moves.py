"""The requests about moves in the registry, their history, and wishes for them that wait for approval."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import MoveKind, RequestStatus
from mlcore.wire.messages import optional, required


@frozen
class MoveStage:
    """`POST model-versions/move`; `expected` is the stage in which the version is believed to be.

    user: counts only where the server knows nobody; else it is who sends the request.
    """

    name: str = required()
    version: str = required()
    stage: str = required()
    archive_existing_versions: bool = optional(False)
    expected: str | None = optional()
    user: str = optional("")
    comment: str = optional("")


@frozen
class MoveAlias:
    """`POST registered-models/move-alias`; no version removes the alias; an empty `expected` stands for no version."""

    name: str = required()
    alias: str = required()
    version: str = optional("")
    expected: str | None = optional()
    user: str = optional("")
    comment: str = optional("")


@frozen
class RemoveVersion:
    """`POST model-versions/remove`; one in Production goes with `force` only."""

    name: str = required()
    version: str = required()
    force: bool = optional(False)
    user: str = optional("")
    comment: str = optional("")


@frozen
class History:
    """`GET registered-models/history`."""

    name: str = required()
    max_results: int = optional(1000)
    page_token: str = optional("")


@frozen
class ToldMove:
    """A line of a history that was kept elsewhere."""

    number: int = required()
    name: str = required()
    kind: MoveKind = required()
    subject: str = required()
    at: int = required()
    before: str = optional("")
    after: str = optional("")
    user: str = optional("")
    comment: str = optional("")


@frozen
class AdoptHistory:
    """`POST registered-models/adopt-history`; the first move first, in several requests when they are many."""

    name: str = required()
    moves: tuple[ToldMove, ...] = optional(())


@frozen
class AliasAt:
    """`GET registered-models/alias-at`; `at` is ms since the epoch, UTC."""

    name: str = required()
    alias: str = required()
    at: int = required()


@frozen
class CreateRequest:
    """`POST transition-requests/create`; who may read a model may ask for a move."""

    name: str = required()
    request_id: str = required()
    version: str = required()
    stage: str = required()
    archive_existing: bool = optional(False)
    user: str = optional("")
    comment: str = optional("")


@frozen
class RequestId:
    """A request that only names a transition request."""

    request_id: str = required()


@frozen
class DecideRequest:
    """`POST transition-requests/decide`."""

    request_id: str = required()
    status: RequestStatus = required()
    user: str = optional("")
    comment: str = optional("")


@frozen
class CancelRequest:
    """`POST transition-requests/cancel`; who asked may take it back."""

    request_id: str = required()
    user: str = optional("")
    comment: str = optional("")


@frozen
class SearchRequests:
    """`GET transition-requests/search`; no name stands for all models, no status for all."""

    name: str = optional("")
    status: RequestStatus | None = optional()
    max_results: int = optional(1000)
    page_token: str = optional("")
