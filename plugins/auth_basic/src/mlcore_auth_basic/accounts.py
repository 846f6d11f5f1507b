"""Users and the roles that they are members of, as rows of the database; no decisions, no audit."""

from __future__ import annotations

import sqlite3
import time
import unicodedata
from collections.abc import Sequence

from attrs import frozen

from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError

MAX_NAME = 128


@frozen
class User:
    """A user. password_hash: as argon2 writes it."""

    id: int
    name: str
    password_hash: str
    is_admin: bool
    created_ms: int


@frozen
class Role:
    """A set of grants with a name."""

    id: int
    name: str
    description: str | None = None


def now_ms() -> int:
    """Return the time in ms since the epoch."""
    return time.time_ns() // 1_000_000


def checked_name(name: str, what: str = "user name") -> str:
    """Return *name* in the one form in which it is kept. Raises InvalidParameterError: it cannot be one."""
    normal = unicodedata.normalize("NFC", name)
    if not 0 < len(normal) <= MAX_NAME or normal != normal.strip() or not normal.isprintable() or ":" in normal:
        raise InvalidParameterError(
            f"{what} {name[:200]!r} cannot be used: expected 1 to {MAX_NAME} printable characters without colon and "
            "without spaces at the ends"
        )
    if normal.startswith("__"):
        raise InvalidParameterError(f"{what} {name!r} cannot be used: names with two underscores in front are ours")
    return normal


def find_user(connection: sqlite3.Connection, name: str) -> User | None:
    """Return the user of that name, or None."""
    row = connection.execute(
        "SELECT id, name, password_hash, is_admin, created_ms FROM users WHERE name = ?", (name,)
    ).fetchone()
    return User(row[0], row[1], row[2], bool(row[3]), row[4]) if row else None


def get_user(connection: sqlite3.Connection, name: str) -> User:
    """Return the user of that name. Raises NotFoundError."""
    found = find_user(connection, unicodedata.normalize("NFC", name))
    if found is None:
        raise NotFoundError(f"no user is called {name!r}")
    return found


def list_users(connection: sqlite3.Connection) -> tuple[User, ...]:
    """Return all users by name."""
    rows = connection.execute("SELECT id, name, password_hash, is_admin, created_ms FROM users ORDER BY name")
    return tuple(User(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows)


def add_user(connection: sqlite3.Connection, name: str, password_hash: str, *, is_admin: bool) -> User:
    """Insert a user with the role of their own. Raises AlreadyExistsError."""
    if find_user(connection, name) is not None:
        raise AlreadyExistsError(f"a user called {name!r} exists already")
    made = connection.execute(
        "INSERT INTO users (name, password_hash, is_admin, created_ms) VALUES (?, ?, ?, ?)",
        (name, password_hash, is_admin, now_ms()),
    ).lastrowid
    own = connection.execute("INSERT INTO roles (user_id) VALUES (?)", (made,)).lastrowid
    connection.execute("INSERT INTO members (user_id, role_id) VALUES (?, ?)", (made, own))
    return get_user(connection, name)


def count_admins(connection: sqlite3.Connection) -> int:
    """Return how many users are admins."""
    return int(connection.execute("SELECT count(*) FROM users WHERE is_admin").fetchone()[0])


def get_role(connection: sqlite3.Connection, role_id: int) -> Role:
    """Return a role that has a name. Raises NotFoundError."""
    row = connection.execute(
        "SELECT id, name, description FROM roles WHERE id = ? AND name IS NOT NULL", (role_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"no role has the id {role_id}")
    return Role(*row)


def list_roles(connection: sqlite3.Connection, user_id: int | None = None) -> tuple[Role, ...]:
    """Return the roles that have a name, of all or of one user, by name."""
    of_user = "AND id IN (SELECT role_id FROM members WHERE user_id = ?)" if user_id is not None else ""
    rows = connection.execute(
        f"SELECT id, name, description FROM roles WHERE name IS NOT NULL {of_user} ORDER BY name",  # noqa: S608  # a constant
        () if user_id is None else (user_id,),
    )
    return tuple(Role(*row) for row in rows)


def members(connection: sqlite3.Connection, role_id: int) -> Sequence[tuple[int, int]]:
    """Return (id of the membership, id of the user) of a role."""
    return connection.execute("SELECT id, user_id FROM members WHERE role_id = ? ORDER BY id", (role_id,)).fetchall()
