"""What roles may do with which resources, as rows of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from attrs import frozen

from mlcore.entities import Resource
from mlcore_auth_basic import levels


@frozen
class Grant:
    """One line of what a role may do.

    role_name: None for the role of a single user, whose id is `user_id` then.
    about: see `levels`. rank: see `levels`.
    """

    id: int
    role_id: int
    role_name: str | None
    user_id: int | None
    kind: str
    about: str
    rank: int


_COLUMNS = "g.id, g.role_id, r.name, r.user_id, g.kind, g.about, g.rank FROM grants g JOIN roles r ON r.id = g.role_id"


def put(connection: sqlite3.Connection, role_id: int, kind: str, about: str, rank: int) -> None:
    """Add a grant, or give the present one another rank."""
    connection.execute(
        "INSERT INTO grants (role_id, kind, about, rank) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (role_id, kind, about) DO UPDATE SET rank = excluded.rank",
        (role_id, kind, about, rank),
    )


def remove(connection: sqlite3.Connection, role_id: int, kind: str, about: str) -> bool:
    """Delete a grant; whether there was one."""
    done = connection.execute("DELETE FROM grants WHERE role_id = ? AND kind = ? AND about = ?", (role_id, kind, about))
    return done.rowcount > 0


def of_role(connection: sqlite3.Connection, role_id: int) -> tuple[Grant, ...]:
    """Return the grants of one role, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} WHERE g.role_id = ? ORDER BY g.id", (role_id,))
    return tuple(Grant(*row) for row in rows)


def of_user(connection: sqlite3.Connection, user_id: int) -> tuple[Grant, ...]:
    """Return the grants of all roles of a user, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} JOIN members m ON m.role_id = r.id WHERE m.user_id = ? ORDER BY g.id",
        (user_id,),
    )
    return tuple(Grant(*row) for row in rows)


def get(connection: sqlite3.Connection, grant_id: int) -> Grant | None:
    """Return one grant of a role that has a name, or None."""
    row = connection.execute(
        f"SELECT {_COLUMNS} WHERE g.id = ? AND r.name IS NOT NULL",
        (grant_id,),
    ).fetchone()
    return Grant(*row) if row else None


def own_role(connection: sqlite3.Connection, user_id: int) -> int:
    """Return the id of the role that a user has alone."""
    return int(connection.execute("SELECT id FROM roles WHERE user_id = ?", (user_id,)).fetchone()[0])


def effective(connection: sqlite3.Connection, name: str, kind: str, about: str) -> tuple[bool, int | None, int | None]:
    """Return whether the user is admin, and the lowest and highest rank of what they were given; None for nothing.

    Raises LookupError: there is no such user.
    """
    other = levels.NEW if about == levels.NEW else levels.EVERY
    wide = levels.WORKSPACE if about == levels.NEW else kind
    row = connection.execute(
        "SELECT u.is_admin, min(g.rank), max(g.rank) FROM users u "
        "LEFT JOIN members m ON m.user_id = u.id "
        "LEFT JOIN grants g ON g.role_id = m.role_id AND g.kind IN (?, ?) AND g.about IN (?, ?) "
        "WHERE u.name = ? GROUP BY u.id",
        (kind, wide, about, other, name),
    ).fetchone()
    if row is None:
        raise LookupError(name)
    return bool(row[0]), row[1], row[2]


def among(connection: sqlite3.Connection, name: str, kind: str, abouts: str) -> Sequence[tuple[str, int, int]]:
    """Return (about, lowest rank, highest rank) for those of *abouts*, a JSON list, that the user was given something on."""
    return connection.execute(
        "SELECT g.about, min(g.rank), max(g.rank) FROM json_each(?) wanted "
        "CROSS JOIN users u CROSS JOIN members m ON m.user_id = u.id "
        "CROSS JOIN grants g ON g.role_id = m.role_id AND g.kind = ? AND g.about = wanted.value "
        "WHERE u.name = ? GROUP BY g.about",
        (abouts, kind, name),
    ).fetchall()


def forget(connection: sqlite3.Connection, resource: Resource) -> None:
    """Delete everything that was granted on a resource, to roles and to tokens."""
    found = (resource.kind, levels.one(resource.id))
    connection.execute("DELETE FROM grants WHERE kind = ? AND about = ?", found)
    connection.execute("DELETE FROM token_resources WHERE kind = ? AND about = ?", found)


def move(connection: sqlite3.Connection, resource: Resource, new_id: str) -> None:
    """Let what was granted on a resource hold for its new id."""
    forget(connection, Resource(resource.kind, new_id))
    changed = (levels.one(new_id), resource.kind, levels.one(resource.id))
    connection.execute("UPDATE grants SET about = ? WHERE kind = ? AND about = ?", changed)
    connection.execute("UPDATE token_resources SET about = ? WHERE kind = ? AND about = ?", changed)
