"""What a registry store may do beyond the contract: remember every move, and keep requests for them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mlcore.entities import ModelVersion, Move, MoveNote, Page, RequestStatus, TransitionRequest


@runtime_checkable
class SupportsMoves(Protocol):
    """A registry store that keeps a history of every move, in the same transaction as the move.

    It remembers those that come by the methods of `RegistryStore`, too, with an empty user. Nothing changes or removes
    a line of the history; that of a deleted model stays, and can be asked for by the model's last name.
    """

    def move_stage(
        self, name: str, version: str, stage: str, *, archive_existing: bool, note: MoveNote, expected: str | None
    ) -> ModelVersion:
        """Move a version to a stage.

        expected: the stage in which the caller believes it to be; None for any.
        Raises ConflictError: it is in another stage than *expected*; the message names who moved it there, and when.
        """
        ...

    def move_alias(self, name: str, alias: str, version: str | None, *, note: MoveNote, expected: str | None) -> None:
        """Point an alias to a version; the version None removes it.

        expected: the version to which the caller believes it to point, empty for none; None for any.
        Raises ConflictError: it points elsewhere; the message names who moved it there, and when.
        """
        ...

    def history(self, name: str, *, max_results: int, page_token: str | None) -> Page[Move]:
        """Return a page of the moves of a model, the last one first. Raises NotFoundError: there never was such a model."""
        ...

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none."""
        ...


@runtime_checkable
class SupportsRequests(Protocol):
    """A registry store that keeps transition requests."""

    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        """Keep a request; one with the same id that is there already is returned as it is."""
        ...

    def decide_request(self, request_id: str, status: RequestStatus, *, note: MoveNote) -> TransitionRequest:
        """Approve, reject or cancel a request; approval moves the version in the same transaction.

        The move's user is who asked, its comment names who approved.
        Raises NotFoundError: unknown. InvalidStateError: it was decided before; names by whom.
        """
        ...

    def search_requests(
        self, name: str | None, status: RequestStatus | None, *, max_results: int, page_token: str | None
    ) -> Page[TransitionRequest]:
        """Return a page of requests, of one model or of all, the newest first."""
        ...
