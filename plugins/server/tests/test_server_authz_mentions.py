"""S-AUTHZ: what a request mentions besides, or says in several ways, opens nothing that is not its sender's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlcore_server.app import ServerApp
from mlcore_server.config import ServerConfig
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mlcore.entities import Action, Credentials, NewLoggedModel, NewRun, Permission, Resource
from mlcore.hookspecs import WebContext, WebMount, WebPart, WebRoute, hookimpl
from mlcore.interfaces import SupportsLoggedModels
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing.memory_authority import MemoryAuthority
from mlcore.wire.requests_views import MetricSeries

POINT = {"key": "k", "value": 1.0, "timestamp": 1}


async def _thing(request: Request) -> Response:
    return PlainTextResponse(f"{request.path_params['experiment_id']}")


async def _page(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("page", 404 if scope["path"].endswith("/none") else 200)(scope, receive, send)


async def _told(request: Request) -> Response:
    return PlainTextResponse("told")


class Brings:
    """A plugin that adds an authority and a route."""

    def __init__(self, *parts: WebPart) -> None:
        self.parts = parts

    @hookimpl
    def web(self, context: WebContext) -> tuple[WebPart, ...]:
        return self.parts


class Neighbours:
    """A server with Ann and Bob, who each manage an experiment with a run and a logged model; Bob may create."""

    def __init__(self, folder: Path) -> None:
        self.authority = MemoryAuthority()
        edit = Permission(Action.EDIT, "experiment", "experiment_id")
        plugins = Plugins.discover(Settings.load({"disable_plugins": ("mlcore-auth-basic",)}))
        route = WebRoute("POST", "/api/acme/{experiment_id}", edit, _thing)
        pages = WebMount("/pages", _page, Permission(Action.READ, "server", "answer"))
        mentioned = (
            Permission(Action.READ, "experiment", "run_ids"),
            Permission(Action.EDIT, "registered_model", "name"),
        )
        anybody = Permission(Action.READ, "server", "answer", also=mentioned)
        also = WebRoute("POST", "/api/acme/told", anybody, _told)
        plugins.register(Brings(self.authority, also, route, pages))
        uri, self.destination = f"sqlite:///{folder}/mlcore.db", f"{folder.as_uri()}/artifacts"
        config = ServerConfig(
            tracking_uri=uri,
            registry_uri=uri,
            artifacts_destination=self.destination,
            artifact_roots=("s3://team/models",),
            state_dir=str(folder),
            access_log=False,
        )
        self.app = ServerApp(config, plugins)
        self.app.start()
        self.tracking = self.app._stores.tracking
        assert isinstance(self.tracking, SupportsLoggedModels)
        self.shown: dict[str, Credentials] = {}
        self.experiment: dict[str, str] = {}
        for name in ("ann", "bob"):
            self.shown[name] = self.authority.user(name)
            made = self.tracking.create_experiment(name, artifact_location=None, tags={}).experiment_id
            self.experiment[name] = made
            self.authority.grant(name, Action.MANAGE, Resource("experiment", made))
            self.tracking.create_run(NewRun(made, f"run-{name}", "r", "", 1))
            self.tracking.create_logged_model(NewLoggedModel(f"m-{name}", made, "n"))
        self.authority.grant("bob", Action.CREATE, Resource("experiment"))
        self.authority.grant("bob", Action.MANAGE, Resource("registered_model", "theirs"))
        self.app._stores.registry.create_model("theirs", description="", tags={})

    def bob(self, path: str, values: Mapping[str, object]) -> httpx.Response:
        """Send what Bob says."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                headers = {"content-type": "application/json", **self.shown["bob"].headers}
                return await client.post(path, content=json.dumps(values), headers=headers)

        return asyncio.run(send())


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    made = Neighbours(tmp_path_factory.mktemp("mentions"))
    yield made
    made.app.stop()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("log-metric", POINT),
        ("log-parameter", {"key": "p", "value": "v"}),
        ("set-tag", {"key": "t", "value": "v"}),
        ("log-batch", {"metrics": [POINT]}),
    ],
)
@pytest.mark.parametrize(
    "names",
    [
        {"run_uuid": "run-bob", "runId": "run-ann"},
        {"runUuid": "run-ann", "run_id": "run-bob"},
        {"run_id": None, "run_uuid": "run-bob", "runUuid": "run-ann"},
        {"run_id": "run-bob", "run_uuid": "run-ann"},
        {"runUuid": "run-ann"},
    ],
    ids=str,
)
def test_no_second_name_of_a_run_leads_to_another_one(
    neighbours: Neighbours, path: str, fields: Mapping[str, object], names: Mapping[str, object]
) -> None:
    neighbours.bob(f"/api/2.0/mlflow/runs/{path}", {**names, **fields})

    untouched = neighbours.tracking.get_run("run-ann").data
    assert not untouched.latest
    assert not untouched.params
    assert set(untouched.tags) == {"mlflow.runName"}


