"""Moves in the registry: in whose name they are done, who may ask for them, and who may say yes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from mlcore_server.app import ServerApp
from mlcore_server.config import ServerConfig

from mlcore.entities import Action, Resource
from mlcore.hookspecs import WebContext, WebPart, hookimpl
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing.memory_authority import MemoryAuthority

API = "/api/2.0/mlflow"
Json = dict[str, Any]


class Office:
    """A server in this process, with users or without."""

    def __init__(self, folder: Path, authority: MemoryAuthority | None) -> None:
        folder.mkdir()
        plugins = Plugins.discover(Settings.load({"disable_plugins": ("mlcore-auth-basic",)}))
        if authority is not None:
            plugins.register(_Brings(authority))
        uri = f"sqlite:///{folder}/mlcore.db"
        config = ServerConfig(
            tracking_uri=uri,
            registry_uri=uri,
            artifacts_destination=f"{folder.as_uri()}/artifacts",
            state_dir=str(folder),
            access_log=False,
        )
        self.app = ServerApp(config, plugins)
        self.app.start()
        self.authority = authority
        names = ("ann", "ben", "cid", "out") if authority else ()
        self.shown = {name: dict(authority.user(name).headers) for name in names} if authority else {}
        if authority:
            self.shown["root"] = dict(authority.admin().headers)

    def call(self, who: str, method: str, path: str, **fields: object) -> httpx.Response:
        """Call an endpoint as somebody, or as nobody."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                headers = self.shown.get(who, {})
                if method == "GET":
                    return await client.get(f"{API}/{path}", params=fields, headers=headers)  # type: ignore[arg-type]  # texts and numbers
                return await client.request(method, f"{API}/{path}", json=fields, headers=headers)

        return asyncio.run(send())

    def does(self, who: str, method: str, path: str, **fields: object) -> Json:
        """Call an endpoint that has to succeed."""
        answer = self.call(who, method, path, **fields)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def model(self) -> str:
        """Make a model of two versions that ann may manage, ben may edit and cid may read."""
        name = f"m-{uuid.uuid4().hex}"
        self.does("root", "POST", "registered-models/create", name=name)
        for _ in range(2):
            self.does("root", "POST", "model-versions/create", name=name, source="s3://b/x")
        self.grant(name)
        return name

    def grant(self, name: str) -> None:
        if self.authority is not None:
            for who, action in (("ann", Action.MANAGE), ("ben", Action.EDIT), ("cid", Action.READ)):
                self.authority.grant(who, action, Resource("registered_model", name))

    def history(self, name: str, who: str = "root") -> list[tuple[str, str, str, str]]:
        """Return subject, after, user and comment of the moves of a model, the first one first."""
        moves = self.does(who, "GET", "registered-models/history", name=name).get("moves", [])
        return [(each["subject"], each["after"], each.get("user", ""), each.get("comment", "")) for each in moves][::-1]

    def asks(self, who: str, name: str, **more: object) -> str:
        """Ask for a move to Production."""
        made = self.does(
            who,
            "POST",
            "transition-requests/create",
            **{"name": name, "request_id": uuid.uuid4().hex, "version": "1", "stage": "Production", **more},
        )
        return str(made["transition_request"]["request_id"])

    def stage(self, name: str) -> str:
        found = self.does("root", "GET", "model-versions/get", name=name, version="1")
        return str(found["model_version"]["current_stage"])


class _Brings:
    def __init__(self, *parts: WebPart) -> None:
        self.parts = parts

    @hookimpl
    def web(self, context: WebContext) -> tuple[WebPart, ...]:
        return self.parts


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office") / "known", MemoryAuthority())
    yield made
    made.app.stop()


@pytest.fixture(scope="module")
def open_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("office") / "open", None)
    yield made
    made.app.stop()


def test_a_move_is_done_in_the_name_of_who_sends_it_whatever_they_claim(office: Office) -> None:
    name = office.model()

    office.does(
        "ben",
        "POST",
        "model-versions/move",
        name=name,
        version="1",
        stage="staging",
        user="ann",
        comment="why",
    )
    office.does("ben", "POST", "registered-models/move-alias", name=name, alias="best", version="2", user="ann")
    office.does("ann", "POST", "model-versions/remove", name=name, version="2", user="ben")

    assert office.history(name)[3:] == [
        ("1", "Staging", "ben", "why"),
        ("best", "2", "ben", ""),
        ("best", "", "ann", ""),
        ("2", "", "ann", ""),
    ]


