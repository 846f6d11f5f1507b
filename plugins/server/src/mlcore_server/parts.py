"""Routes and applications that plugins add; each with a permission of its own, or the server does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request

from mlcore.entities import Permission
from mlcore.errors import BadRequestError, PluginError
from mlcore.hookspecs import HookSpecs, WebContext, WebMount, WebPart, WebRoute
from mlcore.plugins import Plugins
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.requests_tracking import NoFields
from mlcore_server.answering import Answerer, Exchange, Target
from mlcore_server.asgi import Receive
from mlcore_server.bodies import json_object, query_pairs


def gather(plugins: Plugins, context: WebContext) -> list[WebPart]:
    """Ask every plugin what it adds to the server.

    Raises PluginError: one failed. A server that went on without it could be open to everybody.
    """
    parts = [part for gathered in plugins.every(HookSpecs.web, context=context) for part in gathered]
    failures = plugins.failures()
    for entry in plugins.installed():
        if entry.hook == HookSpecs.web.__name__ and plugins.is_enabled(entry) and entry.value in failures:
            err = failures[entry.value]
            raise PluginError(f"plugin {entry} fails to add to the server: {type(err).__name__}: {err}") from err
    return parts


def part_targets(parts: Sequence[WebRoute | WebMount]) -> Iterator[tuple[str, str, Target]]:
    """Yield method, path and target of what plugins add.

    Raises PluginError: a part says nothing of what its caller needs.
    """
    for part in parts:
        if not isinstance(part.permission, Permission):
            raise PluginError(
                f"a plugin adds {part.path!r} without saying what its caller needs: expected a mlcore.entities."
                f"Permission, got {part.permission!r}"
            )
        if isinstance(part, WebRoute):
            yield part.method, part.path, RouteTarget(part)
        else:
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                for path in (part.path, part.path.rstrip("/") + "/{rest:path}"):
                    yield method, path, MountTarget(part)


class RouteTarget(Target):
    """A route of a plugin."""

    def __init__(self, route: WebRoute) -> None:
        """Lead to *route*."""
        self.route: WebRoute = route
        self.name: str = f"{route.method} {route.path}"
        self.endpoint: Endpoint = _endpoint(self.name, route.method, route.path, route.permission, route.mutates)

    async def answer(self, server: Answerer, exchange: Exchange, seen: Any) -> None:
        """Check who calls, then let the plugin answer."""
        body = await server.body(exchange, seen, self.route.permission)
        principal = await server.principal(exchange, seen, self.route.permission)
        fields = self._fields(exchange, json_object(body))
        await server.in_thread(lambda: server.access.allow(principal, self.endpoint, SimpleNamespace(**fields)))
        scope = {**exchange.scope, "path_params": dict(exchange.match.fields)}
        http = Request(scope, _once(body), exchange.send)
        http.state.principal = principal
        http.state.request_id = exchange.request_id
        response: Any = await self.route.handler(http)
        # a handler that wrote its change down itself, with the state before and after, says so
        if self.route.mutates and not getattr(http.state, "audited", False):
            await server.in_thread(
                lambda: server.trail.routed(principal, self.endpoint, fields, exchange.request_id, response.status_code)
            )
        await response(scope, exchange.receive, exchange.send)

    def _fields(self, exchange: Exchange, body: Mapping[str, object]) -> dict[str, object]:
        """Return what a request says, in its path before all.

        Raises BadRequestError: what decides who may send it is said in several ways, of which the handler may read
        another one.
        """
        query = query_pairs(exchange.scope["query_string"])
        path = exchange.match.fields
        for name in self.route.permission.names:
            said = [value for given, value in query if given == name]
            said += [str(given[name]) for given in (body, path) if name in given]
            if len(set(said)) > 1:
                raise BadRequestError(f"the request names several values for {name!r}: give it once")
        fields = {**dict(query), **{str(name): value for name, value in body.items()}, **path}
        return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


class MountTarget(Target):
    """An application of a plugin."""

    def __init__(self, mount: WebMount) -> None:
        """Lead to *mount*."""
        self.mount: WebMount = mount
        self.name: str = f"mount {mount.path}"
        self.endpoint: Endpoint = _endpoint(self.name, "GET", mount.path, mount.permission, mutates=False)

    async def answer(self, server: Answerer, exchange: Exchange, seen: Any) -> None:
        """Check who calls, then hand over, with the path as the application sees it."""
        principal = await server.principal(exchange, seen, self.mount.permission)
        await server.in_thread(lambda: server.access.allow(principal, self.endpoint, SimpleNamespace()))
        base = exchange.scope.get("root_path", "") + self.mount.path.rstrip("/")
        scope = {**exchange.scope, "root_path": base, "state": {"principal": principal}}
        await self.mount.app(scope, exchange.receive, exchange.send)
        if exchange.scope["method"] not in ("GET", "HEAD"):
            told = {"path": exchange.scope["path"]}
            await server.in_thread(
                lambda: server.trail.routed(principal, self.endpoint, told, exchange.request_id, seen.status)
            )


def _endpoint(name: str, method: str, path: str, permission: Permission, mutates: bool) -> Endpoint:
    return Endpoint(name, method, path, NoFields, None, "plugin", permission, absolute=True, mutates=mutates)


def _once(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
