"""Our own endpoints: the first admin, API tokens, the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import Action, Resource
from mlcore.errors import InvalidParameterError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from mlcore_auth_basic import audit_log, tokens
from mlcore_auth_basic.accounts import now_ms
from mlcore_auth_basic.administration import account
from mlcore_auth_basic.audit_log import AuditQuery, AuditRow
from mlcore_auth_basic.moments import moment_ms
from mlcore_auth_basic.tokens import Token, TokenRequest
from mlcore_auth_basic.web_call import Call

Answer = Mapping[str, object]
DEFAULT_LIFE_S = 90 * 24 * 3600
MAX_LIFE_S = 100 * 365 * 24 * 3600


def bootstrap(call: Call) -> Answer:
    """Make the first admin with the one-time token."""
    call.authority.throttle.check(call.client)
    try:
        made = call.authority.administration.bootstrap(call.text("token"), call.text("username"), call.text("password"))
    except UnauthenticatedError:
        call.authority.throttle.failed(call.client)
        raise
    return {"user": {"id": made.id, "username": made.name, "is_admin": made.is_admin}}


def create(call: Call) -> Answer:
    """Make an API token: for oneself, or for anybody by an admin. The token is in this answer and nowhere else."""
    user = call.optional_text("username") or call.principal.name
    call.allow_account(Action.EDIT, user)
    if call.principal.token_id is not None:
        raise PermissionDeniedError("an API token makes no further ones: sign in with the password")
    life_s = call.number("expires_in_s", DEFAULT_LIFE_S)
    if not 0 <= life_s <= MAX_LIFE_S:
        raise InvalidParameterError(f"expires_in_s is {life_s}, expected seconds up to {MAX_LIFE_S}, or 0 for never")
    scope = tokens.checked_scope(call.optional_text("scope") or Action.EDIT)
    expires = now_ms() + life_s * 1000 if life_s else None
    wanted = TokenRequest(call.text("name"), scope, call.texts("resources"), expires)
    token_id, token = call.authority.administration.add_token(call.by, user, wanted)
    return {"token_id": token_id, "token": token, "username": user, "scope": scope, "expires_ms": expires}


def list_tokens(call: Call) -> Answer:
    """Show API tokens: one's own, or those of `username`, or with `username=*` all."""
    user = call.optional_text("username") or call.principal.name
    if user == "*":
        call.allow_admin()
    else:
        call.allow_account(Action.READ, user)
    with call.authority.database.reading() as connection:
        found = tokens.of_user(connection, None if user == "*" else user)
    return {"tokens": [token_line(token) for token in found]}


def revoke(call: Call) -> Answer:
    """End an API token: one's own, or anybody's by an admin."""
    token_id = call.text("token_id")
    with call.authority.database.reading() as connection:
        found = tokens.get(connection, token_id)
    # who may not touch it is not told that it exists
    if found is None or not call.may(Action.EDIT, account(found.user)):
        raise NotFoundError(f"you have no API token with the id {token_id!r}")
    call.authority.administration.revoke_token(call.by, token_id)
    return {}


def audit(call: Call) -> Answer:
    """Show the audit log, newest first."""
    call.allow_admin()
    named = call.optional_text("resource")
    kind, _, resource_id = (named or "").partition(":")
    query = AuditQuery(
        call.optional_text("who"),
        call.optional_text("what"),
        Resource(kind, resource_id) if named else None,
        moment_ms(call.optional_text("since"), "since"),
        moment_ms(call.optional_text("until"), "until"),
        call.number("max_results", 100),
        call.optional_text("page_token"),
    )
    with call.authority.database.reading() as connection:
        page = audit_log.search(connection, query)
    answer: dict[str, object] = {"entries": [audit_line(row) for row in page.items]}
    return answer | ({"next_page_token": page.next_token} if page.next_token else {})


def token_line(token: Token) -> dict[str, object]:
    """Return what is shown of an API token."""
    return {
        "token_id": token.id,
        "username": token.user,
        "name": token.name,
        "scope": str(token.scope),
        "resources": None if token.resources is None else list(token.resources),
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "last_used_ms": token.last_used_ms,
    }


def audit_line(row: AuditRow) -> dict[str, object]:
    """Return what is shown of an entry of the audit log."""
    entry = row.entry
    return {
        "id": row.id,
        "time_ms": entry.time_ms,
        "principal": entry.principal,
        "endpoint": entry.endpoint,
        "resource": {"kind": entry.resource.kind, "id": entry.resource.id},
        "status": entry.status,
        "request_id": entry.request_id,
        "before": entry.before,
        "after": entry.after,
    }
