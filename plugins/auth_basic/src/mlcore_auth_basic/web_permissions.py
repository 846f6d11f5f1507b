"""MLflow's endpoints for permissions: per resource as in MLflow 2, per user as in MLflow 3."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import Action, Resource
from mlcore.errors import AlreadyExistsError, NotFoundError
from mlcore_auth_basic import accounts, grants, levels
from mlcore_auth_basic.web_call import Call
from mlcore_auth_basic.web_users import permission_line

Answer = Mapping[str, object]


def _target(call: Call) -> Resource:
    """The resource that MLflow 2 names, once the caller may manage it."""
    experiment = call.optional_text("experiment_id")
    found = Resource(levels.EXPERIMENT, experiment) if experiment else Resource(levels.MODEL, call.text("name"))
    call.allow(Action.MANAGE, found if found.id != levels.EVERY else Resource(found.kind))
    return found


def create(call: Call) -> Answer:
    """Give a user a permission on one resource. Raises AlreadyExistsError: there is one."""
    target, name = _target(call), call.text("username")
    if call.authority.administration.granted(name, target.kind, target.id) is not None:
        raise AlreadyExistsError(f"user {name!r} has a permission on {target.kind} {target.id!r} already: update it")
    call.authority.administration.grant(call.by, name, target.kind, target.id, call.text("permission"))
    return _answer(call, target, name)


def get(call: Call) -> Answer:
    """Show what a user was given on one resource."""
    target, name = _target(call), call.text("username")
    return _answer(call, target, name)


def update(call: Call) -> Answer:
    """Change what a user was given on one resource."""
    target, name = _target(call), call.text("username")
    _granted(call, target, name)
    call.authority.administration.grant(call.by, name, target.kind, target.id, call.text("permission"))
    return {}


def delete(call: Call) -> Answer:
    """Take back what a user was given on one resource."""
    target, name = _target(call), call.text("username")
    call.authority.administration.revoke(call.by, name, target.kind, target.id)
    return {}


def grant(call: Call) -> Answer:
    """Give a user a permission, `*` for all of a kind; `CREATE` for making new ones."""
    kind, resource_id = _named(call)
    call.authority.administration.grant(call.by, call.text("username"), kind, resource_id, call.text("permission"))
    return {}


def revoke(call: Call) -> Answer:
    """Take a permission back; with `permission: CREATE` that to make new ones."""
    kind, resource_id = _named(call)
    is_create = (call.optional_text("permission") or "").upper() == levels.NAMES[levels.CREATE]
    call.authority.administration.revoke(call.by, call.text("username"), kind, resource_id, create=is_create)
    return {}


def effective(call: Call) -> Answer:
    """Show what a user may do with a resource, all counted: to oneself, and to who may manage the resource."""
    name, kind, resource_id = (
        call.text("username"),
        levels.kind_of(call.text("resource_type")),
        call.text("resource_id"),
    )
    if name != call.principal.name:
        _allow_managing(call, kind, resource_id)
    call.allow_account(Action.READ, call.principal.name)
    permission = call.authority.effective_permission(name, kind, resource_id)
    return {"allowed": levels.RANKS[permission] >= levels.USE, "permission": permission}


def list_of_user(call: Call) -> Answer:
    """Show all permissions of a user: to oneself, and to admins."""
    return _listed(call, call.text("username"))


def list_own(call: Call) -> Answer:
    """Show all permissions of who calls."""
    return _listed(call, call.principal.name)


def _listed(call: Call, name: str) -> Answer:
    call.allow_account(Action.READ, name)
    with call.authority.database.reading() as connection:
        user = accounts.get_user(connection, name)
        lines = [
            {
                "role_id": g.role_id,
                "role_name": g.role_name or f"__user_{g.user_id}__",
                "workspace": "default",
                "resource_type": g.kind,
                "resource_pattern": levels.shown(g.about),
                "permission": levels.NAMES[g.rank],
            }
            for g in grants.of_user(connection, user.id)
        ]
    return {"is_admin": user.is_admin, "permissions": lines}


def _named(call: Call) -> tuple[str, str]:
    kind, resource_id = levels.kind_of(call.text("resource_type")), call.text("resource_id")
    _allow_managing(call, kind, resource_id)
    return kind, resource_id


def _allow_managing(call: Call, kind: str, resource_id: str) -> None:
    if kind not in levels.KINDS or resource_id == levels.EVERY:
        call.allow_admin()
    else:
        call.allow(Action.MANAGE, Resource(kind, resource_id))


def _granted(call: Call, target: Resource, name: str) -> str:
    found = call.authority.administration.granted(name, target.kind, target.id)
    if found is None:
        raise NotFoundError(f"user {name!r} was given nothing on {target.kind} {target.id!r}")
    return found


def _answer(call: Call, target: Resource, name: str) -> Answer:
    permission = _granted(call, target, name)
    with call.authority.database.reading() as connection:
        user = accounts.get_user(connection, name)
    line = permission_line(target.kind, target.id, user.id, levels.RANKS[permission])
    return {f"{target.kind}_permission": line}
