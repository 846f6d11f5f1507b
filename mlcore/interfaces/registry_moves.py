"""What a registry store may do beyond the contract: remember every move, and keep requests for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from mlcore.entities import ModelVersion, Move, MoveNote, Page, RequestStatus, TransitionRequest
from mlcore.interfaces.registry_store import RegistryStore


@runtime_checkable
class SupportsMoves(Protocol):
    """A registry store that keeps a history of every move, in the same transaction as the move.

    It remembers those that come by the methods of `RegistryStore`, too, with an empty user. Nothing changes or removes
    a line of the history; that of a deleted model stays, and can be asked for by the model's last name. Where several
    models had a name as their last one, their histories come as one, each with numbers of its own.

    What changes nothing is no move: a version that stays in its stage, an alias that points there already. Whatever
    else a step moves has a line with the same note, before the line of the step itself: versions that are archived,
    aliases of a version that is deleted, versions and aliases of a model that is deleted.
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

    def remove_version(self, name: str, version: str, *, note: MoveNote, force: bool) -> None:
        """Remove a version and the aliases that point to it.

        Raises InvalidStateError: it is in Production, and nobody forces it.
        """
        ...

    def history(self, name: str, *, max_results: int, page_token: str | None) -> Page[Move]:
        """Return a page of the moves of a model, the last one first.

        Raises NotFoundError: there never was such a model, or it has another name now, which the message tells.
        """
        ...

    def alias_at(self, name: str, alias: str, at: int) -> str | None:
        """Return the number of the version to which an alias pointed at a time in ms; None for none.

        What came before the first move of the model that has the name now, is told of the one that had it then.
        Raises NotFoundError: as `history` does.
        """
        ...


@runtime_checkable
class SupportsHistoryAdoption(Protocol):
    """A registry store that keeps histories of other stores beside its own."""

    def adopt_history(self, name: str, moves: Sequence[Move]) -> int:
        """Keep what happened elsewhere to a model of that name, as it was told there; return how many moves were new.

        It is a history of its own, which comes before that of the model here and ended where the other began.
        moves: of one model, in order, from the first on, or from one on that is there already. Those that are there are
        skipped, also those of a model that is here itself.
        Raises InvalidParameterError: the moves have a gap.
        """
        ...


@runtime_checkable
class SupportsNotes(Protocol):
    """A registry store whose every method can leave a note in the history, such as that of a server."""

    def noting(self, note: MoveNote) -> RegistryStore:
        """Return the same registry, with *note* at every move that comes by the methods of `RegistryStore`.

        It needs no closing of its own.
        """
        ...


@runtime_checkable
class SupportsRequests(Protocol):
    """A registry store that keeps transition requests.

    They follow their model to another name. Those that wait are cancelled when their version or model is deleted.
    """

    def create_request(self, request: TransitionRequest) -> TransitionRequest:
        """Keep a request as pending, at the store's time; one with the same id that is there is returned as it is.

        Raises NotFoundError: no such version. InvalidParameterError: no such stage, or not one to archive from.
        """
        ...

    def get_request(self, request_id: str) -> TransitionRequest:
        """Return a request. Raises NotFoundError: unknown."""
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
        """Return a page of requests, of one model or of all, the newest first.

        Raises NotFoundError: as `SupportsMoves.history` does.
        """
        ...
