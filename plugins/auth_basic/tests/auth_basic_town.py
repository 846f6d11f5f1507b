"""A quick authority, people in it, and a small server for its routes; for the tests beside this module."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
from argon2 import PasswordHasher
from attrs import define, field
from mlcore_auth_basic import audit_log, levels
from mlcore_auth_basic.administration import By
from mlcore_auth_basic.authority import BasicAuthority
from mlcore_auth_basic.database import Database
from mlcore_auth_basic.passwords import Passwords
from mlcore_auth_basic.settings import AuthSettings
from mlcore_auth_basic.tokens import TokenRequest
from mlcore_auth_basic.web import routes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mlcore.entities import Action, AuditEntry, Credentials, Permission, Principal, Resource
from mlcore.errors import MlcoreError, PermissionDeniedError
from mlcore.hookspecs import WebRoute

PHRASE = "a horse, a battery"
OPERATOR = By("operator:test")


@define
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@define
class Town:
    """An authority and how to fill it; the case of its contract."""

    authority: BasicAuthority
    clock: Clock
    names: Iterator[int] = field(factory=itertools.count)

    def user(self, name: str) -> Credentials:
        self.authority.administration.add_user(OPERATOR, name, f"{name} {PHRASE}", may_create=False)
        return basic(name, f"{name} {PHRASE}")

    def admin(self) -> Credentials:
        self.authority.administration.add_user(OPERATOR, "root", f"root {PHRASE}", is_admin=True)
        return basic("root", f"root {PHRASE}")

    def token(self, user: str, scope: str = "manage", *resources: str, expires_ms: int | None = None) -> Credentials:
        wanted = TokenRequest("test", Action(scope), resources or None, expires_ms)
        return bearer(self.authority.administration.add_token(OPERATOR, user, wanted)[1])

    def grant(self, name: str, action: Action, resource: Resource) -> None:
        about = resource.id or levels.EVERY
        self.authority.administration.grant(OPERATOR, name, resource.kind, about, action)

    def impostors(self) -> Sequence[Credentials]:
        administration = self.authority.administration
        name = f"user {next(self.names)}"
        administration.add_user(OPERATOR, name, PHRASE)
        token_id, token = administration.add_token(OPERATOR, name, TokenRequest("gone", Action.READ))
        administration.revoke_token(OPERATOR, token_id)
        return (
            basic(name, "not the right one"),
            basic(name, ""),
            basic("nobody", PHRASE),
            basic("", PHRASE),
            basic("ada", PHRASE),
            bearer(token),
            bearer("mlc_never-was-one"),
            basic(name, token),
        )

    def audited(self) -> Sequence[AuditEntry]:
        with self.authority.database.reading() as connection:
            page = audit_log.search(connection, audit_log.AuditQuery(max_results=1000))
        return tuple(row.entry for row in reversed(page.items))


def basic(name: str, password: str, client: str = "192.0.2.1") -> Credentials:
    value = base64.b64encode(f"{name}:{password}".encode()).decode()
    return Credentials({"authorization": f"Basic {value}"}, client)


def bearer(token: str, client: str = "192.0.2.1") -> Credentials:
    return Credentials({"authorization": f"Bearer {token}"}, client)


def quick_authority(
    directory: Path, clock: Clock | None = None, settings: AuthSettings | None = None
) -> BasicAuthority:
    """Real argon2, at a cost that tests can pay."""
    ticking = clock or Clock()
    passwords = Passwords(ticking, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return BasicAuthority(Database.open(directory), settings or AuthSettings(), ticking, passwords)


# The little server: what it does with authority and routes is what any server has to do.


def app(authority: BasicAuthority) -> Starlette:
    return Starlette(routes=[Route(r.path, _guarded(authority, r), methods=[r.method]) for r in routes(authority)])


def _guarded(authority: BasicAuthority, route: WebRoute) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        try:
            if route.permission.action is not None:
                shown = Credentials(dict(request.headers), request.client.host if request.client else "")
                principal = authority.authenticate(shown)
                _allow(authority, principal, route.permission, await _fields(request))
                request.state.principal = principal
            request.state.request_id = request.headers.get("x-request-id", "")
        except MlcoreError as error:
            more = {"www-authenticate": authority.challenge} if error.status == 401 else {}
            return JSONResponse({"error_code": error.code, "message": error.message}, error.status, headers=more)
        return await route.handler(request)  # type: ignore[return-value]  # handlers are Starlette endpoints

    return endpoint


def _allow(authority: BasicAuthority, principal: Principal, need: Permission, fields: Mapping[str, object]) -> None:
    assert need.action is not None
    if need.by == "answer":
        return
    resource = Resource(need.kind, str(fields.get(need.by, "")) if need.by else "")
    if not authority.authorize(principal, need.action, resource):
        raise PermissionDeniedError("Permission denied")


async def _fields(request: Request) -> Mapping[str, object]:
    if request.method == "GET":
        return dict(request.query_params)
    fields = await request.json() if await request.body() else {}
    return fields if isinstance(fields, dict) else {}


@define
class Caller:
    """Somebody who calls the little server."""

    server: Starlette
    headers: Mapping[str, str]

    async def _send(self, method: str, path: str, fields: Mapping[str, object], **more: object) -> httpx.Response:
        transport = httpx.ASGITransport(self.server, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://mlcore") as client:
            if method == "GET":
                return await client.get(path, params=fields, headers=self.headers)  # type: ignore[arg-type]  # texts and numbers
            headers = {**self.headers, "content-type": "application/json"}
            # not httpx's own JSON, which refuses what any client can send: halves of characters
            return await client.request(method, path, content=json.dumps(fields), headers=headers)

    def __call__(self, method: str, path: str, **fields: object) -> httpx.Response:
        import anyio

        return anyio.run(self._send, method, path, fields)


def caller(authority: BasicAuthority, credentials: Credentials | None = None) -> Caller:
    return Caller(app(authority), dict(credentials.headers) if credentials else {})
