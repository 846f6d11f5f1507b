"""S-AUTHZ: every route of the running application, for every kind of caller, against the declared table."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import attrs
import httpx
import pytest
from mlcore_server.app import ServerApp
from mlcore_server.config import ServerConfig
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mlcore.entities import Action, Credentials, NewLoggedModel, NewRun, Permission, Resource, TransitionRequest
from mlcore.errors import PluginError, SettingsError
from mlcore.hookspecs import WebContext, WebMount, WebPart, WebRoute, hookimpl
from mlcore.interfaces import SupportsLoggedModels, SupportsRequests
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing.memory_authority import MemoryAuthority
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import ENDPOINTS

ROLES = ("anonymous", "stranger", "reader", "editor", "manager", "admin")
GRANTS = {"reader": Action.READ, "editor": Action.EDIT, "manager": Action.MANAGE}
RANKS = {Action.READ: 1, Action.EDIT: 2, Action.MANAGE: 3}
REFUSED = (401, 403)
APART = ("runs/live", "GET raw")


class Brings:
    """A plugin that adds parts to the server."""

    def __init__(self, *parts: WebPart) -> None:
        self.parts = parts

    @hookimpl
    def web(self, context: WebContext) -> tuple[WebPart, ...]:
        return self.parts


def make_app(folder: Path, *parts: WebPart, **more: Any) -> ServerApp:
    uri = f"sqlite:///{folder}/mlcore.db"
    plugins = Plugins.discover(Settings.load({"disable_plugins": ("mlcore-auth-basic", "mlcore-ui")}))
    plugins.register(Brings(*parts))
    given: dict[str, Any] = {
        "tracking_uri": uri,
        "registry_uri": uri,
        "artifacts_destination": f"{folder.as_uri()}/artifacts",
    }
    return ServerApp(ServerConfig(**(given | {"state_dir": str(folder), "access_log": False} | more)), plugins)


class World:
    """An application with an authority, and one experiment, run and model per case."""

    def __init__(self, folder: Path) -> None:
        self.authority = MemoryAuthority()
        self.app = make_app(folder, self.authority)
        self.app.start()
        self.stores = self.app._stores
        self.shown: dict[str, Credentials] = {name: self.authority.user(name) for name in ROLES[1:-1]}
        self.shown["admin"] = self.authority.admin()
        self.shown["anonymous"] = Credentials({})

    def case(self) -> dict[str, Any]:
        """Make what a request may name, and give each role its permission on it."""
        name = f"case-{uuid.uuid4().hex}"
        experiment = self.stores.tracking.create_experiment(name, artifact_location=None, tags={}).experiment_id
        run_id = self.stores.tracking.create_run(NewRun(experiment, uuid.uuid4().hex, "r", "", 1)).info.run_id
        assert isinstance(self.stores.tracking, SupportsLoggedModels)
        model_id = self.stores.tracking.create_logged_model(NewLoggedModel("m-" + run_id, experiment, "n")).model_id
        self.stores.registry.create_model(name, description="", tags={})
        source = f"{self.stores.places.destination}/x"
        self.stores.registry.create_version(name, source, run_id=None, run_link=None, description="", tags={})
        assert isinstance(self.stores.registry, SupportsRequests)
        asked = TransitionRequest(uuid.uuid4().hex, name, "1", "Staging", "reader", "", 0)
        self.stores.registry.create_request(asked)
        for role, action in GRANTS.items():
            self.authority.grant(role, action, Resource("experiment", experiment))
            self.authority.grant(role, action, Resource("registered_model", name))
        return {
            "experiment_id": experiment,
            "experiment_ids": [experiment],
            "run_id": run_id,
            "run_ids": [run_id],
            "model_id": model_id,
            "name": name,
            "version": "1",
            "artifact_path": f"{experiment}/x.txt",
            "path": "x.txt",
            "experiment_name": name,
            "source": "s3://b/y",
            "stage": "Staging",
            "status": "LOGGED_MODEL_READY",
            "field": "params.a",
            "request_id": asked.request_id,
            "action": "delete",
        }

    def call(self, endpoint: Endpoint, path: str, role: str) -> httpx.Response:
        case = self.case()
        if endpoint.name.startswith("mlflow-artifacts/list"):
            case["path"] = f"{case['experiment_id']}/x"
        if endpoint.name in ("experiments/create", "POST registered-models/create"):
            case["name"] = f"new-{uuid.uuid4().hex}"
        if endpoint.name == "POST transition-requests/create":
            case["request_id"] = f"new-{uuid.uuid4().hex}"
        if endpoint.name == "POST transition-requests/decide":
            case["status"] = "APPROVED"
        values = _request(endpoint, case)
        for name in list(values):
            for spelled in (f"{{{name}}}", f"{{{name}:path}}"):
                path = path.replace(spelled, str(values[name]))
        body = json.dumps(values) if endpoint.method != "GET" and not endpoint.streams else None
        pairs = [(k, v) for k, many in values.items() for v in (many if isinstance(many, list) else [many])]
        # as the pages do: without that header nobody changes anything through their endpoints
        headers = {"content-type": "application/json", "x-mlcore-ui": "1", **self.shown[role].headers}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                query = pairs if endpoint.method == "GET" or endpoint.streams else []
                return await client.request(endpoint.method, path, params=query, content=body, headers=headers)

        return asyncio.run(send())


def _request(endpoint: Endpoint, case: dict[str, Any]) -> dict[str, Any]:
    """Return values for the fields that a request must have, and for those that name a resource."""
    values: dict[str, Any] = {}
    hints = get_type_hints(endpoint.request)
    for found in attrs.fields(endpoint.request):
        named = found.name in endpoint.permission.names or found.name in ("artifact_path", "path")
        if not (found.metadata.get("required") or named):
            continue
        hint = hints[found.name]
        if found.name in case:
            value = case[found.name]
            many = get_origin(hint) is tuple
            values[found.name] = [value] if many and not isinstance(value, list) else value
        elif get_origin(hint) is tuple:
            values[found.name] = ["k"]
        else:
            values[found.name] = {int: 1, float: 1.0}.get(hint, "k")
    return values


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("authz"))
    yield made
    made.app.stop()


def may(role: str, permission: Permission) -> bool:
    """Whether a role may do what needs a permission, as the table is meant."""
    if permission.action is None or role == "admin":
        return True
    if role == "anonymous":
        return False
    if permission.by == "answer":
        return True
    if not permission.by or permission.action is Action.CREATE:
        return False
    return role in GRANTS and RANKS[GRANTS[role]] >= RANKS[permission.action]


@pytest.mark.parametrize("role", ROLES)
# the one streams for ever; what the other needs is a ticket, which has tests of its own
@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.name not in APART], ids=lambda e: e.name)
def test_a_route_is_open_to_whom_the_table_says(world: World, endpoint: Endpoint, role: str) -> None:
    expected = may(role, endpoint.permission)

    for path in endpoint.paths[:1] if expected else endpoint.paths:
        answer = world.call(endpoint, path, role)

        if endpoint.name == "experiments/get-by-name" and role == "stranger":
            assert answer.status_code == 403
        elif expected:
            assert answer.status_code not in REFUSED, answer.text
            assert answer.status_code < 500 or answer.status_code == 501, answer.text
        else:
            assert answer.status_code == (401 if role == "anonymous" else 403), answer.text


def test_every_route_of_the_application_is_of_the_table(world: World) -> None:
    declared = {(e.method, path) for e in ENDPOINTS for path in e.paths}

    live = {(method, path) for method, path, _ in world.app.routes.all()}

    assert live == declared


@pytest.mark.parametrize(
    "spelling", ["/API/2.0/mlflow/runs/get", "//api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get/"]
)
def test_no_other_spelling_of_a_path_leads_anywhere(world: World, spelling: str) -> None:
    endpoint = next(e for e in ENDPOINTS if e.name == "runs/get")

    assert world.call(endpoint, spelling, "admin").status_code == 404
    assert world.call(endpoint, spelling, "anonymous").status_code == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_other_methods_tell_strangers_nothing(world: World, method: str) -> None:
    endpoint = attrs.evolve(next(e for e in ENDPOINTS if e.name == "runs/get"), method=method)

    answer = world.call(endpoint, "/api/2.0/mlflow/runs/get", "anonymous")

    assert answer.status_code == {"HEAD": 401, "OPTIONS": 204}[method]


def test_a_search_shows_what_its_caller_may_read(world: World) -> None:
    case = world.case()
    secret = world.stores.tracking.create_experiment(f"s-{uuid.uuid4().hex}", artifact_location=None, tags={})
    endpoint = next(e for e in ENDPOINTS if e.name == "experiments/search")
    search = attrs.evolve(endpoint, method="POST")

    shown = world.call(search, endpoint.paths[0], "reader").json()
    hidden = world.call(search, endpoint.paths[0], "stranger").json()

    assert secret.experiment_id not in {e["experiment_id"] for e in shown.get("experiments", [])}
    assert hidden.get("experiments", []) == []
    assert case


def test_whoever_makes_an_experiment_may_manage_it(world: World) -> None:
    world.authority.grant("stranger", Action.CREATE, Resource("experiment"))
    endpoint = next(e for e in ENDPOINTS if e.name == "experiments/create")

    made = world.call(endpoint, endpoint.paths[0], "stranger").json()["experiment_id"]

    principal = world.authority.authenticate(world.shown["stranger"])
    assert world.authority.authorize(principal, Action.MANAGE, Resource("experiment", made))
    del world.authority.allowed["stranger", Resource("experiment")]


def test_the_routes_of_a_plugin_are_closed_to_strangers(tmp_path: Path) -> None:
    async def told(request: Request) -> Response:
        return PlainTextResponse(request.state.principal.name)

    need = Permission(Action.MANAGE, "server")
    authority = MemoryAuthority()
    app = make_app(tmp_path, authority, WebRoute("GET", "/api/mlcore/secrets", need, told))
    shown = {"": Credentials({}), "ann": authority.user("ann"), "root": authority.admin()}

    async def ask() -> dict[str, tuple[int, str]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            found = {}
            for name, credentials in shown.items():
                answer = await client.get("/api/mlcore/secrets", headers=dict(credentials.headers))
                found[name] = (answer.status_code, answer.text[:4])
            return found

    assert asyncio.run(ask()) == {"": (401, '{"er'), "ann": (403, '{"er'), "root": (200, "root")}


def test_authority_routes_and_pages_of_several_plugins_work_side_by_side(tmp_path: Path) -> None:
    async def one(request: Request) -> Response:
        return PlainTextResponse(f"one {request.path_params['name']} {request.state.principal.name}")

    async def two(request: Request) -> Response:
        return PlainTextResponse(f"two {await request.json()}")

    async def page(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse(f"page {scope['path']} below {scope['root_path']}")(scope, receive, send)

    read, public = Permission(Action.READ, "experiment", "experiment_id"), Permission(None)
    authority = MemoryAuthority()
    app = make_app(
        tmp_path,
        authority,
        WebRoute("GET", "/api/acme/{name}", read, one),
        WebRoute("POST", "/api/other/things", read, two, mutates=True),
        WebMount("/pages", page, public),
        WebMount("/more", page, read),
    )
    headers = dict(authority.user("ann").headers)
    authority.grant("ann", Action.EDIT, Resource("experiment", "7"))

    async def ask() -> list[tuple[int, str]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            answers = [
                await client.get("/api/acme/x", params={"experiment_id": "7"}, headers=headers),
                await client.get("/api/acme/x", params={"experiment_id": "8"}, headers=headers),
                await client.post("/api/other/things", json={"experiment_id": "7"}, headers=headers),
                await client.post("/api/other/things", data={"experiment_id": "7"}, headers=headers),
                await client.get("/pages/a/b"),
                await client.get("/more/a"),
            ]
            return [(answer.status_code, answer.text if answer.status_code == 200 else "") for answer in answers]

    assert asyncio.run(ask()) == [
        (200, "one x ann"),
        (403, ""),
        (200, "two {'experiment_id': '7'}"),
        (400, ""),
        (200, "page /pages/a/b below /pages"),
        (401, ""),
    ]
    assert [entry.endpoint for entry in authority.log] == ["POST /api/other/things"]


async def _nothing(_: object) -> None:
    return None


def test_a_plugin_route_without_a_permission_keeps_the_server_from_starting(tmp_path: Path) -> None:
    bare = WebRoute("GET", "/bare", None, _nothing)  # type: ignore[arg-type]  # what a careless plugin might do

    with pytest.raises(PluginError, match="adds '/bare' without saying what its caller needs"):
        make_app(tmp_path, bare)


def test_a_plugin_cannot_take_a_path_that_is_taken(tmp_path: Path) -> None:
    again = WebRoute("GET", "/health", Permission(None), _nothing)

    with pytest.raises(PluginError, match="two routes for GET /health"):
        make_app(tmp_path, again)


def test_a_server_for_others_needs_an_authority(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"refusing to listen on '0\.0\.0\.0' without an authority"):
        make_app(tmp_path, host="0.0.0.0")

    make_app(tmp_path, MemoryAuthority(), host="0.0.0.0")
    make_app(tmp_path, host="0.0.0.0", insecure_no_auth=True)


def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no authority called 'oidc' is installed \(installed: memory\)"):
        make_app(tmp_path, MemoryAuthority(), auth="oidc")
