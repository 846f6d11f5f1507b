"""Changes of accounts: each one a transaction together with its entry in the audit log."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from mlcore.entities import AuditEntry, Resource
from mlcore.errors import InvalidStateError, NotFoundError
from mlcore_auth_basic import accounts, audit_log, bootstrap, grants, levels, tokens
from mlcore_auth_basic.accounts import User, checked_name, get_user, now_ms
from mlcore_auth_basic.database import Database
from mlcore_auth_basic.passwords import Passwords, checked_password
from mlcore_auth_basic.settings import AuthSettings


@frozen
class By:
    """Who makes a change. principal: a user, or `operator:` and the name of somebody on the server's machine."""

    principal: str
    request_id: str = ""


def account(name: str) -> Resource:
    """Return the resource that an account is."""
    return Resource(levels.SERVER, f"users/{name}")


def entry(by: By, endpoint: str, resource: Resource, before: object, after: object) -> AuditEntry:
    """Return the audit entry of a change that happens now and succeeds."""
    return AuditEntry(now_ms(), by.principal, endpoint, resource, 200, by.request_id, before, after)


class Administration:
    """What admins, and users themselves, change: users, tokens, grants. Decides nothing about who may."""

    def __init__(self, database: Database, passwords: Passwords, settings: AuthSettings) -> None:
        """Work on *database*."""
        self.database = database
        self.passwords = passwords
        self.settings = settings

    def bootstrap(self, token: str, name: str, password: str) -> User:
        """Make the first admin. Raises UnauthenticatedError, InvalidStateError, InvalidParameterError."""
        with self.database.reading() as connection:
            bootstrap.check(connection, token)
        return self._first(By(f"bootstrap:{name}"), name, password, token)

    def first_admin(self, by: By, name: str, password: str) -> User:
        """Make the first admin without the token, for who may write the database. Raises InvalidStateError."""
        return self._first(by, name, password, None)

    def _first(self, by: By, name: str, password: str, token: str | None) -> User:
        name, hashed = self._new(name, password)
        with self.database.writing() as connection:
            if token is not None:
                bootstrap.check(connection, token)
            elif accounts.count_admins(connection):
                raise InvalidStateError("there is an admin already: make further ones with `mlcore auth users add`")
            made = accounts.add_user(connection, name, hashed, is_admin=True)
            bootstrap.finish(connection)
            audit_log.append(connection, [entry(by, "auth/bootstrap", account(name), None, _shown(made))])
        bootstrap.remove_file(self.database)
        return made

    def add_user(
        self, by: By, name: str, password: str, *, is_admin: bool = False, may_create: bool | None = None
    ) -> User:
        """Make a user. may_create: experiments and models; None is as the settings say.

        Raises AlreadyExistsError. InvalidParameterError: name or password.
        """
        name, hashed = self._new(name, password)
        creates = self.settings.may_create if may_create is None else may_create
        with self.database.writing() as connection:
            made = accounts.add_user(connection, name, hashed, is_admin=is_admin)
            own = grants.own_role(connection, made.id)
            for kind in levels.KINDS if creates else ():
                grants.put(connection, own, kind, levels.NEW, levels.CREATE)
            after = {**_shown(made), "may_create": creates}
            audit_log.append(connection, [entry(by, "users/create", account(name), None, after)])
        self._drop_bootstrap(is_admin=is_admin)
        return made

    def change_password(self, by: By, name: str, password: str) -> None:
        """Give a user another password; tokens stay, sessions of browsers end. Raises NotFoundError, InvalidParameterError."""
        with self.database.reading() as connection:
            user = get_user(connection, name)
        hashed = self.passwords.hash(checked_password(password, user.name, self.settings.min_password_length))
        with self.database.writing() as connection:
            user = get_user(connection, name)
            connection.execute("UPDATE users SET password_hash = ? WHERE id = ?", (hashed, user.id))
            tokens.end_sessions(connection, user.id)
            change = {"password": audit_log.MASK}
            audit_log.append(connection, [entry(by, "users/update-password", account(user.name), change, change)])

    def renew_hash(self, user: User, password: str) -> None:
        """Store the same password with today's costs; nothing that anybody did."""
        hashed = self.passwords.hash(password)
        with self.database.writing() as connection:
            connection.execute(
                "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
                (hashed, user.id, user.password_hash),
            )

    def set_admin(self, by: By, name: str, *, is_admin: bool) -> None:
        """Make a user an admin, or no longer. Raises NotFoundError. InvalidStateError: it is the last admin."""
        with self.database.writing() as connection:
            user = get_user(connection, name)
            if user.is_admin and not is_admin and accounts.count_admins(connection) == 1:
                raise InvalidStateError(f"{name!r} is the last admin: make another user an admin first")
            connection.execute("UPDATE users SET is_admin = ? WHERE id = ?", (is_admin, user.id))
            before, after = {"is_admin": user.is_admin}, {"is_admin": is_admin}
            audit_log.append(connection, [entry(by, "users/update-admin", account(user.name), before, after)])
        self._drop_bootstrap(is_admin=is_admin)

    def delete_user(self, by: By, name: str) -> None:
        """Delete a user with tokens and grants. Raises NotFoundError. InvalidStateError: it is the last admin."""
        with self.database.writing() as connection:
            user = get_user(connection, name)
            if user.is_admin and accounts.count_admins(connection) == 1:
                raise InvalidStateError(f"{name!r} is the last admin: make another user an admin first")
            before = {**_shown(user), "permissions": [_line(g) for g in grants.of_user(connection, user.id)]}
            connection.execute("DELETE FROM users WHERE id = ?", (user.id,))
            audit_log.append(connection, [entry(by, "users/delete", account(user.name), before, None)])

    def add_token(self, by: By, user: str, wanted: tokens.TokenRequest) -> tuple[str, str]:
        """Make an API token; return its id and the token, which nobody can read again."""
        with self.database.writing() as connection:
            owner = get_user(connection, user)
            tokens.drop_old_sessions(connection)
            token_id, token = tokens.add(connection, owner.id, wanted)
            after: dict[str, object] = {
                "token_id": token_id,
                "name": wanted.name,
                "scope": wanted.scope,
                "expires_ms": wanted.expires_ms,
            }
            after |= {"resources": list(wanted.resources)} if wanted.resources is not None else {}
            audit_log.append(connection, [entry(by, "auth/tokens/create", account(owner.name), None, after)])
        return token_id, token

    def revoke_token(self, by: By, token_id: str) -> None:
        """Delete an API token; it ends at once. Raises NotFoundError."""
        with self.database.writing() as connection:
            found = tokens.get(connection, token_id)
            if found is None:
                raise NotFoundError(f"no API token has the id {token_id!r}")
            tokens.revoke(connection, token_id)
            before = {"token_id": token_id, "name": found.name, "scope": found.scope}
            audit_log.append(connection, [entry(by, "auth/tokens/revoke", account(found.user), before, None)])

    def grant(self, by: By, name: str, kind: str, resource_id: str, permission: str) -> None:
        """Let a user do something with a resource, `*` for all of the kind; replaces what they had on it before.

        Raises NotFoundError: no such user. InvalidParameterError: the three do not fit.
        """
        rank = levels.rank_of(permission)
        about = levels.about_of(levels.kind_of(kind), resource_id, rank)
        with self.database.writing() as connection:
            user = get_user(connection, name)
            own = grants.own_role(connection, user.id)
            before = _rank_on(grants.of_role(connection, own), kind, about)
            grants.put(connection, own, kind, about, rank)
            lines = [{"username": user.name, "permission": levels.NAMES[r]} if r else None for r in (before, rank)]
            target = Resource(kind, resource_id)
            audit_log.append(connection, [entry(by, "users/permissions/grant", target, *lines)])

    def revoke(self, by: By, name: str, kind: str, resource_id: str, *, create: bool = False) -> None:
        """Take back what a user was given on a resource. Raises NotFoundError: no such user or nothing given."""
        is_new = create or levels.kind_of(kind) == levels.WORKSPACE
        about = levels.NEW if is_new else levels.about_of(kind, resource_id, levels.READ)
        with self.database.writing() as connection:
            user = get_user(connection, name)
            own = grants.own_role(connection, user.id)
            before = _rank_on(grants.of_role(connection, own), kind, about)
            if not before:
                raise NotFoundError(f"user {name!r} was given nothing on {kind} {resource_id!r}")
            grants.remove(connection, own, kind, about)
            line = {"username": user.name, "permission": levels.NAMES[before]}
            target = Resource(kind, resource_id)
            audit_log.append(connection, [entry(by, "users/permissions/revoke", target, line, None)])

    def granted(self, name: str, kind: str, resource_id: str) -> str | None:
        """Return the permission that a user was given on just this resource; None for none. Raises NotFoundError."""
        about = levels.about_of(levels.kind_of(kind), resource_id, levels.READ)
        with self.database.reading() as connection:
            user = get_user(connection, name)
            rank = _rank_on(grants.of_role(connection, grants.own_role(connection, user.id)), kind, about)
        return levels.NAMES[rank] if rank else None

    def _new(self, name: str, password: str) -> tuple[str, str]:
        name = checked_name(name)
        return name, self.passwords.hash(checked_password(password, name, self.settings.min_password_length))

    def _drop_bootstrap(self, *, is_admin: bool) -> None:
        """An admin that was made in another way voids the token as well."""
        if is_admin:
            with self.database.writing() as connection:
                bootstrap.finish(connection)
            bootstrap.remove_file(self.database)


def _rank_on(given: Iterable[grants.Grant], kind: str, about: str) -> int | None:
    return next((g.rank for g in given if (g.kind, g.about) == (kind, about)), None)


def _shown(user: User) -> dict[str, object]:
    return {"username": user.name, "is_admin": user.is_admin}


def _line(grant: grants.Grant) -> str:
    return f"{levels.NAMES[grant.rank]} {grant.kind}:{levels.shown(grant.about)}"