def test_the_routes_of_mlflow_leave_who_used_them_in_the_history(office: Office) -> None:
    name = office.model()

    office.does("ben", "POST", "model-versions/transition-stage", name=name, version="1", stage="Production")
    office.does("ben", "POST", "registered-models/alias", name=name, alias="best", version="1")
    office.does("ann", "DELETE", "registered-models/alias", name=name, alias="best")
    office.does("ann", "DELETE", "model-versions/delete", name=name, version="1")
    office.does("ann", "POST", "registered-models/rename", name=name, new_name=f"{name}-new")
    office.grant(f"{name}-new")
    office.does("ann", "DELETE", "registered-models/delete", name=f"{name}-new")

    assert [(subject, user) for subject, _, user, _ in office.history(f"{name}-new")] == [
        (name, "root"),
        ("1", "root"),
        ("2", "root"),
        ("1", "ben"),
        ("best", "ben"),
        ("best", "ann"),
        ("1", "ann"),
        (name, "ann"),
        ("2", "ann"),
        (f"{name}-new", "ann"),
    ]


def test_where_nobody_is_known_the_name_that_is_told_counts(open_office: Office) -> None:
    name = open_office.model()

    open_office.does("", "POST", "model-versions/move", name=name, version="1", stage="Staging", user="eve")
    open_office.does("", "POST", "model-versions/transition-stage", name=name, version="1", stage="None")

    assert open_office.history(name, "")[-2:] == [("1", "Staging", "eve", ""), ("1", "None", "", "")]


