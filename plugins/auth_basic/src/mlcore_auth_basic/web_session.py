"""Sessions of browsers: `GET`, `POST` and `DELETE /api/mlcore/auth/session`.

The cookie is out of reach of scripts, comes with requests of the same site alone, and counts for changes only beside a
header that no page of another site can set.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mlcore.entities import Credentials
from mlcore.errors import MlcoreError, PermissionDeniedError
from mlcore.hookspecs import WebRoute
from mlcore_auth_basic.authority import PAGE, BasicAuthority
from mlcore_auth_basic.web_call import ANYBODY, Call, fields_of, told

PATH = "/api/mlcore/auth/session"
_FRESH = {"cache-control": "no-store"}


def routes(authority: BasicAuthority) -> Iterator[WebRoute]:
    """Return the routes by which pages sign people in and out."""
    sessions = _Sessions(authority)
    for method, work in (("GET", sessions.how), ("POST", sessions.sign_in), ("DELETE", sessions.sign_out)):
        yield WebRoute(method, PATH, ANYBODY, _handler(work), mutates=method != "GET")


class _Sessions:
    def __init__(self, authority: BasicAuthority) -> None:
        self._authority = authority

    async def how(self, _: Request) -> Response:
        """Say what people sign in with."""
        return JSONResponse({"by": "password"}, headers=_FRESH)

    async def sign_in(self, request: Request) -> Response:
        """Compare name and password, and give the browser a session."""
        call = Call(self._authority, None, await fields_of(request), _shown(request).client)
        name, cookie = await run_in_threadpool(
            self._authority.sign_in, call.text("username"), call.text("password"), call.client
        )
        answer = JSONResponse({"user": name}, headers=_FRESH)
        answer.set_cookie(
            self._authority.cookie,
            cookie,
            max_age=self._authority.settings.session_hours * 3600,
            path=_path(request),
            # what stands before the server may have taken the encryption off; the page's origin tells
            secure=request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:"),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        ended = await run_in_threadpool(self._authority.sign_out, _shown(request))
        answer = JSONResponse({"ended": ended}, headers=_FRESH)
        answer.delete_cookie(self._authority.cookie, path=_path(request), httponly=True, samesite="strict")
        return answer


def _handler(work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def handler(request: Request) -> Response:
        try:
            if request.method != "GET" and PAGE not in request.headers:
                raise PermissionDeniedError(f"sessions are for pages: the request lacks the header {PAGE!r}")
            answer = await work(request)
        except MlcoreError as error:
            if error.status >= 500:
                raise  # the server logs it, and knows what clients need not know of it
            answer = told(error)
        # sessions are in the audit log as the tokens that they are
        request.state.audited = True
        return answer

    return handler


def _shown(request: Request) -> Credentials:
    return Credentials(dict(request.headers), request.client.host if request.client else "")


def _path(request: Request) -> str:
    return str(request.scope.get("root_path", "")) or "/"
