"""The hooks of mlcore-auth-basic."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.hookspecs import Command, WebContext, WebPart, hookimpl


@hookimpl
def web(context: WebContext) -> Sequence[WebPart] | None:
    """Bring the authority, and the routes for users, permissions, tokens and the audit log."""
    if context.auth not in ("auto", "basic", "local"):
        return None
    from mlcore_auth_basic.web import has_users, parts

    if context.auth == "local" and not has_users(context):
        return None

    return parts(context)


@hookimpl
def command(name: str) -> Command | None:
    """Bring `mlcore auth` and `mlcore audit`."""
    if name == "auth":
        from mlcore_auth_basic.cli_auth import auth

        return auth
    if name == "audit":
        from mlcore_auth_basic.cli_audit import audit

        return audit
    return None
