"""What registries say about moves and requests, in one wording for all of them."""

from __future__ import annotations

from datetime import UTC, datetime

from mlcore.entities import Move, MoveKind, MoveNote, RequestStatus, TransitionRequest
from mlcore.errors import ConflictError, InvalidParameterError, InvalidStateError, NotFoundError

PRODUCTION = "Production"
USER_LENGTH, COMMENT_LENGTH = 256, 5000
ADOPTED = "came from another store"  # the comment on the first lines of what was adopted
GONE = "the version was deleted"  # the decision on a request whose version was


def conflict(name: str, kind: MoveKind, subject: str, *, expected: str, found: str, last: Move | None) -> ConflictError:
    """Make the error for a move whose caller believed something else.

    expected, found: a stage, or a version's number that may be empty. last: what brought *found* about, if known.
    """
    if kind is MoveKind.STAGE:
        told = f"version {subject!r} of registered model {name!r} is in stage {found!r}, expected {expected!r}"
    else:
        told = (
            f"alias {subject!r} of registered model {name!r} points to {_version(found)}, expected {_version(expected)}"
        )
    if last is None:
        moved = "nobody knows who moved it"
    else:
        moved = f"{repr(last.user) if last.user else 'somebody unknown'} moved it at {time_text(last.at)}"
    return ConflictError(f"{told}: {moved}; look at it again, then decide anew")


def time_text(at: int) -> str:
    """Return a time in ms since the epoch as people read it, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def no_history(name: str, now: str | None) -> NotFoundError:
    """Make the error for a history that is not there; *now* is the name of the model that once had this one."""
    if now is None:
        return NotFoundError(
            f"there never was a registered model {name!r}; search_registered_models() lists the present ones"
        )
    return NotFoundError(f"no history of a registered model {name!r}: it was renamed; ask for the one of {now!r}")


def in_production(name: str, version: str) -> InvalidStateError:
    """Make the error for a version that is not deleted because it is in use."""
    return InvalidStateError(
        f"version {version!r} of registered model {name!r} is in {PRODUCTION} and is not deleted: "
        "move it to another stage first, or force it"
    )


def approved_by(request: TransitionRequest, note: MoveNote) -> MoveNote:
    """Return what stays of the move that the approval of a request makes: who asked; why, and who approved."""
    said = f"approved by {repr(note.user) if note.user else 'somebody unknown'}"
    said = f"{said}: {note.comment}" if note.comment else said
    return MoveNote(request.user, f"{request.comment} ({said})" if request.comment else said)


def adopting(note: MoveNote) -> MoveNote:
    """Return what stays of the moves that an adoption makes."""
    return note if note.comment else MoveNote(note.user, ADOPTED)


def check_decision(request: TransitionRequest, status: RequestStatus) -> None:
    """Refuse a decision that cannot be taken.

    Raises InvalidParameterError: *status* is none. InvalidStateError: the request was decided before; names by whom.
    """
    if status is RequestStatus.PENDING:
        wanted = ", ".join(each for each in RequestStatus if each is not RequestStatus.PENDING)
        raise InvalidParameterError(f"invalid decision {status.value!r}: expected one of {wanted}")
    if request.status is not RequestStatus.PENDING:
        who = repr(request.decided_by) if request.decided_by else "somebody unknown"
        raise InvalidStateError(
            f"the request {request.request_id!r} is {request.status.value} already, by {who} at "
            f"{time_text(request.decided or 0)}: create another one"
        )


def gap(name: str, move: Move) -> InvalidParameterError:
    """Make the error for a history of which a part is missing."""
    return InvalidParameterError(
        f"the history of registered model {name!r} has a gap before move {move.number}: begin with the first move"
    )


def check_comment(what: str, text: str) -> str:
    """Return a user's name or comment that can be kept. Raises InvalidParameterError: too long, or no text."""
    most = USER_LENGTH if what == "user" else COMMENT_LENGTH
    if len(text) > most:
        raise InvalidParameterError(f"the {what} has {len(text)} characters, at most {most} are allowed")
    try:
        text.encode()
    except UnicodeEncodeError as err:
        raise InvalidParameterError(f"the {what} {text[:80]!r} is no text that can be stored: {err.reason}") from err
    return text


def no_request(request_id: str) -> NotFoundError:
    """Make the error for a request that does not exist."""
    return NotFoundError(f"no transition request {request_id!r}; search_requests() lists those that there are")


def _version(number: str) -> str:
    return f"version {number!r}" if number else "no version"
