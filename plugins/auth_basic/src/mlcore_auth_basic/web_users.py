"""MLflow's endpoints for users: `users/create`, `get`, `list`, `current`, `update-password`, `update-admin`, `delete`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from mlcore.entities import Action
from mlcore.errors import BadRequestError, InvalidParameterError
from mlcore_auth_basic import accounts, grants, levels
from mlcore_auth_basic.accounts import User
from mlcore_auth_basic.web_call import Call

Answer = Mapping[str, object]


def create(call: Call) -> Answer:
    """Make a user who is no admin."""
    call.allow_admin()
    made = call.authority.administration.add_user(call.by, call.text("username"), call.text("password"))
    return {"user": _user(made, ())}


def get(call: Call) -> Answer:
    """Show a user: oneself, or any to an admin."""
    name = call.text("username")
    call.allow_account(Action.READ, name)
    with call.authority.database.reading() as connection:
        user = accounts.get_user(connection, name)
        own = grants.of_role(connection, grants.own_role(connection, user.id))
    return {"user": _user(user, own)}


def list_all(call: Call) -> Answer:
    """Show all users with their roles."""
    call.allow_admin()
    with call.authority.database.reading() as connection:
        return {"users": [_with_roles(connection, user) for user in accounts.list_users(connection)]}


def current(call: Call) -> Answer:
    """Say who calls."""
    call.allow_account(Action.READ, call.principal.name)
    with call.authority.database.reading() as connection:
        user = accounts.get_user(connection, call.principal.name)
    about = {"id": user.id, "username": user.name, "is_admin": user.is_admin}
    return {"user": about, "is_basic_auth": True}


def update_password(call: Call) -> Answer:
    """Change a password: one's own, or anybody's for an admin."""
    name = call.text("username")
    call.allow_account(Action.EDIT, name)
    if name == call.principal.name:
        _confirm(call)
    call.authority.administration.change_password(call.by, name, call.text("password"))
    return {}


def update_admin(call: Call) -> Answer:
    """Make a user an admin, or no longer."""
    call.allow_admin()
    call.authority.administration.set_admin(call.by, call.text("username"), is_admin=call.flag("is_admin"))
    return {}


def delete(call: Call) -> Answer:
    """Delete a user with tokens and permissions."""
    call.allow_admin()
    name = call.text("username")
    if name == call.principal.name:
        raise BadRequestError("users cannot delete their own account: ask another admin")
    call.authority.administration.delete_user(call.by, name)
    return {}


def _confirm(call: Call) -> None:
    """Raises InvalidParameterError: `current_password` is wrong; or absent, when a token and no password was shown."""
    given = call.optional_text("current_password")
    if given is None:
        if call.principal.token_id is not None:
            raise InvalidParameterError("an API token alone does not change a password: give current_password as well")
        return  # clients before MLflow 3 send none; the request itself was signed in with the password
    authority, name = call.authority, call.principal.name
    authority.throttle.check(call.client, name)
    with authority.database.reading() as connection:
        stored = accounts.get_user(connection, name).password_hash
    if not authority.passwords.is_right(name, given, stored):
        authority.throttle.failed(call.client, name)
        raise InvalidParameterError("current_password is not the password")
    if given == call.text("password"):
        raise InvalidParameterError("the new password is the present one: choose another")


def _user(user: User, own: Iterable[grants.Grant]) -> Answer:
    """A user as MLflow 2 shows one; MLflow 3 leaves the permissions out and does not mind them."""
    lines: dict[str, list[Answer]] = {levels.EXPERIMENT: [], levels.MODEL: []}
    for grant in own:
        if grant.kind in lines and grant.about != levels.NEW:
            lines[grant.kind].append(permission_line(grant.kind, levels.shown(grant.about), user.id, grant.rank))
    return {
        "id": user.id,
        "username": user.name,
        "is_admin": user.is_admin,
        "experiment_permissions": lines[levels.EXPERIMENT],
        "registered_model_permissions": lines[levels.MODEL],
    }


def permission_line(kind: str, resource_id: str, user_id: int, rank: int) -> Answer:
    """Return a permission on one resource as MLflow 2 shows it."""
    key = "experiment_id" if kind == levels.EXPERIMENT else "name"
    return {key: resource_id, "user_id": user_id, "permission": levels.NAMES[rank]}


def _with_roles(connection: sqlite3.Connection, user: User) -> Answer:
    roles = [role_line(connection, role) for role in accounts.list_roles(connection, user.id)]
    return {"id": user.id, "username": user.name, "is_admin": user.is_admin, "roles": roles}


def role_line(connection: sqlite3.Connection, role: accounts.Role) -> Answer:
    """Return a role with its permissions as MLflow 3 shows it."""
    return {
        "id": role.id,
        "name": role.name,
        "workspace": "default",
        "description": role.description,
        "permissions": [role_permission_line(grant) for grant in grants.of_role(connection, role.id)],
    }


def role_permission_line(grant: grants.Grant) -> Answer:
    """Return one permission of a role as MLflow 3 shows it."""
    return {
        "id": grant.id,
        "role_id": grant.role_id,
        "resource_type": grant.kind,
        "resource_pattern": levels.shown(grant.about),
        "permission": levels.NAMES[grant.rank],
    }
