"""The contract of an authority: who is calling the server, and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource


@runtime_checkable
class Authority(Protocol):
    """Recognise callers and decide what they may do; every decision of the server goes through `authorize`.

    Methods may be called from any thread, once or more per request: they have to be quick.
    """

    @property
    def name(self) -> str:
        """How the authority is called, such as `basic`."""
        ...

    @property
    def challenge(self) -> str:
        """The header `WWW-Authenticate` of a 401 answer, such as `Basic realm="mlcore"`."""
        ...

    def authenticate(self, credentials: Credentials) -> Principal:
        """Return who is calling. Raises UnauthenticatedError: nobody that is known; LimitExceededError: too many tries."""
        ...

    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        """Whether *principal* may do *action*; False for a resource that does not exist."""
        ...

    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of *ids* that *principal* may read; for lists and searches."""
        ...

    def created(self, principal: Principal, resource: Resource) -> None:
        """Note that *principal* made the resource: its maker may manage it."""
        ...

    def renamed(self, resource: Resource, new_id: str) -> None:
        """Note that the resource has another id now; what was allowed for it stays allowed."""
        ...

    def deleted(self, resource: Resource) -> None:
        """Note that the resource is gone for good: a new one of the same name starts without its permissions."""
        ...


@runtime_checkable
class SupportsAudit(Protocol):
    """An authority that keeps an append-only log of changes."""

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries; they are durable when it returns."""
        ...