def test_who_comes_late_is_told_who_was_first(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "registered-models/move-alias", name=name, alias="best", version="2", expected="")

    late = office.call("ann", "POST", "registered-models/move-alias", name=name, alias="best", version="1", expected="")

    assert (late.status_code, late.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert "'ben' moved it at 20" in late.json()["message"]


def test_a_version_in_production_is_removed_by_force_only(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "model-versions/move", name=name, version="1", stage="Production")

    refused = office.call("ann", "POST", "model-versions/remove", name=name, version="1")
    office.does("ann", "POST", "model-versions/remove", name=name, version="1", force=True, comment="broken")

    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "is in Production and is not deleted" in refused.json()["message"]
    assert office.history(name)[-1] == ("1", "", "ann", "broken")


def test_what_is_not_there_is_answered_with_what_is(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "registered-models/alias", name=name, alias="best", version="1")

    stage = office.call("ben", "POST", "model-versions/move", name=name, version="1", stage="Heaven")
    alias = office.call("ben", "GET", "registered-models/alias", name=name, alias="worst")

    assert "None, Staging, Production, Archived" in stage.json()["message"]
    assert (alias.status_code, alias.json()["message"]) == (
        400,
        "Registered model alias worst not found. Aliases of the model: best.",
    )


def test_who_may_read_asks_and_who_may_edit_decides(office: Office) -> None:
    name = office.model()

    asked = office.asks("cid", name, user="ann", comment="it is better")
    by_reader = office.call("cid", "POST", "transition-requests/decide", request_id=asked, status="APPROVED")
    by_stranger = office.call("out", "POST", "transition-requests/decide", request_id=asked, status="APPROVED")
    before = office.stage(name)
    done = office.does("ben", "POST", "transition-requests/decide", request_id=asked, status="APPROVED", user="ann")

    assert (by_reader.status_code, by_stranger.status_code, before) == (403, 403, "None")
    assert done["transition_request"]["decided_by"] == "ben"
    assert office.history(name)[-1] == ("1", "Production", "cid", "it is better (approved by 'ben')")


@pytest.mark.parametrize("who", ["ben", "root"])
def test_nobody_approves_what_they_asked_for_themselves(office: Office, who: str) -> None:
    name = office.model()
    asked = office.asks(who, name)

    own = office.call(who, "POST", "transition-requests/decide", request_id=asked, status="APPROVED")
    rejected = office.does(who, "POST", "transition-requests/decide", request_id=asked, status="REJECTED")

    assert (own.status_code, office.stage(name)) == (403, "None")
    assert "has to approve it" in own.json()["message"]
    assert rejected["transition_request"]["status"] == "REJECTED"


def test_where_nobody_is_known_everybody_may_approve(open_office: Office) -> None:
    name = open_office.model()
    asked = open_office.asks("", name, user="eve")

    open_office.does("", "POST", "transition-requests/decide", request_id=asked, status="APPROVED", user="eve")

    assert open_office.stage(name) == "Production"


def test_a_request_is_taken_back_by_who_asked_or_by_who_may_decide(office: Office) -> None:
    name = office.model()
    mine, theirs = office.asks("cid", name), office.asks("ann", name)

    office.does("cid", "POST", "transition-requests/cancel", request_id=mine)
    refused = office.call("cid", "POST", "transition-requests/cancel", request_id=theirs)
    done = office.does("ben", "POST", "transition-requests/cancel", request_id=theirs)

    assert refused.status_code == 403
    assert (done["transition_request"]["status"], done["transition_request"]["decided_by"]) == ("CANCELLED", "ben")


def test_requests_are_shown_to_who_may_read_their_model(office: Office) -> None:
    name, hidden = office.model(), office.model()
    asked = {office.asks("ann", name), office.asks("cid", name)}
    office.asks("ann", hidden)
    office.authority.allowed.pop(("cid", Resource("registered_model", hidden)))  # type: ignore[union-attr]  # it has one

    mine = office.does("cid", "GET", "transition-requests/search", max_results=1000)["transition_requests"]
    one = office.call("cid", "GET", "transition-requests/search", name=hidden)
    nothing = office.call("cid", "GET", "transition-requests/search", name="never was")

    assert {each["request_id"] for each in mine if each["name"] == name} == asked
    assert hidden not in {each["name"] for each in mine}
    assert (one.status_code, nothing.status_code) == (403, 403)


def test_who_may_read_a_model_learns_nothing_of_one_that_had_its_name_before(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "registered-models/alias", name=name, alias="secret", version="1")
    at = office.does("root", "GET", "registered-models/history", name=name)["moves"][0]["at"]
    asked = office.asks("ann", name)
    office.does("ann", "DELETE", "registered-models/delete", name=name)
    deleted = office.call("cid", "GET", "registered-models/history", name=name)

    office.does("root", "POST", "registered-models/create", name=name)
    office.grant(name)

    assert deleted.status_code in (403, 404)
    assert [subject for subject, *_ in office.history(name, "cid")] == [name]
    assert len(office.history(name)) > 5
    when = {"name": name, "alias": "secret", "at": at}
    assert office.does("cid", "GET", "registered-models/alias-at", **when) == {}
    assert office.does("root", "GET", "registered-models/alias-at", **when) == {"version": "1"}
    assert office.call("cid", "GET", "transition-requests/get", request_id=asked).status_code == 404
    assert office.does("cid", "GET", "transition-requests/search", name=name) == {}


def test_an_alias_is_told_as_it_was(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "registered-models/alias", name=name, alias="best", version="1")
    at = office.does("cid", "GET", "registered-models/history", name=name)["moves"][0]["at"]

    found = office.does("cid", "GET", "registered-models/alias-at", name=name, alias="best", at=at)

    assert found == {"version": "1"}
    assert office.call("out", "GET", "registered-models/alias-at", name=name, alias="best", at=at).status_code == 403


def test_what_is_no_name_comment_or_id_is_refused(office: Office) -> None:
    name = office.model()
    move = {"name": name, "version": "1", "stage": "Staging"}

    long = office.call("ben", "POST", "model-versions/move", **move, comment="x" * 5001)
    strange = office.call("cid", "POST", "transition-requests/create", **move, request_id="a b")
    unknown = office.call("root", "GET", "transition-requests/get", request_id="nope")

    assert (long.status_code, strange.status_code, unknown.status_code) == (400, 400, 404)
    assert "5001 characters, at most 5000" in long.json()["message"]
    assert "'a b'" in strange.json()["message"]


def test_moves_are_in_the_audit_log_with_what_was_before(office: Office) -> None:
    name = office.model()
    office.does("ben", "POST", "registered-models/move-alias", name=name, alias="best", version="1")
    asked = office.asks("cid", name)
    office.does("ben", "POST", "transition-requests/decide", request_id=asked, status="REJECTED")
    assert office.authority is not None

    found = {each.endpoint: each for each in office.authority.log if each.resource.id == name}

    assert found["POST registered-models/move-alias"].principal == "ben"
    assert found["POST transition-requests/create"].principal == "cid"
    before: Any = found["POST transition-requests/decide"].before
    assert before["status"] == "PENDING"


def test_a_history_names_the_places_of_versions_as_clients_do(open_office: Office) -> None:
    name = f"m-{uuid.uuid4().hex}"
    run = open_office.does("", "POST", "runs/create", experiment_id="0", start_time=1)["run"]["info"]
    source = f"{run['artifact_uri']}/model"
    open_office.does("", "POST", "registered-models/create", name=name)
    open_office.does("", "POST", "model-versions/create", name=name, source=source, run_id=run["run_id"])
    open_office.does("", "DELETE", "model-versions/delete", name=name, version="1")

    deleted, created, _ = open_office.does("", "GET", "registered-models/history", name=name)["moves"]

    assert source.startswith("mlflow-artifacts:/")
    assert (created["after"], deleted["before"]) == (source, source)
