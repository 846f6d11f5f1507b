"""What the plugin adds to the server: the authority, and its routes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlcore.entities import Action, Permission
from mlcore.hookspecs import WebContext, WebPart, WebRoute
from mlcore_auth_basic import bootstrap, levels, web_permissions, web_roles, web_session, web_tokens, web_users
from mlcore_auth_basic.authority import BasicAuthority
from mlcore_auth_basic.database import FILE, Database
from mlcore_auth_basic.web_call import ADMIN, ANYBODY, KNOWN, Operation, route

_MANAGE_EXPERIMENT = Permission(Action.MANAGE, levels.EXPERIMENT, "experiment_id")
_MANAGE_MODEL = Permission(Action.MANAGE, levels.MODEL, "name")

# method, what follows /api/2.0/mlflow/, permission, operation
_V2: tuple[tuple[str, str, Permission, Operation], ...] = (
    ("POST", "users/create", ADMIN, web_users.create),
    ("GET", "users/get", KNOWN, web_users.get),
    ("GET", "users/list", ADMIN, web_users.list_all),
    ("GET", "users/current", KNOWN, web_users.current),
    ("PATCH", "users/update-password", KNOWN, web_users.update_password),
    ("PATCH", "users/update-admin", ADMIN, web_users.update_admin),
    ("DELETE", "users/delete", ADMIN, web_users.delete),
    *(
        (method, f"{path}/permissions/{verb}", permission, operation)
        for path, permission in (("experiments", _MANAGE_EXPERIMENT), ("registered-models", _MANAGE_MODEL))
        for method, verb, operation in (
            ("POST", "create", web_permissions.create),
            ("GET", "get", web_permissions.get),
            ("PATCH", "update", web_permissions.update),
            ("DELETE", "delete", web_permissions.delete),
        )
    ),
)
# the same for /api/3.0/mlflow/
_V3: tuple[tuple[str, str, Permission, Operation], ...] = (
    ("POST", "users/permissions/grant", KNOWN, web_permissions.grant),
    ("POST", "users/permissions/revoke", KNOWN, web_permissions.revoke),
    ("GET", "users/permissions/get", KNOWN, web_permissions.effective),
    ("GET", "users/permissions/list", KNOWN, web_permissions.list_of_user),
    ("GET", "users/current/permissions", KNOWN, web_permissions.list_own),
    ("GET", "users/roles/list", KNOWN, web_roles.list_of_user),
    ("POST", "roles/create", ADMIN, web_roles.create),
    ("GET", "roles/get", ADMIN, web_roles.get),
    ("GET", "roles/list", ADMIN, web_roles.list_all),
    ("PATCH", "roles/update", ADMIN, web_roles.update),
    ("DELETE", "roles/delete", ADMIN, web_roles.delete),
    ("POST", "roles/permissions/add", ADMIN, web_roles.add_permission),
    ("DELETE", "roles/permissions/remove", ADMIN, web_roles.remove_permission),
    ("GET", "roles/permissions/list", ADMIN, web_roles.list_permissions),
    ("PATCH", "roles/permissions/update", ADMIN, web_roles.update_permission),
    ("POST", "roles/assign", ADMIN, web_roles.assign),
    ("DELETE", "roles/unassign", ADMIN, web_roles.unassign),
    ("GET", "roles/users/list", ADMIN, web_roles.list_users),
)
_OWN: tuple[tuple[str, str, Permission, Operation], ...] = (
    ("POST", bootstrap.PATH, ANYBODY, web_tokens.bootstrap),
    ("POST", "/api/mlcore/auth/tokens", KNOWN, web_tokens.create),
    ("GET", "/api/mlcore/auth/tokens", KNOWN, web_tokens.list_tokens),
    ("DELETE", "/api/mlcore/auth/tokens", KNOWN, web_tokens.revoke),
    ("GET", "/api/mlcore/audit", ADMIN, web_tokens.audit),
)


def has_users(context: WebContext) -> bool:
    """Whether somebody has an account in the server's state directory; writes nothing."""
    directory = Path(context.state_dir)
    if not (directory / FILE).is_file():
        return False
    database = Database.open(directory)
    try:
        with database.reading() as connection:
            return connection.execute("SELECT 1 FROM users LIMIT 1").fetchone() is not None
    finally:
        database.close()


def parts(context: WebContext) -> Sequence[WebPart]:
    """Open the authority in the server's state directory and return it with its routes."""
    authority = BasicAuthority.open(Path(context.state_dir))
    bootstrap.announce(authority.database, sys.stderr, context.prefix)
    return [authority, *routes(authority)]


def routes(authority: BasicAuthority) -> Iterator[WebRoute]:
    """Return the routes of *authority*."""
    for table, version in ((_V2, "2.0"), (_V3, "3.0")):
        for method, path, permission, operation in table:
            for start in ("api", "ajax-api"):
                yield route(authority, method, f"/{start}/{version}/mlflow/{path}", permission, operation)
    for method, path, permission, operation in _OWN:
        yield route(authority, method, path, permission, operation)
    yield from web_session.routes(authority)
