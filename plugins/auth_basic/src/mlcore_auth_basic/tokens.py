"""API tokens: random secrets, shown once and kept as hashes, with a scope, an end and perhaps a list of resources."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Sequence

from attrs import evolve, frozen

from mlcore.entities import Action, Resource
from mlcore.errors import InvalidParameterError
from mlcore_auth_basic import levels
from mlcore_auth_basic.accounts import now_ms

PREFIX = "mlc_"  # so that scanners of secrets recognise them
USED_EVERY_MS = 60_000  # how exact `last_used_ms` is


@frozen
class Token:
    """What is known of a token; not the token itself.

    scope: the most that can be done with it, whatever its user may: read, edit or manage.
    resources: what it is limited to, as `kind:id` or `kind:*`; None for everything that its user may.
    """

    id: str
    user: str
    name: str
    scope: Action
    resources: tuple[str, ...] | None
    created_ms: int
    expires_ms: int | None = None
    last_used_ms: int | None = None
    is_session: bool = False


@frozen
class TokenRequest:
    """What a new token shall be. expires_ms: None for never. is_session: of a browser, which brings it as a cookie."""

    name: str
    scope: Action
    resources: tuple[str, ...] | None = None
    expires_ms: int | None = None
    is_session: bool = False


def digest(token: str) -> bytes:
    """Return what is stored of a token. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def checked_scope(text: str) -> Action:
    """Return the scope of that name. Raises InvalidParameterError."""
    for scope in levels.SCOPES:
        if text.lower() == scope:
            return scope
    raise InvalidParameterError(f"unknown scope {text!r}, expected one of {', '.join(levels.SCOPES)}")


def parse_resource(text: str) -> Resource:
    """Read `experiment:12`, `registered_model:wine`, `experiment:*` or `server:*`. Raises InvalidParameterError."""
    kind, _, name = text.partition(":")
    if not name or not (kind in levels.KINDS or text == "server:*"):
        raise InvalidParameterError(f"resource {text!r} is not known, expected {' or '.join(levels.KINDS)}:ID, or :*")
    return Resource(kind, name)


def about(resource: Resource) -> str:
    """Return what the database keeps for a resource that was written as text."""
    return levels.EVERY if resource.id == "*" else levels.one(resource.id)


def add(connection: sqlite3.Connection, user_id: int, wanted: TokenRequest) -> tuple[str, str]:
    """Insert a token; return its id and the token. Raises InvalidParameterError."""
    if not wanted.name.strip() or len(wanted.name) > 128:
        raise InvalidParameterError(f"token name {wanted.name[:200]!r} cannot be used: expected 1 to 128 characters")
    if wanted.expires_ms is not None and wanted.expires_ms <= now_ms():
        raise InvalidParameterError("the token's end is in the past")
    if wanted.resources is not None and not wanted.resources:
        raise InvalidParameterError("the list of the token's resources is empty: name some, or leave the list out")
    token, token_id = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(6)
    is_limited = wanted.resources is not None
    connection.execute(
        "INSERT INTO tokens (id, hash, user_id, name, scope, is_limited, created_ms, expires_ms, is_session) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(token_id, digest(token), user_id, wanted.name, wanted.scope, is_limited),
            *(now_ms(), wanted.expires_ms, wanted.is_session),
        ),
    )
    for text in dict.fromkeys(wanted.resources or ()):
        resource = parse_resource(text)
        connection.execute(
            "INSERT INTO token_resources (token_id, kind, about) VALUES (?, ?, ?)",
            (token_id, resource.kind, about(resource)),
        )
    return token_id, token


_COLUMNS = (
    "SELECT t.id, u.name, t.name, t.scope, t.is_limited, t.created_ms, t.expires_ms, t.last_used_ms, t.is_session "
    "FROM tokens t JOIN users u ON u.id = t.user_id "
)


def find(connection: sqlite3.Connection, token: str) -> Token | None:
    """Return what is known of a token, without its resources; None when it is unknown or over."""
    row = connection.execute(_COLUMNS + "WHERE t.hash = ?", (digest(token),)).fetchone()
    found = _token(row) if row else None
    return found if found and is_valid(found) else None


def is_valid(token: Token) -> bool:
    """Whether its end has not come yet."""
    return token.expires_ms is None or token.expires_ms > now_ms()


