"""From a request to its answer: guards, fields, permission, call, and how every error is told."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from attrs import frozen
from starlette.requests import Request
from starlette.responses import Response

from mlcore.entities import Permission, Principal
from mlcore.errors import BadRequestError, FilterError, LimitExceededError, MlcoreError, UnauthenticatedError
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints_tables import UI
from mlcore.wire.messages import read
from mlcore.wire.requests_tracking import RunId
from mlcore_server.access import NOBODY, Access
from mlcore_server.asgi import Headers, Message, Receive, Scope, Send, send_json, text_headers
from mlcore_server.bodies import ClientGoneError, is_long, json_object, read_body, request_of
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.discretion import Discretion
from mlcore_server.guards import PAGE, Guards, check_json, check_page
from mlcore_server.observing import Observer
from mlcore_server.routes import Match, RouteTable
from mlcore_server.trail import Trail
from mlcore_server.whole import Whole, packed, send_whole

logger: logging.Logger = logging.getLogger("mlcore.server")

# request ids: random per process and counted from there, because a random one per request costs a system call
_PROCESS = uuid.uuid4().hex[:16]
_NUMBERS = itertools.count(1)

_PAGES = 'Page realm="mlcore"'
_REQUEST_ID = re.compile(r"[\w\-.]{1,64}\Z")
# probes of load balancers come with any Host, and have to be answered by a busy server
_UNGUARDED = ("/health", "/ready", "/version")

# how else clients call `run_id`
_RUN_NAMES = frozenset({"run_uuid", "runId", "runUuid"})

JsonCall = Callable[[Any, Caller], Mapping[str, Any] | Whole]


@frozen
class Exchange:
    """One request on its way."""

    scope: Scope
    receive: Receive
    send: Send
    headers: Mapping[str, str]
    match: Match
    request_id: str

    def principal(self, access: Access) -> Principal:
        """Return who is calling. Raises UnauthenticatedError."""
        return access.principal(self.headers, self.client, self.scope["method"])

    @property
    def client(self) -> str:
        """The address that the request came from."""
        client = self.scope.get("client")
        return client[0] if client else ""


class Answerer:
    """The application: every request passes here, whoever answers it in the end."""

    def __init__(
        self, config: ServerConfig, routes: RouteTable, access: Access, trail: Trail, observer: Observer
    ) -> None:
        """Answer by *routes*."""
        self._config = config
        self._routes = routes
        self._access = access
        self._trail = trail
        self._observer = observer
        self._guards = Guards(config)
        self._discretion = Discretion(config)
        self._pool = ThreadPoolExecutor(config.threads, thread_name_prefix="mlcore-server")
        self._busy = 0

    def close(self) -> None:
        """Wait for what is being worked on."""
        self._pool.shutdown(wait=True, cancel_futures=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        started = time.perf_counter()
        headers = text_headers(scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else f"{_PROCESS}-{next(_NUMBERS):x}"
        origin = headers.get("origin", "")
        seen = Seen(send, request_id, origin if origin and self._guards.is_foreign_origin_allowed(origin) else "")
        try:
            await self._answer(scope, receive, seen, headers, request_id)
        except ClientGoneError:
            seen.status = 499
        except MlcoreError as err:
            await self._fail(seen, err, headers)
        except (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as err:  # one broken request must not end the server, and is logged whole
            logger.exception("request %s %s %s failed", request_id, scope["method"], scope["path"])
            text = f"internal error ({type(err).__name__}); the server's log tells more under request id {request_id}"
            await self._fail(seen, MlcoreError(text), headers)
        self._observer.saw(
            scope, headers, seen.endpoint, seen.status, time.perf_counter() - started, request_id, seen.principal
        )

    def _is_prefixed(self, scope: Scope) -> bool:
        prefix, path = self._config.prefix, str(scope["path"])
        return bool(prefix) and (path == prefix or path.startswith(prefix + "/"))

    async def _answer(
        self, scope: Scope, receive: Receive, seen: Seen, headers: Mapping[str, str], request_id: str
    ) -> None:
        path = _raw_path(scope, self._config.prefix)
        if self._is_prefixed(scope):
            # applications of plugins make their addresses from it
            scope = {**scope, "root_path": scope.get("root_path", "") + self._config.prefix}
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:
            raise BadRequestError("the request names several hosts: whoever stands before the server may read another")
        if path not in _UNGUARDED:
            self._guards.check(scope["method"], headers)
        if scope["method"] == "OPTIONS":
            await self._preflight(seen, headers)
            return
        match = self._routes.find(scope["method"], path)
        exchange = Exchange(scope, receive, seen, headers, match, request_id)
        target = match.target
        if path not in _UNGUARDED:
            self._check_load()
        self._busy += 1
        try:
            assert isinstance(target, Target)  # noqa: S101  # the table holds nothing else
            seen.endpoint = target.name
            await target.answer(self, exchange, seen)
        finally:
            self._busy -= 1

    def _check_load(self) -> None:
        """Raises LimitExceededError: there is enough to do already."""
        if self._busy >= self._config.max_waiting:
            raise LimitExceededError(f"the server is working on {self._busy} requests: try again in a second")

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """Run blocking *work* beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def principal(self, exchange: Exchange, seen: Seen, need: Permission) -> Principal:
        """Return who is calling, where that matters."""
        if self._access.authority is None or need.action is None:
            return NOBODY
        found: Principal = await self.in_thread(lambda: exchange.principal(self._access))
        seen.principal = found.name
        return found

    async def body(self, exchange: Exchange, seen: Seen, need: Permission) -> bytes:
        """Return the JSON body of a request; a long one is taken from nobody who is not known here.

        While its client sends, a request holds up no other: whoever is slow must not make the server look busy.
        """
        method = exchange.scope["method"]
        if method in ("GET", "HEAD"):
            return b""
        if self._access.authority is not None and is_long(exchange.headers):
            await self.principal(exchange, seen, need)
        self._busy -= 1
        try:
            body = await read_body(exchange.receive, exchange.headers, self._config.max_body_bytes)
            self._check_load()
        finally:
            self._busy += 1
        check_json(method, exchange.headers, has_body=bool(body))
        return body

    def caller(self, principal: Principal, accept: str = "") -> Caller:
        """Return *principal* as calls see it. accept: the kinds of answers that the request takes."""
        return Caller(principal, self._access.authority is not None, accept)

    @property
    def access(self) -> Access:
        """Who decides."""
        return self._access

    @property
    def trail(self) -> Trail:
        """Who writes down what was changed."""
        return self._trail

    async def _preflight(self, send: Send, headers: Mapping[str, str]) -> None:
        origin = headers.get("origin", "")
        allowed: Headers = []
        if origin and self._guards.is_foreign_origin_allowed(origin):
            allowed += [
                (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
                (b"access-control-allow-headers", b"authorization, content-type, x-request-id"),
                (b"access-control-max-age", b"600"),
            ]
        await send({"type": "http.response.start", "status": 204, "headers": allowed})
        await send({"type": "http.response.body", "body": b""})

    async def _fail(self, seen: Seen, err: MlcoreError, headers: Mapping[str, str]) -> None:
        if seen.status:  # the answer is on its way already; closing the connection is all that can still be said
            raise ConnectionAbortedError(err.message) from err
        more: Headers = []
        if isinstance(err, UnauthenticatedError) and self._access.authority is not None:
            # a browser would put its own window before a page that asks for name and password itself, and hold the answer
            challenge = _PAGES if PAGE in headers else self._access.authority.challenge
            more.append((b"www-authenticate", challenge.encode("latin-1")))
        if isinstance(err, LimitExceededError):
            more.append((b"retry-after", b"1"))
        if err.status >= 500 and err.status != 501:
            logger.warning("request %s: %s", seen.request_id, err.message)
        told = self._discretion.told(err.message)
        said: dict[str, object] = {"error_code": err.code, "message": told}
        if isinstance(err, FilterError) and err.text:
            said["position"] = err.column
        body = orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS)
        await send_json(seen, err.status, body, more)


