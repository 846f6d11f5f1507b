"""The authority: recognises users by password or API token, and decides by what they were given."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource
from mlcore.errors import StoreUnavailableError, UnauthenticatedError
from mlcore_auth_basic import accounts, audit_log, grants, levels, tokens
from mlcore_auth_basic.administration import Administration, By
from mlcore_auth_basic.database import Database
from mlcore_auth_basic.passwords import Passwords
from mlcore_auth_basic.settings import AuthSettings
from mlcore_auth_basic.throttle import Throttle

ACCOUNT = "users/"  # in front of a user's name, in the id of the resource that their account is
PAGE = "x-mlcore-ui"  # the header of our pages, which no page of another site can set without being asked first
_WRONG = "user name and password, or API token, are not known here"


class BasicAuthority:
    """Users with passwords and API tokens, permissions per experiment and registered model; see `Authority`."""

    name = "basic"
    challenge = 'Basic realm="mlcore", charset="UTF-8"'

    def __init__(
        self,
        database: Database,
        settings: AuthSettings,
        clock: Callable[[], float] = time.monotonic,
        passwords: Passwords | None = None,
    ) -> None:
        """Work on *database*. *clock* tells seconds, for how long things are remembered."""
        self.database = database
        self.settings = settings
        self.passwords: Passwords = passwords or Passwords(clock)
        self.throttle: Throttle = Throttle(clock)
        self.administration: Administration = Administration(database, self.passwords, settings)
        # browsers have one jar for all ports of a machine: two servers must not take each other's
        place = hashlib.sha256(str(database.path).encode("utf-8", "surrogateescape")).hexdigest()
        self.cookie: str = f"mlcore_session_{place[:10]}"

    @classmethod
    def open(cls, directory: Path, settings: AuthSettings | None = None) -> BasicAuthority:
        """Open the database in *directory*, creating it when it is new; settings come from the environment if None."""
        return cls(Database.open(directory), settings or AuthSettings.load())

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def authenticate(self, credentials: Credentials) -> Principal:
        """Return who is calling; some 50 ms for a password that was not seen for a while, else well below one."""
        scheme, _, value = credentials.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return self._by_token(value.strip(), None, credentials.client)
        if scheme.lower() == "basic":
            user, password = _decoded(value.strip())
            if password.startswith(tokens.PREFIX):
                return self._by_token(password, user, credentials.client)
            return self._by_password(user, password, credentials.client)
        session = "" if scheme else cookie_of(credentials, self.cookie)
        if session:
            return self._by_session(session, credentials)
        if scheme:
            raise UnauthenticatedError(
                f"authorization scheme {scheme[:20]!r} is not known here, expected Basic or Bearer"
            )
        raise UnauthenticatedError(
            "the request shows no credentials: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, "
            "or MLFLOW_TRACKING_TOKEN"
        )

    def sign_in(self, name: str, password: str, client: str) -> tuple[str, str]:
        """Begin a session of a browser; return the user's name and what its cookie says.

        Raises UnauthenticatedError: wrong name or password. LimitExceededError: too many tries.
        """
        principal = self._by_password(name, password, client)
        expires = accounts.now_ms() + self.settings.session_hours * 3_600_000
        wanted = tokens.TokenRequest("browser session", Action.MANAGE, None, expires, is_session=True)
        return principal.name, self.administration.add_token(By(principal.name), principal.name, wanted)[1]

    def sign_out(self, credentials: Credentials) -> bool:
        """End the session that a cookie brings; return whether it brings one."""
        with self.database.reading() as connection:
            found = tokens.find(connection, cookie_of(credentials, self.cookie))
        if found is None or not found.is_session:
            return False
        self.administration.revoke_token(By(found.user), found.id)
        return True

    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        """Whether *principal* may do *action*; what a token does not reach, its user may not do with it."""
        with self.database.reading() as connection:
            is_own = resource == Resource(levels.SERVER, ACCOUNT + principal.name)
            if principal.token_id is not None and not tokens.allows(
                connection, principal.token_id, principal.name, action, resource, is_own=is_own
            ):
                return False
            about = levels.NEW if action is Action.CREATE else _about(resource)
            try:
                is_admin, lowest, highest = grants.effective(connection, principal.name, resource.kind, about)
            except LookupError:
                return False
        if is_admin:
            return True
        if resource.kind not in levels.KINDS:
            if is_own:
                return action in (Action.READ, Action.EDIT)
            # nothing of the server is for everybody, and nothing but looking can be granted
            return resource == Resource(levels.SERVER) and action is Action.READ and (lowest or 0) > 0
        if action is Action.CREATE:
            return lowest is not None and lowest > 0
        return self._rank(lowest, highest) >= levels.NEEDED[action]

    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        """Return those of *ids* that *principal* may read; one query, however many they are."""
        if not ids or not self._exists(principal):
            return frozenset()
        with self.database.reading() as connection:
            limits = None
            if principal.token_id is not None:
                limits = tokens.limits(connection, principal.token_id, principal.name, kind)
            is_admin, lowest, highest = grants.effective(connection, principal.name, kind, levels.EVERY)
            abouts = {levels.one(each): each for each in ids}
            if limits is not None and levels.EVERY not in limits:
                abouts = {about: each for about, each in abouts.items() if about in limits}
            if is_admin:
                return frozenset(abouts.values())
            if kind not in levels.KINDS or (lowest is not None and lowest < 0):
                return frozenset()
            given = {
                about: self._rank(least, max(most, highest or 0))
                for about, least, most in grants.among(connection, principal.name, kind, json.dumps(list(abouts)))
            }
        others = self._rank(lowest, highest)
        return frozenset(each for about, each in abouts.items() if given.get(about, others) >= levels.READ)

    def created(self, principal: Principal, resource: Resource) -> None:
        """Let the maker manage the resource; nothing that was left of a former one of the same name stays."""
        with self.database.writing() as connection:
            grants.forget(connection, resource)
            user = accounts.find_user(connection, principal.name)
            if user is not None and resource.kind in levels.KINDS:
                own = grants.own_role(connection, user.id)
                grants.put(connection, own, resource.kind, levels.one(resource.id), levels.MANAGE)
                if principal.token_id is not None:
                    tokens.widen(connection, principal.token_id, resource)

    def renamed(self, resource: Resource, new_id: str) -> None:
        """Move what was allowed to the new id."""
        if new_id != resource.id:
            with self.database.writing() as connection:
                grants.move(connection, resource, new_id)

    def deleted(self, resource: Resource) -> None:
        """Forget what was allowed."""
        with self.database.writing() as connection:
            grants.forget(connection, resource)

    def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries to the audit log, all in one transaction; what looks like a secret is masked."""
        if entries:
            with self.database.writing() as connection:
                audit_log.append(connection, entries)

    def effective_permission(self, username: str, kind: str, resource_id: str) -> str:
        """Return the name of what a user may do with a resource, all roles and the default counted.

        Raises NotFoundError: there is no such user.
        """
        about = levels.about_of(levels.kind_of(kind), resource_id, levels.USE)
        with self.database.reading() as connection:
            user = accounts.get_user(connection, username)
            is_admin, lowest, highest = grants.effective(connection, user.name, kind, about)
        if is_admin:
            return levels.NAMES[levels.MANAGE]
        if about == levels.NEW:
            may_create = lowest is not None and lowest > 0
            return levels.NAMES[levels.USE if may_create else levels.NO_PERMISSIONS]
        rank = lowest if lowest is not None and lowest < 0 else self._rank(lowest, highest)
        return levels.NAMES[rank] if rank else levels.NAMES[levels.NO_PERMISSIONS]

    def _rank(self, lowest: int | None, highest: int | None) -> int:
        if lowest is None or highest is None:
            return self.settings.default_permission
        return levels.NOTHING if lowest < 0 else highest

    def _exists(self, principal: Principal) -> bool:
        with self.database.reading() as connection:
            return accounts.find_user(connection, principal.name) is not None

    def _by_password(self, given: str, password: str, client: str) -> Principal:
        name = unicodedata.normalize("NFC", given[: 2 * accounts.MAX_NAME])
        with self.database.reading() as connection:
            user = accounts.find_user(connection, name)
        stored = user.password_hash if user else None
        if not self.passwords.is_remembered(name, password, stored):
            self.throttle.check(client, name)
            if not self.passwords.is_right(name, password, stored):
                self.throttle.failed(client, name)
                raise UnauthenticatedError(_WRONG)
            if user is not None and self.passwords.is_outdated(user.password_hash):
                self.administration.renew_hash(user, password)
        if user is None:
            raise UnauthenticatedError(_WRONG)
        return Principal(user.name, user.is_admin)

    def _by_token(self, token: str, user: str | None, client: str) -> Principal:
        with self.database.reading() as connection:
            found = tokens.find(connection, token)
            owner = accounts.find_user(connection, found.user) if found else None
        if (
            found is None
            or owner is None
            or found.is_session
            or (user and unicodedata.normalize("NFC", user) != owner.name)
        ):
            # a token cannot be guessed, so right ones are never held up by wrong ones of the same address
            self.throttle.check(client)
            self.throttle.failed(client)
            raise UnauthenticatedError(_WRONG)
        return self._shown(found, is_admin=owner.is_admin)

    def _by_session(self, session: str, credentials: Credentials) -> Principal:
        if not credentials.reads and PAGE not in credentials.headers:
            # the browser adds its cookie to whatever a page sends, so a change has to show that a page of ours wants it
            raise UnauthenticatedError(f"a session of the pages changes things with the header {PAGE!r} only")
        with self.database.reading() as connection:
            found = tokens.find(connection, session)
            owner = accounts.find_user(connection, found.user) if found else None
        if found is None or owner is None or not found.is_session:
            raise UnauthenticatedError("the session has ended: sign in again")
        return self._shown(found, is_admin=owner.is_admin)

    def _shown(self, found: tokens.Token, *, is_admin: bool) -> Principal:
        if found.last_used_ms is None or accounts.now_ms() - found.last_used_ms > tokens.USED_EVERY_MS:
            self._note_use(found)
        # "admin" says that there is nothing to ask any more, so a token that is less than its user is none
        is_whole = found.scope is Action.MANAGE and found.resources is None
        return Principal(found.user, is_admin and is_whole, found.id)

    def _note_use(self, token: tokens.Token) -> None:
        try:
            with self.database.writing() as connection:
                tokens.used(connection, token)
        except StoreUnavailableError:
            return  # the time is for people; no request fails for it


def _about(resource: Resource) -> str:
    # the kind as a whole is what only a grant for all of it allows
    return levels.one(resource.id) if resource.id else levels.EVERY


def cookie_of(credentials: Credentials, name: str) -> str:
    """Return the value of a cookie of a request; empty when it brings none."""
    for part in credentials.headers.get("cookie", "").split(";"):
        given, _, value = part.strip().partition("=")
        if given == name:
            return value
    return ""


def _decoded(value: str) -> tuple[str, str]:
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnauthenticatedError("the Basic credentials are no base64") from error
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # what clients send that know only RFC 2617
    user, colon, password = text.partition(":")
    if not colon:
        raise UnauthenticatedError("the Basic credentials have no colon between user name and password")
    return user, password
