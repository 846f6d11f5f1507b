"""An authority in memory: a fake for tests, and the shortest complete example of the contract."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Sequence

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource
from mlcore.errors import UnauthenticatedError

# what each permission contains
_CONTAINS = {
    Action.READ: {Action.READ},
    Action.EDIT: {Action.READ, Action.EDIT},
    Action.MANAGE: {Action.READ, Action.EDIT, Action.MANAGE},
    Action.CREATE: {Action.CREATE},
}


class MemoryAuthority:
    """Users with a random bearer token each, and permissions in a dict; also the case that its own contract needs."""

    name = "memory"
    challenge = 'Bearer realm="mlcore"'

    def __init__(self) -> None:
        """Know nobody."""
        self.tokens: dict[str, str] = {}
        self.admins: set[str] = set()
        self.allowed: dict[tuple[str, Resource], Action] = {}
        self.log: list[AuditEntry] = []
        self._lock = threading.RLock()

    @property
    def authority(self) -> MemoryAuthority:
        """The authority itself."""
        return self

    def user(self, name: str) -> Credentials:
        """Make a user who was given nothing; return what they show."""
        with self._lock:
            self.tokens[name] = secrets.token_hex()
            return _bearer(self.tokens[name])

    def admin(self) -> Credentials:
        """Make an admin; return what they show."""
        self.admins.add("root")
        return self.user("root")

    def grant(self, name: str, action: Action, resource: Resource) -> None:
        """Give a user a permission."""
        with self._lock:
            self.allowed[name, resource] = action

    def impostors(self) -> Sequence[Credentials]:
        """Return what people show whom nobody knows."""
        return (_bearer(secrets.token_hex()), _bearer(""), Credentials({"authorization": "Basic YTpi"}))

    def audited(self) -> Sequence[AuditEntry]:
        """Return the log, oldest first."""
        return tuple(self.log)

    def authenticate(self, credentials: Credentials) -> Principal:
        """Return whose token it is."""
        shown = credentials.headers.get("authorization", "").encode()
        with self._lock:
            for name, token in self.tokens.items():
                if hmac.compare_digest(shown, b"Bearer " + token.encode()):
                    return Principal(name, name in self.admins)
        raise UnauthenticatedError("the token is not known: expected 'Authorization: Bearer TOKEN'")

    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        """Whether *principal* was given it."""
        with self._lock:
            if principal.name not in self.tokens:
                return False
            given = self.allowed.get((principal.name, resource))
            return principal.name in self.admins or (given is not None and action in _CONTAINS[given])

    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those that may be read."""
        return frozenset(each for each in ids if self.authorize(principal, Action.READ, Resource(kind, each)))

    def created(self, principal: Principal, resource: Resource) -> None:
        """Let the maker manage it."""
        with self._lock:
            self.deleted(resource)
            self.allowed[principal.name, resource] = Action.MANAGE

    def renamed(self, resource: Resource, new_id: str) -> None:
        """Move the permissions."""
        with self._lock:
            moved = {name: action for (name, what), action in self.allowed.items() if what == resource}
            self.deleted(resource)
            self.deleted(Resource(resource.kind, new_id))
            for name, action in moved.items():
                self.allowed[name, Resource(resource.kind, new_id)] = action

    def deleted(self, resource: Resource) -> None:
        """Forget the permissions."""
        with self._lock:
            self.allowed = {key: action for key, action in self.allowed.items() if key[1] != resource}

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append to the log."""
        with self._lock:
            self.log += entries


def _bearer(token: str) -> Credentials:
    return Credentials({"authorization": f"Bearer {token}"}, "127.0.0.1")