class Seen:
    """A `send` that notes the status and adds what every answer carries."""

    def __init__(self, send: Send, request_id: str, origin: str = "") -> None:
        """Send by *send*; *origin* is of another site whose pages may see the answer."""
        self._send = send
        self.request_id: str = request_id
        self._more: Headers = [(b"x-request-id", request_id.encode("latin-1"))]
        if origin:
            shown = b"x-request-id, content-disposition, content-range, repr-digest, retry-after"
            self._more += [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
            self._more.append((b"access-control-expose-headers", shown))
        self.status: int = 0
        self.principal: str = ""
        self.endpoint: str = ""

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._more]
        await self._send(message)


class Target:
    """Where a route leads."""

    name: str = ""

    async def answer(self, server: Answerer, exchange: Exchange, seen: Seen) -> None:
        """Answer a request that has passed the guards."""
        raise NotImplementedError


class JsonTarget(Target):
    """An endpoint of the table that answers JSON from blocking calls of the stores."""

    def __init__(self, endpoint: Endpoint, call: JsonCall) -> None:
        """Answer *endpoint* by *call*."""
        self.endpoint: Endpoint = endpoint
        self.name: str = endpoint.name
        self._call = call

    async def answer(self, server: Answerer, exchange: Exchange, seen: Seen) -> None:
        """Read the fields, then do the rest beside the event loop."""
        body = await server.body(exchange, seen, self.endpoint.permission)
        check_page(self.endpoint, exchange.headers)
        answer = await server.in_thread(lambda: self._work(server, exchange, body, seen))
        await send_whole(exchange.send, answer, varies=self._is_for_pages)

    @property
    def _is_for_pages(self) -> bool:
        return self.endpoint.path.startswith(UI)

    def _work(self, server: Answerer, exchange: Exchange, body: bytes, seen: Seen) -> Whole:
        principal = NOBODY
        if self.endpoint.permission.action is not None:
            principal = exchange.principal(server.access)
            seen.principal = principal.name
        request = request_of(self.endpoint, exchange.scope["query_string"], body, exchange.match.fields)
        request = server.access.allow(principal, self.endpoint, request)
        with server.trail.of(principal, self.endpoint, request, exchange.request_id) as note:
            made = self._call(request, server.caller(principal, exchange.headers.get("accept", "")))
            if isinstance(made, Whole):
                return packed(made, exchange.headers)
            answer = dict(made)
            server.access.happened(principal, self.endpoint, request, answer)
            note.after = answer
        whole = Whole(orjson.dumps(server.access.shown(principal, self.endpoint, answer)))
        return packed(whole, exchange.headers) if self._is_for_pages else whole