def get(connection: sqlite3.Connection, token_id: str) -> Token | None:
    """Return a token by its id, or None."""
    row = connection.execute(_COLUMNS + "WHERE t.id = ?", (token_id,)).fetchone()
    return _with_resources(connection, row) if row else None


def of_user(connection: sqlite3.Connection, user: str | None) -> tuple[Token, ...]:
    """Return the tokens of a user, or of all, newest first."""
    rows = connection.execute(
        _COLUMNS + "WHERE ? IS NULL OR u.name = ? ORDER BY t.created_ms DESC, t.id", (user, user)
    ).fetchall()
    return tuple(_with_resources(connection, row) for row in rows)


def revoke(connection: sqlite3.Connection, token_id: str) -> None:
    """Delete a token."""
    connection.execute("DELETE FROM tokens WHERE id = ?", (token_id,))


def end_sessions(connection: sqlite3.Connection, user_id: int) -> None:
    """Delete the sessions of a user's browsers."""
    connection.execute("DELETE FROM tokens WHERE user_id = ? AND is_session", (user_id,))


def drop_old_sessions(connection: sqlite3.Connection) -> None:
    """Delete what is left of sessions that are over."""
    connection.execute("DELETE FROM tokens WHERE is_session AND expires_ms <= ?", (now_ms(),))


def used(connection: sqlite3.Connection, token: Token) -> None:
    """Note that it was used just now."""
    connection.execute("UPDATE tokens SET last_used_ms = ? WHERE id = ?", (now_ms(), token.id))


def allows(
    connection: sqlite3.Connection, token_id: str, user: str, action: Action, resource: Resource, *, is_own: bool
) -> bool:
    """Whether a token's scope, end and resources leave room for the action, not asking what its user may.

    is_own: the resource is the user's account, which each of their tokens may read.
    """
    row = connection.execute(
        "SELECT t.scope, t.is_limited, t.expires_ms, EXISTS (SELECT 1 FROM token_resources r "
        "WHERE r.token_id = t.id AND r.kind = ? AND r.about IN (?, ?)) "
        "FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ? AND u.name = ?",
        (resource.kind, levels.one(resource.id), levels.EVERY, token_id, user),
    ).fetchone()
    if row is None or (row[2] is not None and row[2] <= now_ms()):
        return False
    is_enough = levels.NEEDED[Action(row[0])] >= levels.NEEDED[action]
    # a token for some experiments is none for the server as a whole
    return is_enough and (not row[1] or bool(row[3]) or (is_own and action is Action.READ))


def limits(connection: sqlite3.Connection, token_id: str, user: str, kind: str) -> frozenset[str] | None:
    """Return what of a kind a token is limited to, `*` for all of it; None when it is not limited."""
    row = connection.execute(
        "SELECT t.is_limited, t.expires_ms FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ? AND u.name = ?",
        (token_id, user),
    ).fetchone()
    if row is None or (row[1] is not None and row[1] <= now_ms()):
        return frozenset()
    if not row[0]:
        return None
    found = connection.execute("SELECT about FROM token_resources WHERE token_id = ? AND kind = ?", (token_id, kind))
    return frozenset(about for (about,) in found)


def widen(connection: sqlite3.Connection, token_id: str, resource: Resource) -> None:
    """Let a limited token reach what was made with it."""
    connection.execute(
        "INSERT OR IGNORE INTO token_resources (token_id, kind, about) "
        "SELECT id, ?, ? FROM tokens WHERE id = ? AND is_limited",
        (resource.kind, levels.one(resource.id), token_id),
    )


def _token(row: Sequence[object]) -> Token:
    token_id, user, name, scope, is_limited, created, expires, last_used, is_session = row
    return Token(
        str(token_id),
        str(user),
        str(name),
        Action(str(scope)),
        () if is_limited else None,
        int(str(created)),
        expires if isinstance(expires, int) else None,
        last_used if isinstance(last_used, int) else None,
        bool(is_session),
    )


def _with_resources(connection: sqlite3.Connection, row: Sequence[object]) -> Token:
    token = _token(row)
    if token.resources is None:
        return token
    found = connection.execute(
        "SELECT kind, about FROM token_resources WHERE token_id = ? ORDER BY kind, about", (token.id,)
    )
    return evolve(token, resources=tuple(f"{kind}:{levels.shown(what)}" for kind, what in found))