def test_a_run_may_be_named_in_every_way_that_clients_have(neighbours: Neighbours) -> None:
    for i, name in enumerate(("run_id", "run_uuid", "runId", "runUuid")):
        answer = neighbours.bob("/api/2.0/mlflow/runs/set-tag", {name: "run-bob", "key": f"by{i}", "value": name})

        assert answer.status_code == 200, answer.text
    assert {"by0", "by1", "by2", "by3"} <= set(neighbours.tracking.get_run("run-bob").data.tags)
    assert {entry.resource.id for entry in neighbours.authority.log if entry.endpoint == "runs/set-tag"} == {
        neighbours.experiment["bob"]
    }


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("runs/log-metric", {**POINT, "model_id": "m-ann"}),
        ("runs/log-batch", {"metrics": [{**POINT, "model_id": "m-bob"}, {**POINT, "modelId": "m-ann"}]}),
        ("runs/log-inputs", {"models": [{"model_id": "m-ann"}]}),
        ("runs/outputs", {"models": [{"model_id": "m-ann", "step": 1}]}),
        ("logged-models", {"name": "n", "source_run_id": "run-ann"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_belongs_to_others_cannot_be_mentioned(
    neighbours: Neighbours, path: str, fields: Mapping[str, object]
) -> None:
    own = {"run_id": "run-bob", "experiment_id": neighbours.experiment["bob"]}
    before = neighbours.tracking.get_run("run-bob").data.latest

    answer = neighbours.bob(f"/api/2.0/mlflow/{path}", {**own, **fields})

    assert answer.status_code == 403, answer.text
    assert f"experiment {neighbours.experiment['ann']!r}" in answer.json()["message"]
    assert neighbours.tracking.get_run("run-bob").data.latest == before


def test_what_is_ones_own_can_be_mentioned(neighbours: Neighbours) -> None:
    measured = neighbours.bob("/api/2.0/mlflow/runs/log-metric", {"run_id": "run-bob", **POINT, "model_id": "m-bob"})
    used = neighbours.bob("/api/2.0/mlflow/runs/log-inputs", {"run_id": "run-bob", "models": [{"model_id": "m-bob"}]})

    assert (measured.status_code, used.status_code) == (200, 200), (measured.text, used.text)


@pytest.mark.parametrize(
    "place", ["{0}/{1}", "{0}", "mlflow-artifacts:/{1}", "FILE:{2}/{1}", "{2}/{1}", "s3://team/models/x", "s3://team"]
)
def test_nobody_but_an_admin_chooses_a_place_that_the_server_reads(neighbours: Neighbours, place: str) -> None:
    destination = neighbours.destination
    location = place.format(destination, neighbours.experiment["ann"], destination.removeprefix("file://"))

    answer = neighbours.bob("/api/2.0/mlflow/experiments/create", {"name": place, "artifact_location": location})

    assert answer.status_code == 403, answer.text
    assert answer.json()["message"].endswith("leave artifact_location out")


def test_everybody_who_may_create_chooses_a_place_that_the_server_does_not_read(neighbours: Neighbours) -> None:
    fields = {"name": "elsewhere", "artifact_location": "s3://own/x"}

    assert neighbours.bob("/api/2.0/mlflow/experiments/create", fields).status_code == 200


def test_a_version_does_not_open_a_place_that_the_server_reads(neighbours: Neighbours) -> None:
    fields = {"name": "theirs", "source": "s3://team/models/of-ann", "run_id": "run-bob"}

    answer = neighbours.bob("/api/2.0/mlflow/model-versions/create", fields)

    assert answer.status_code == 400, answer.text
    assert "Invalid model version source" in answer.json()["message"]


def test_a_long_body_is_taken_from_nobody_who_is_not_known(neighbours: Neighbours) -> None:
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            taken.append(1)
            yield b" " * 65_536

    async def send(headers: Mapping[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(neighbours.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            url = "/api/2.0/mlflow/runs/log-batch"
            return await client.post(url, content=endless(), headers={"content-type": "application/json", **headers})

    unknown = asyncio.run(send({}))
    held_back = len(taken)
    known = asyncio.run(send(neighbours.shown["bob"].headers))

    assert (unknown.status_code, held_back) == (401, 0)
    assert (known.status_code, len(taken)) == (400, 100)


def test_an_experiment_is_asked_about_once_however_often_it_is_named(neighbours: Neighbours) -> None:
    need = Permission(Action.READ, "experiment", "run_ids")
    request = MetricSeries(run_ids=("run-bob",) * 100_000 + ("run-ann", "run-bob"), keys=("k",))

    asked = neighbours.app.access.resources(need, request)

    assert asked == tuple(Resource("experiment", neighbours.experiment[name]) for name in ("bob", "ann"))


def test_a_live_stream_ends_with_what_its_watcher_may_see(neighbours: Neighbours) -> None:
    granted = ("bob", Resource("experiment", neighbours.experiment["bob"]))

    async def watch() -> httpx.Response:
        transport = httpx.ASGITransport(neighbours.app)  # which answers when the stream has ended
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            url, headers = "/api/2.0/mlflow/runs/live?run_id=run-bob", dict(neighbours.shown["bob"].headers)
            watching = asyncio.ensure_future(client.get(url, headers=headers))
            await asyncio.sleep(0.3)
            del neighbours.authority.allowed[granted]
            return await asyncio.wait_for(watching, 20)

    try:
        answer = asyncio.run(watch())
    finally:
        neighbours.authority.grant("bob", Action.MANAGE, granted[1])
    assert answer.status_code == 200
    assert "event: run" in answer.text
    assert "event: end" not in answer.text


@pytest.mark.parametrize("where", ["body", "query"])
def test_what_decides_about_a_route_of_a_plugin_is_said_once(neighbours: Neighbours, where: str) -> None:
    path, own = f"/api/acme/{neighbours.experiment['ann']}", neighbours.experiment["bob"]

    if where == "body":
        answer = neighbours.bob(path, {"experiment_id": own})
    else:
        answer = neighbours.bob(f"{path}?experiment_id={own}", {})

    assert answer.status_code == 400
    assert answer.json()["message"] == "the request names several values for 'experiment_id': give it once"


def test_what_changes_something_in_an_application_of_a_plugin_is_written_down(neighbours: Neighbours) -> None:
    answers = [neighbours.bob(path, {}).status_code for path in ("/pages/new", "/pages/none")]

    assert answers == [200, 404]
    (entry,) = [one for one in neighbours.authority.log if one.endpoint == "mount /pages"]
    assert (entry.principal, entry.status, entry.after) == ("bob", 200, {"path": "/pages/new"})


def test_the_path_decides_about_a_route_of_a_plugin(neighbours: Neighbours) -> None:
    assert neighbours.bob(f"/api/acme/{neighbours.experiment['ann']}", {}).status_code == 403
    assert neighbours.bob(f"/api/acme/{neighbours.experiment['bob']}", {}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 200),
        ({"run_ids": ["run-bob"], "name": "theirs"}, 200),
        ({"run_ids": ["run-bob", "run-ann"]}, 403),
        ({"run_ids": "run-ann"}, 403),
        ({"run_ids": ["run-bob"], "name": "hers"}, 403),
    ],
    ids=str,
)
def test_what_a_route_needs_besides_is_asked_of_what_is_named(
    neighbours: Neighbours, fields: Mapping[str, object], status: int
) -> None:
    assert neighbours.bob("/api/acme/told", fields).status_code == status
