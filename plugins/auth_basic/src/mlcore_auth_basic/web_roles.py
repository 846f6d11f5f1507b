"""MLflow 3's endpoints for roles; for admins, but for the list of one's own."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import Action
from mlcore.errors import InvalidParameterError
from mlcore_auth_basic import accounts, grants
from mlcore_auth_basic.roles import Roles
from mlcore_auth_basic.web_call import Call
from mlcore_auth_basic.web_users import role_line, role_permission_line

Answer = Mapping[str, object]


def _roles(call: Call) -> Roles:
    call.allow_admin()
    workspace = call.optional_text("workspace")
    if workspace not in (None, "", "default"):
        raise InvalidParameterError(f"workspace {workspace!r} is not known: this server has the one called 'default'")
    return Roles(call.authority.database)


def _shown(call: Call, role: accounts.Role) -> Answer:
    with call.authority.database.reading() as connection:
        return {"role": role_line(connection, role)}


def create(call: Call) -> Answer:
    """Make a role."""
    return _shown(call, _roles(call).create(call.by, call.text("name"), call.optional_text("description")))


def get(call: Call) -> Answer:
    """Show a role."""
    with _roles(call).database.reading() as connection:
        return {"role": role_line(connection, accounts.get_role(connection, call.number("role_id")))}


def list_all(call: Call) -> Answer:
    """Show all roles."""
    with _roles(call).database.reading() as connection:
        return {"roles": [role_line(connection, role) for role in accounts.list_roles(connection)]}


def update(call: Call) -> Answer:
    """Change name or description of a role."""
    name, description = call.optional_text("name"), call.optional_text("description")
    return _shown(call, _roles(call).update(call.by, call.number("role_id"), name, description))


def delete(call: Call) -> Answer:
    """Delete a role."""
    _roles(call).delete(call.by, call.number("role_id"))
    return {}


def add_permission(call: Call) -> Answer:
    """Give a role a permission."""
    kind, pattern = call.text("resource_type"), call.text("resource_pattern")
    made = _roles(call).add_permission(call.by, call.number("role_id"), kind, pattern, call.text("permission"))
    return {"role_permission": role_permission_line(made)}


def update_permission(call: Call) -> Answer:
    """Change a permission of a role."""
    new = _roles(call).update_permission(call.by, call.number("role_permission_id"), call.text("permission"))
    return {"role_permission": role_permission_line(new)}


def remove_permission(call: Call) -> Answer:
    """Take a permission from a role."""
    _roles(call).remove_permission(call.by, call.number("role_permission_id"))
    return {}


def list_permissions(call: Call) -> Answer:
    """Show the permissions of a role."""
    with _roles(call).database.reading() as connection:
        role = accounts.get_role(connection, call.number("role_id"))
        return {"role_permissions": [role_permission_line(g) for g in grants.of_role(connection, role.id)]}


def assign(call: Call) -> Answer:
    """Give a user a role."""
    role_id = call.number("role_id")
    membership, user_id = _roles(call).assign(call.by, role_id, call.text("username"))
    return {"assignment": {"id": membership, "user_id": user_id, "role_id": role_id}}


def unassign(call: Call) -> Answer:
    """Take a role from a user."""
    _roles(call).unassign(call.by, call.number("role_id"), call.text("username"))
    return {}


def list_users(call: Call) -> Answer:
    """Show who has a role."""
    with _roles(call).database.reading() as connection:
        role = accounts.get_role(connection, call.number("role_id"))
        found = accounts.members(connection, role.id)
    return {"assignments": [{"id": each, "user_id": user, "role_id": role.id} for each, user in found]}


def list_of_user(call: Call) -> Answer:
    """Show the roles of a user: to oneself, and to admins."""
    name = call.text("username")
    call.allow_account(Action.READ, name)
    with call.authority.database.reading() as connection:
        user = accounts.get_user(connection, name)
        return {"roles": [role_line(connection, role) for role in accounts.list_roles(connection, user.id)]}
