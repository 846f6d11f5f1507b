"""What happened to the versions of a registered model, and what somebody asks for."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen


class MoveKind(StrEnum):
    """What moved.

    STAGE: a version, from one stage to another. ALIAS: an alias, from one version to another. VERSION: a version came
    (`after` is its source) or was deleted (`before` is its source). MODEL: the model came, got another name (`before`
    and `after`), or was deleted.
    """

    STAGE = "stage"
    ALIAS = "alias"
    VERSION = "version"
    MODEL = "model"


@frozen
class Move:
    """One line of a model's history, which only ever grows.

    number: counts the moves of one model line from 1, over renames.
    name: of the model at that time.
    subject: the version's number, the alias, or the model's name.
    before, after: a stage, a version's number, a source or a name; empty where there was, or is, nothing.
    at: ms since the epoch, UTC; never before that of an earlier move of the line.
    user: who did it; empty when nobody knows.
    """

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
class MoveNote:
    """What stays of a move beside what moved: who wanted it, and why."""

    user: str = ""
    comment: str = ""


class RequestStatus(StrEnum):
    """What became of a request."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


@frozen
class TransitionRequest:
    """Somebody's wish that a version be moved to a stage, which waits for somebody else's word.

    request_id: chosen by who asks, so that a repeated creation makes one request only.
    created, decided: ms since the epoch, UTC; decided is None while it waits.
    decided_by: who approved, rejected or cancelled it.
    """

    request_id: str
    name: str
    version: str
    stage: str
    user: str
    comment: str
    created: int
    archive_existing: bool = False
    status: RequestStatus = RequestStatus.PENDING
    decided: int | None = None
    decided_by: str = ""
    decision: str = ""


@frozen
class Transition:
    """A move that is about to happen, as a gate sees it.

    kind: STAGE or ALIAS; subject, before and after as in `Move`. version: the number of the version that gets there;
    None when an alias is removed.
    """

    name: str
    kind: MoveKind
    subject: str
    before: str
    after: str
    version: str | None
    note: MoveNote
