"""One call of a route: who sends it and what it says; and how a route's handler is made of an operation."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mlcore.entities import Action, Permission, Principal, Resource
from mlcore.errors import InvalidParameterError, MlcoreError, PermissionDeniedError, UnauthenticatedError
from mlcore.hookspecs import WebRoute
from mlcore_auth_basic import levels
from mlcore_auth_basic.administration import By, account
from mlcore_auth_basic.authority import BasicAuthority

MAX_BODY_BYTES = 65_536
ADMIN = Permission(Action.MANAGE, levels.SERVER)
# everybody who is known here may ask; the operation decides what about, by `authorize`
KNOWN = Permission(Action.READ, levels.SERVER, "answer")
ANYBODY = Permission(None)
_FLAGS = {"true": True, "false": False}


@frozen
class Call:
    """One call.

    fields: of the query or of the JSON body. client: the address that it came from.
    """

    authority: BasicAuthority
    sender: Principal | None
    fields: Mapping[str, object]
    client: str = ""
    request_id: str = ""

    @property
    def principal(self) -> Principal:
        """Who calls. Raises UnauthenticatedError: nobody that is known."""
        if self.sender is None:
            raise UnauthenticatedError("the request shows no credentials")
        return self.sender

    @property
    def by(self) -> By:
        """Who calls, for the audit log."""
        return By(self.principal.name, self.request_id)

    def may(self, action: Action, resource: Resource) -> bool:
        """Whether the authority lets the caller do that."""
        return self.authority.authorize(self.principal, action, resource)

    def allow(self, action: Action, resource: Resource) -> None:
        """Raises PermissionDeniedError: the authority does not let the caller do that."""
        if not self.may(action, resource):
            what = f"{resource.kind} {resource.id!r}" if resource.id else f"the {resource.kind} as a whole"
            by = f" with API token {self.principal.token_id}" if self.principal.token_id else ""
            raise PermissionDeniedError(f"user {self.principal.name!r} may not {action} {what}{by}")

    def allow_admin(self) -> None:
        """Raises PermissionDeniedError: the caller is no admin."""
        self.allow(Action.MANAGE, Resource(levels.SERVER))

    def allow_account(self, action: Action, name: str) -> None:
        """Raises PermissionDeniedError: the account is neither the caller's nor is the caller an admin."""
        self.allow(action, account(name))

    def text(self, name: str) -> str:
        """Return a field that has to be there. Raises InvalidParameterError."""
        value = self.optional_text(name)
        if not value:
            raise InvalidParameterError(f"missing value for required parameter {name!r}")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a field that may be absent. Raises InvalidParameterError: it is no text."""
        value = self.fields.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)  # ids come as numbers, too
        raise InvalidParameterError(f"parameter {name!r} has the value {value!r}, expected a text")

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number, which may come as text. Raises InvalidParameterError."""
        text = self.optional_text(name)
        if text is None and default is not None:
            return default
        if text is None or not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise InvalidParameterError(f"parameter {name!r} has the value {text!r}, expected a whole number")
        return int(text)

    def flag(self, name: str) -> bool:
        """Return true or false. Raises InvalidParameterError."""
        value = self.fields.get(name)
        found = _FLAGS.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(found, bool):
            raise InvalidParameterError(f"parameter {name!r} has the value {value!r}, expected true or false")
        return found

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, None when it is absent. Raises InvalidParameterError."""
        value = self.fields.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InvalidParameterError(f"parameter {name!r} has the value {value!r}, expected a list of texts")
        return tuple(value)


Operation = Callable[[Call], Mapping[str, object]]


def route(authority: BasicAuthority, method: str, path: str, permission: Permission, operation: Operation) -> WebRoute:
    """Return the route that runs *operation* in a thread; what changes something is audited by the operation."""
    return WebRoute(method, path, permission, _handler(authority, operation), mutates=method != "GET")


def _handler(authority: BasicAuthority, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        try:
            call = Call(
                authority,
                getattr(request.state, "principal", None),
                await fields_of(request),
                request.client.host if request.client else "",
                str(getattr(request.state, "request_id", "")),
            )
            answer = await run_in_threadpool(operation, call)
        except MlcoreError as error:
            if error.status >= 500:
                raise  # the server logs it, and knows what clients need not know of it
            return told(error)
        # the entry is in the audit log already, in the transaction of the change itself, with before and after
        request.state.audited = request.method != "GET"
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return handler


def told(error: MlcoreError) -> JSONResponse:
    """Return the answer that tells of an error."""
    return JSONResponse({"error_code": error.code, "message": error.message}, error.status)


async def fields_of(request: Request) -> Mapping[str, object]:
    """Return what a request says in its query or JSON body. Raises InvalidParameterError."""
    if request.method == "GET":
        return dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidParameterError("Content-Type must be one of ['application/json']")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise InvalidParameterError(f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidParameterError(f"the body is no JSON: {str(error)[:100]}") from error
    if not isinstance(fields, dict):
        raise InvalidParameterError("the body is no JSON object")
    return fields
