"""Moves and transition requests as the JSON of the REST protocol, and back."""

from __future__ import annotations

from attrs import asdict

from mlcore.entities import Move, MoveKind, RequestStatus, TransitionRequest
from mlcore.wire.tracking_json import Json


def move_out(move: Move) -> Json:
    """Return a move as JSON values."""
    return {name: value for name, value in asdict(move).items() if value != "" or name in ("before", "after")}


def move_in(given: Json) -> Move:
    """Return the move that JSON values tell of."""
    return Move(
        int(given["number"]),
        given["name"],
        MoveKind(given["kind"]),
        given["subject"],
        given.get("before", ""),
        given.get("after", ""),
        int(given["at"]),
        given.get("user", ""),
        given.get("comment", ""),
    )


def request_out(request: TransitionRequest) -> Json:
    """Return a transition request as JSON values."""
    return {name: value for name, value in asdict(request).items() if value not in ("", None)}


def request_in(given: Json) -> TransitionRequest:
    """Return the transition request that JSON values tell of."""
    decided = given.get("decided")
    return TransitionRequest(
        request_id=given["request_id"],
        name=given["name"],
        version=str(given["version"]),
        stage=given["stage"],
        user=given.get("user", ""),
        comment=given.get("comment", ""),
        created=int(given["created"]),
        archive_existing=bool(given.get("archive_existing")),
        status=RequestStatus(given["status"]),
        decided=None if decided is None else int(decided),
        decided_by=given.get("decided_by", ""),
        decision=given.get("decision", ""),
    )