class RecordTarget(Target):
    """An endpoint that records: its fields become a batch here, and the batch waits for its group."""

    def __init__(self, endpoint: Endpoint, record: Callable[[Mapping[str, Any], Caller], Any]) -> None:
        """Answer *endpoint*; *record* takes the body's values and who calls, and returns once they are stored."""
        self.endpoint: Endpoint = endpoint
        self.name: str = endpoint.name
        self._record = record

    async def answer(self, server: Answerer, exchange: Exchange, seen: Seen) -> None:
        """Check, record, answer with an empty object."""
        body = await server.body(exchange, seen, self.endpoint.permission)
        given = json_object(body)
        if server.access.authority is None:
            await self._record(of_one_run(given), server.caller(NOBODY))
        else:
            principal, values = await server.in_thread(lambda: self._allowed(server, exchange, given, seen))
            await self._record(values, server.caller(principal))
            await server.trail.recorded(principal, self.endpoint, values, exchange.request_id)
        await send_json(exchange.send, 200, b"{}")

    def _allowed(
        self, server: Answerer, exchange: Exchange, given: Mapping[str, Any], seen: Seen
    ) -> tuple[Principal, Mapping[str, Any]]:
        """Return who calls, and the values with the run that they may record into as the only one that is named."""
        principal = exchange.principal(server.access)
        seen.principal = principal.name
        values = of_one_run(given)
        server.access.allow(principal, self.endpoint, RunId(run_id=values["run_id"]))
        return principal, values


def of_one_run(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a recording request, with its run as `run_id` and under no other name.

    Whoever decides and whoever records have to see the same run, however many names a request gives.
    Raises InvalidParameterError: it names none.
    """
    if isinstance(given.get("run_id"), str) and given["run_id"] and _RUN_NAMES.isdisjoint(given):
        return given
    run_id = read(RunId, given).run_id
    return {name: value for name, value in given.items() if name not in _RUN_NAMES} | {"run_id": run_id}


class StreamTarget(Target):
    """An endpoint that moves files or events; it gets Starlette's request and returns its response."""

    def __init__(self, endpoint: Endpoint, call: Callable[[Any, Caller, Request], Any]) -> None:
        """Answer *endpoint* by the coroutine function *call*."""
        self.endpoint: Endpoint = endpoint
        self.name: str = endpoint.name
        self._call = call

    async def answer(self, server: Answerer, exchange: Exchange, seen: Seen) -> None:
        """Check, then let the call stream."""
        principal = await server.principal(exchange, seen, self.endpoint.permission)
        request = request_of(self.endpoint, exchange.scope["query_string"], b"", exchange.match.fields)
        request = await server.in_thread(lambda: server.access.allow(principal, self.endpoint, request))
        http = Request(exchange.scope, exchange.receive, exchange.send)
        response: Response = await self._call(request, server.caller(principal), http)
        if self.endpoint.mutates:
            await server.in_thread(
                lambda: server.trail.streamed(principal, self.endpoint, request, exchange.request_id)
            )
        await response(exchange.scope, exchange.receive, exchange.send)


def _raw_path(scope: Scope, prefix: str) -> str:
    """Return the path as it was sent, without the prefix; percent-encoded, so that `%2F` is no separator."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else str(scope["path"])
    path = path.partition("?")[0]
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/"
    return path
