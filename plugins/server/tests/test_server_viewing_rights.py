"""Tickets and rights: a ticket is for whom asked for it, and opens what they may read at the time of each request."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from mlcore_server.app import ServerApp
from mlcore_server.config import ServerConfig

from mlcore.entities import Action, NewRun, Principal, Resource
from mlcore.hookspecs import WebContext, WebPart, hookimpl
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing.memory_authority import MemoryAuthority

TICKET = "/api/ui/1/artifacts:ticket"


class Brings:
    """A plugin that adds an authority to the server."""

    def __init__(self, authority: MemoryAuthority) -> None:
        self.authority = authority

    @hookimpl
    def web(self, context: WebContext) -> tuple[WebPart, ...]:
        return (self.authority,)


class House:
    """A server with an authority and one run, which ann may read and bob may not."""

    def __init__(self, folder: Path) -> None:
        self.authority = MemoryAuthority()
        self.folder = folder
        self.app = self.started(self.authority)
        stores = self.app._stores
        self.experiment = stores.tracking.create_experiment(uuid.uuid4().hex, artifact_location=None, tags={})
        run = stores.tracking.create_run(NewRun(self.experiment.experiment_id, uuid.uuid4().hex, "r", "", 1))
        self.run_id = run.info.run_id
        self.resource = Resource("experiment", self.experiment.experiment_id)
        self.ann, self.bob, self.root = (dict(self.authority.user(name).headers) for name in ("ann", "bob", "root"))
        self.authority.admins.add("root")
        self.authority.grant("ann", Action.READ, self.resource)
        file = folder / "artifacts" / self.experiment.experiment_id / self.run_id / "artifacts" / "x.txt"
        file.parent.mkdir(parents=True)
        file.write_text("secret")
        stores.registry.create_model("m", description="", tags={})
        source = f"{run.info.artifact_uri}"
        stores.registry.create_version("m", source, run_id=None, run_link=None, description="", tags={})

    def started(self, authority: MemoryAuthority | None) -> ServerApp:
        plugins = Plugins.discover(Settings.load({"disable_plugins": ("mlcore-auth-basic", "mlcore-ui")}))
        if authority is not None:
            plugins.register(Brings(authority))
        app = ServerApp(
            ServerConfig(
                tracking_uri=f"sqlite:///{self.folder}/mlcore.db",
                registry_uri=f"sqlite:///{self.folder}/mlcore.db",
                artifacts_destination=f"{self.folder.as_uri()}/artifacts",
                state_dir=str(self.folder / "state"),
                access_log=False,
            ),
            plugins,
        )
        app.start()
        return app

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        app: ServerApp | None = None,
    ) -> httpx.Response:
        async def work() -> httpx.Response:
            transport = httpx.ASGITransport(app or self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, json=json, headers=dict(headers or {}))

        return asyncio.run(work())

    def ticket(self, headers: Mapping[str, str], **asked: str) -> str:
        answer = self.send("POST", TICKET, headers, asked or {"run_id": self.run_id})
        assert answer.status_code == 200, answer.text
        return "/" + str(answer.json()["url"]) + "x.txt"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.app.stop()


def test_a_ticket_opens_without_credentials(house: House) -> None:
    assert house.send("GET", house.ticket(house.ann)).text == "secret"


def test_who_may_not_read_gets_no_ticket(house: House) -> None:
    for headers, status in ((house.bob, 403), ({}, 401)):
        for asked in ({"run_id": house.run_id}, {"name": "m", "version": "1"}, {}, {"run_id": "0" * 32}):
            assert house.send("POST", TICKET, headers, asked).status_code == status


def test_the_right_to_read_one_place_does_not_open_another(house: House) -> None:
    for asked in ({"run_id": house.run_id, "name": "m", "version": "1"}, {"name": "m", "version": "1"}):
        assert house.send("POST", TICKET, house.ann, asked).status_code in (400, 403)


def test_a_ticket_ends_when_the_right_is_taken_away(house: House) -> None:
    url = house.ticket(house.ann)
    del house.authority.allowed["ann", house.resource]

    answer = house.send("GET", url)

    assert (answer.status_code, "secret" in answer.text) == (403, False)
    assert "you may not read this any more" in answer.text


def test_a_ticket_ends_with_its_user(house: House) -> None:
    url = house.ticket(house.ann)
    del house.authority.tokens["ann"]

    assert house.send("GET", url).status_code == 403


def test_a_ticket_of_an_admin_ends_when_they_are_none_any_more(house: House) -> None:
    url = house.ticket(house.root)
    assert house.send("GET", url).status_code == 200

    house.authority.admins.clear()

    assert house.send("GET", url).status_code == 403


def test_a_ticket_of_a_model_is_for_who_may_read_the_model(house: House) -> None:
    house.authority.grant("bob", Action.READ, Resource("registered_model", "m"))
    url = house.ticket(house.bob, name="m", version="1")
    assert house.send("GET", url).text == "secret"

    del house.authority.allowed["bob", Resource("registered_model", "m")]

    assert house.send("GET", url).status_code == 403


def test_somebody_else_who_is_signed_in_cannot_use_a_ticket(house: House) -> None:
    url = house.ticket(house.ann)

    assert house.send("GET", url, house.ann).status_code == 200
    assert house.send("GET", url, house.bob).status_code == 403
    assert house.send("GET", url, house.root).status_code == 403


def test_what_is_no_sign_of_somebody_does_not_matter(house: House) -> None:
    url = house.ticket(house.ann)

    assert house.send("GET", url, {"cookie": "theme=dark"}).status_code == 200


def test_the_token_that_a_ticket_was_made_with_is_asked_for_again(house: House) -> None:
    asked: list[Principal] = []
    authorize = house.authority.authorize
    house.authority.authorize = lambda who, *more: asked.append(who) or authorize(who, *more)  # type: ignore[method-assign,func-returns-value]  # to see what it is asked
    house.authority.authenticate = lambda _: Principal("ann", token_id="t-1")  # type: ignore[method-assign]  # a token of a part
    url = house.ticket({"authorization": "Bearer part"})

    assert house.send("GET", url).status_code == 200
    assert asked[-1] == Principal("ann", token_id="t-1")


def test_a_ticket_from_before_there_was_an_authority_opens_nothing(house: House) -> None:
    before = house.started(None)
    try:
        url = "/" + house.send("POST", TICKET, None, {"run_id": house.run_id}, before).json()["url"] + "x.txt"
        assert house.send("GET", url, None, None, before).text == "secret"
    finally:
        before.stop()

    assert house.send("GET", url).status_code == 403
