"""Changes of roles, as MLflow 3 has them: each one a transaction together with its entry in the audit log."""

from __future__ import annotations

import sqlite3

from mlcore.entities import Resource
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore_auth_basic import accounts, audit_log, grants, levels
from mlcore_auth_basic.accounts import Role, checked_name
from mlcore_auth_basic.administration import By, entry
from mlcore_auth_basic.database import Database

MAX_DESCRIPTION = 5000


class Roles:
    """Named sets of grants that users can be members of. Decides nothing about who may change them."""

    def __init__(self, database: Database) -> None:
        """Work on *database*."""
        self.database = database

    def create(self, by: By, name: str, description: str | None) -> Role:
        """Make a role without grants. Raises AlreadyExistsError, InvalidParameterError."""
        name = checked_name(name, "role name")
        _check_description(description)
        with self.database.writing() as connection:
            _check_free(connection, name)
            made = connection.execute("INSERT INTO roles (name, description) VALUES (?, ?)", (name, description))
            role = Role(int(made.lastrowid or 0), name, description)
            after = {"name": name, "description": description}
            audit_log.append(connection, [entry(by, "roles/create", _of(role), None, after)])
        return role

    def update(self, by: By, role_id: int, name: str | None, description: str | None) -> Role:
        """Change name and description; None leaves one as it is. Raises NotFoundError, AlreadyExistsError."""
        _check_description(description)
        with self.database.writing() as connection:
            old = accounts.get_role(connection, role_id)
            new_name = old.name if name is None else checked_name(name, "role name")
            if new_name != old.name:
                _check_free(connection, new_name)
            role = Role(role_id, new_name, old.description if description is None else description)
            connection.execute(
                "UPDATE roles SET name = ?, description = ? WHERE id = ?", (role.name, role.description, role_id)
            )
            before = {"name": old.name, "description": old.description}
            after = {"name": role.name, "description": role.description}
            audit_log.append(connection, [entry(by, "roles/update", _of(role), before, after)])
        return role

    def delete(self, by: By, role_id: int) -> None:
        """Delete a role; its members lose what it gave them. Raises NotFoundError."""
        with self.database.writing() as connection:
            role = accounts.get_role(connection, role_id)
            before = {"name": role.name, "permissions": [_line(g) for g in grants.of_role(connection, role_id)]}
            connection.execute("DELETE FROM roles WHERE id = ?", (role_id,))
            audit_log.append(connection, [entry(by, "roles/delete", _of(role), before, None)])

    def add_permission(self, by: By, role_id: int, kind: str, pattern: str, permission: str) -> grants.Grant:
        """Give a role a permission on a resource, or on `*`. Raises NotFoundError, InvalidParameterError."""
        rank = levels.rank_of(permission)
        about = levels.about_of(levels.kind_of(kind), pattern, rank)
        with self.database.writing() as connection:
            role = accounts.get_role(connection, role_id)
            if any((g.kind, g.about) == (kind, about) for g in grants.of_role(connection, role_id)):
                raise AlreadyExistsError(f"role {role.name!r} has a permission on {kind} {pattern!r}: update that")
            grants.put(connection, role_id, kind, about, rank)
            made = next(g for g in grants.of_role(connection, role_id) if (g.kind, g.about) == (kind, about))
            audit_log.append(connection, [entry(by, "roles/permissions/add", _of(role), None, _line(made))])
        return made

    def update_permission(self, by: By, grant_id: int, permission: str) -> grants.Grant:
        """Give a line of a role another permission. Raises NotFoundError, InvalidParameterError."""
        rank = levels.rank_of(permission)
        with self.database.writing() as connection:
            old = _grant(connection, grant_id)
            if levels.about_of(old.kind, levels.shown(old.about), rank) != old.about:
                raise InvalidParameterError(
                    f"{levels.NAMES[rank]} and {_line(old)} are about different things: add one"
                )
            grants.put(connection, old.role_id, old.kind, old.about, rank)
            new = _grant(connection, grant_id)
            role = accounts.get_role(connection, old.role_id)
            audit_log.append(connection, [entry(by, "roles/permissions/update", _of(role), _line(old), _line(new))])
        return new

    def remove_permission(self, by: By, grant_id: int) -> None:
        """Take a line from a role. Raises NotFoundError."""
        with self.database.writing() as connection:
            old = _grant(connection, grant_id)
            role = accounts.get_role(connection, old.role_id)
            grants.remove(connection, old.role_id, old.kind, old.about)
            audit_log.append(connection, [entry(by, "roles/permissions/remove", _of(role), _line(old), None)])

    def assign(self, by: By, role_id: int, username: str) -> tuple[int, int]:
        """Make a user a member; return the ids of membership and user. Raises NotFoundError, AlreadyExistsError."""
        with self.database.writing() as connection:
            role, user = accounts.get_role(connection, role_id), accounts.get_user(connection, username)
            if any(user.id == member for _, member in accounts.members(connection, role_id)):
                raise AlreadyExistsError(f"user {username!r} has the role {role.name!r} already")
            made = connection.execute("INSERT INTO members (user_id, role_id) VALUES (?, ?)", (user.id, role_id))
            after = {"username": user.name}
            audit_log.append(connection, [entry(by, "roles/assign", _of(role), None, after)])
        return int(made.lastrowid or 0), user.id

    def unassign(self, by: By, role_id: int, username: str) -> None:
        """End a membership. Raises NotFoundError."""
        with self.database.writing() as connection:
            role, user = accounts.get_role(connection, role_id), accounts.get_user(connection, username)
            done = connection.execute("DELETE FROM members WHERE user_id = ? AND role_id = ?", (user.id, role_id))
            if not done.rowcount:
                raise NotFoundError(f"user {username!r} does not have the role {role.name!r}")
            before = {"username": user.name}
            audit_log.append(connection, [entry(by, "roles/unassign", _of(role), before, None)])


def _of(role: Role) -> Resource:
    return Resource(levels.SERVER, f"roles/{role.name}")


def _line(grant: grants.Grant) -> dict[str, object]:
    return {
        "resource_type": grant.kind,
        "resource_pattern": levels.shown(grant.about),
        "permission": levels.NAMES[grant.rank],
    }


def _grant(connection: sqlite3.Connection, grant_id: int) -> grants.Grant:
    found = grants.get(connection, grant_id)
    if found is None:
        raise NotFoundError(f"no permission of a role has the id {grant_id}")
    return found


def _check_free(connection: sqlite3.Connection, name: str) -> None:
    if connection.execute("SELECT 1 FROM roles WHERE name = ?", (name,)).fetchone():
        raise AlreadyExistsError(f"a role called {name!r} exists already")


def _check_description(text: str | None) -> None:
    if text is not None and len(text) > MAX_DESCRIPTION:
        raise InvalidParameterError(f"the description has {len(text)} characters, expected {MAX_DESCRIPTION} or fewer")
