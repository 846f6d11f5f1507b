"""The routes: each declared, closed to strangers, and answering in the protocol's words."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from pathlib import Path

import httpx
import pytest
from auth_basic_town import OPERATOR, PHRASE, Caller, Town, basic, bearer, caller
from mlcore_auth_basic import bootstrap, levels, web_call
from mlcore_auth_basic.throttle import PER_CLIENT
from mlcore_auth_basic.web import routes
from starlette.requests import Request

from mlcore.entities import Action, Permission, Resource
from mlcore.errors import InvalidStateError, StoreUnavailableError
from mlcore.hookspecs import HookSpecs, WebContext, WebRoute
from mlcore.interfaces import Authority, SupportsAudit
from mlcore.plugins import Plugins

BOOTSTRAP = "/api/mlcore/auth/bootstrap"
TOKENS = "/api/mlcore/auth/tokens"
SESSION = "/api/mlcore/auth/session"
V2, V3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"


@pytest.fixture
def root(town: Town) -> Caller:
    return caller(town.authority, town.admin())


@pytest.fixture
def ada(town: Town) -> Caller:
    return caller(town.authority, town.user("ada"))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def test_the_hook_brings_an_authority_and_routes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context = WebContext("sqlite://", "sqlite://", str(tmp_path / "state"), "/mlflow")

    [parts] = [each for each in Plugins.discover().every(HookSpecs.web, context=context) if any(_ours(p) for p in each)]

    authorities = [part for part in parts if isinstance(part, Authority)]
    assert [each.name for each in authorities] == ["basic"]
    assert isinstance(authorities[0], SupportsAudit)
    assert authorities[0].challenge.startswith("Basic ")
    assert all(isinstance(part, WebRoute) for part in parts if part is not authorities[0])
    said = capsys.readouterr()
    assert "POST /mlflow/api/mlcore/auth/bootstrap" in said.err
    assert said.out == ""
    authorities[0].close()  # type: ignore[attr-defined]  # ours has it


def _ours(part: object) -> bool:
    return isinstance(part, Authority) and part.name == "basic"


def test_every_route_says_what_its_caller_needs_and_whether_it_changes_something(town: Town) -> None:
    for route in routes(town.authority):
        assert isinstance(route.permission, Permission)
        assert route.mutates is (route.method != "GET")
    open_ones = [route.path for route in routes(town.authority) if route.permission.action is None]
    assert open_ones == [BOOTSTRAP, *[SESSION] * 3]


def test_no_route_is_there_twice(town: Town) -> None:
    found = [(route.method, route.path) for route in routes(town.authority)]

    assert len(found) == len(set(found))


# What each caller is told, with plausible fields; what a route does not need it ignores.
FIELDS: dict[str, object] = {
    "username": "eve",
    "password": f"eve {PHRASE}",
    "is_admin": True,
    "experiment_id": "1",
    "name": "wine",
    "permission": "MANAGE",
    "resource_type": "experiment",
    "resource_id": "1",
    "resource_pattern": "1",
    "role_id": 1,
    "role_permission_id": 1,
    "token_id": "x",
    "max_results": 5,
}
# those that are about the caller, whoever it is
ABOUT_ONESELF = {"users/current", "users/current/permissions"}


def test_no_route_lets_in_who_is_unknown_or_a_stranger(town: Town, ada: Caller) -> None:
    town.user("eve")
    town.admin()
    before = town.audited()

    for route in routes(town.authority):
        if route.path == SESSION:
            continue  # where people who are not known yet sign in
        short = route.path.partition("mlflow/")[2]
        fields = {key: value for key, value in FIELDS.items() if not ("permissions/" in short and key == "name")}
        fields = FIELDS if short.startswith(("registered-models", "roles")) else fields
        fields = {**fields, "experiment_id": ""} if short.startswith("registered-models") else fields
        unknown = caller(town.authority)(route.method, route.path, **fields)
        wrong = caller(town.authority, basic("ada", "not her password"))
        stranger = ada(route.method, route.path, **fields)
        assert unknown.status_code in ((401, 400) if route.path == BOOTSTRAP else (401,)), route.path
        assert short in ABOUT_ONESELF or stranger.status_code in (400, 401, 403, 404), (route.path, stranger.text)
        assert stranger.status_code != 404 or route.path == TOKENS
        assert stranger.status_code != 400 or route.path == BOOTSTRAP, stranger.text
    assert wrong("GET", f"{V2}users/current").status_code == 401
    assert town.audited() == before


def test_a_token_of_small_scope_opens_no_administration(town: Town) -> None:
    town.admin()
    for scope in ("read", "edit"):
        calls = caller(town.authority, town.token("root", scope))
        for route in routes(town.authority):
            if route.mutates and route.path != BOOTSTRAP:
                answer = calls(route.method, route.path, **{**FIELDS, "username": "root"})
                assert answer.status_code in (400, 403, 404), (route.path, answer.text)
    assert len(town.audited()) == 3  # the admin and the two tokens


def test_users_are_made_shown_listed_changed_and_deleted(town: Town, root: Caller) -> None:
    made = root("POST", f"{V2}users/create", username="ada", password=PHRASE).json()
    shown = root("GET", f"{V2}users/get", username="ada").json()
    root("PATCH", f"{V2}users/update-admin", username="ada", is_admin=True)
    listed = root("GET", f"{V2}users/list").json()
    root("PATCH", f"{V2}users/update-password", username="ada", password=f"new {PHRASE}")
    now = caller(town.authority, basic("ada", f"new {PHRASE}"))("GET", f"{V2}users/current").json()
    deleted = root("DELETE", f"{V2}users/delete", username="ada")

    number = made["user"]["id"]
    assert made == shown
    assert made["user"] == {
        "id": number,
        "username": "ada",
        "is_admin": False,
        "experiment_permissions": [],
        "registered_model_permissions": [],
    }
    assert listed["users"][0] == {"id": number, "username": "ada", "is_admin": True, "roles": []}
    assert now == {"user": {"id": number, "username": "ada", "is_admin": True}, "is_basic_auth": True}
    assert (deleted.status_code, deleted.json()) == (200, {})
    assert code(root("GET", f"{V2}users/get", username="ada")) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_errors_have_the_protocols_codes(root: Caller, ada: Caller) -> None:
    create = f"{V2}users/create"

    assert code(root("POST", create, username="ada", password=PHRASE)) == (400, "RESOURCE_ALREADY_EXISTS")
    assert code(root("POST", create, username="new")) == (400, "INVALID_PARAMETER_VALUE")
    assert code(root("POST", create, username="new", password="too short")) == (400, "INVALID_PARAMETER_VALUE")
    assert code(root("POST", create, username=["x"], password=PHRASE)) == (400, "INVALID_PARAMETER_VALUE")
    assert code(ada("POST", create, username="new", password=PHRASE)) == (403, "PERMISSION_DENIED")
    assert code(root("DELETE", f"{V2}users/delete", username="root")) == (400, "BAD_REQUEST")
    assert code(root("PATCH", f"{V2}users/update-admin", username="ada", is_admin="perhaps"))[0] == 400


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{}", "text/plain", "Content-Type must be one of"),
        (b"{", "application/json", "body is no JSON"),
        (b"[1]", "application/json", "body is no JSON object"),
        (b'{"token": "' + b"x" * 70_000 + b'"}', "application/json", "more than 65536 bytes"),
        (b"[" * 60_000, "application/json", "body is no JSON"),
    ],
)
def test_a_body_that_is_no_small_json_object_is_refused(town: Town, body: bytes, kind: str, said: str) -> None:
    import anyio

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(caller(town.authority).server)
        async with httpx.AsyncClient(transport=transport, base_url="http://mlcore") as client:
            return await client.post(BOOTSTRAP, content=body, headers={"content-type": kind})

    answer = anyio.run(send)

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert said in answer.json()["message"]


def test_half_a_character_is_refused_and_never_breaks_the_server(root: Caller, ada: Caller) -> None:
    half = "\ud83d"

    answers = [
        root("POST", f"{V2}users/create", username=half, password=PHRASE),
        root("PATCH", f"{V2}users/update-admin", username=half, is_admin=True),
        ada("POST", f"{V2}experiments/permissions/create", experiment_id=half, username="ada", permission="READ"),
        ada("POST", f"{V3}users/permissions/grant", resource_type="experiment", resource_id=half, username="ada", permission="READ"),
        ada("PATCH", f"{V2}users/update-password", username="ada", password=f"{half} {PHRASE}"),
    ]  # fmt: skip

    assert [code(answer) for answer in answers] == [(400, "INVALID_PARAMETER_VALUE")] * 4 + [(200, "")]


def test_users_see_and_change_themselves_and_nobody_else(town: Town, ada: Caller) -> None:
    town.user("bob")
    change = f"{V2}users/update-password"

    assert ada("GET", f"{V2}users/get", username="ada").status_code == 200
    assert code(ada("GET", f"{V2}users/get", username="bob")) == (403, "PERMISSION_DENIED")
    assert code(ada("GET", f"{V2}users/get", username="nobody")) == (403, "PERMISSION_DENIED")
    assert code(ada("PATCH", change, username="bob", password=f"new {PHRASE}")) == (403, "PERMISSION_DENIED")
    assert ada("PATCH", change, username="ada", password=f"new {PHRASE}").json() == {}
    assert ada("GET", f"{V2}users/current").status_code == 401
    assert caller(town.authority, basic("ada", f"new {PHRASE}"))("GET", f"{V2}users/current").status_code == 200


def test_the_present_password_counts_where_it_is_given(town: Town, ada: Caller) -> None:
    change = f"{V2}users/update-password"
    by_token = caller(town.authority, town.token("ada"))
    fields = {"username": "ada", "password": f"new {PHRASE}"}

    wrong = ada("PATCH", change, **fields, current_password="not it, not it")
    alone = by_token("PATCH", change, **fields)
    same = ada("PATCH", change, username="ada", password=f"ada {PHRASE}", current_password=f"ada {PHRASE}")
    right = by_token("PATCH", change, **fields, current_password=f"ada {PHRASE}")

    assert "current_password is not the password" in wrong.json()["message"]
    assert "an API token alone does not change a password" in alone.json()["message"]
    assert "is the present one" in same.json()["message"]
    assert right.status_code == 200


def test_who_manages_a_resource_gives_permissions_on_it_and_on_no_other(town: Town, ada: Caller) -> None:
    bob = town.user("bob")
    ours, theirs = {"experiment_id": "1", "username": "bob"}, {"experiment_id": "2", "username": "bob"}
    town.grant("ada", Action.MANAGE, Resource("experiment", "1"))
    path = f"{V2}experiments/permissions/"

    made = ada("POST", f"{path}create", **ours, permission="READ").json()
    twice = ada("POST", f"{path}create", **ours, permission="READ")
    shown = ada("GET", f"{path}get", **ours).json()
    ada("PATCH", f"{path}update", **ours, permission="EDIT")
    may_edit = town.authority.authorize(town.authority.authenticate(bob), Action.EDIT, Resource("experiment", "1"))
    gone = ada("DELETE", f"{path}delete", **ours)
    again = ada("DELETE", f"{path}delete", **ours)

    assert made == shown
    assert made["experiment_permission"]["permission"] == "READ"
    assert code(twice) == (400, "RESOURCE_ALREADY_EXISTS")
    assert may_edit
    assert gone.json() == {}
    assert code(again) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert code(ada("POST", f"{path}create", **theirs, permission="READ")) == (403, "PERMISSION_DENIED")
    assert code(ada("POST", f"{path}create", experiment_id="*", username="ada", permission="READ"))[0] == 403


def test_who_owns_a_model_called_star_gives_nothing_for_all_models(town: Town, ada: Caller) -> None:
    town.authority.created(
        town.authority.authenticate(basic("ada", f"ada {PHRASE}")), Resource("registered_model", "*")
    )
    path = f"{V2}registered-models/permissions/create"

    answers = [
        ada("POST", path, name="*", username="ada", permission="MANAGE"),
        ada("POST", f"{V3}users/permissions/grant", username="ada", resource_type="registered_model", resource_id="*",
            permission="MANAGE"),
    ]  # fmt: skip

    assert [code(answer) for answer in answers] == [(403, "PERMISSION_DENIED")] * 2


def test_permissions_of_mlflow_3_are_given_shown_and_taken(town: Town, root: Caller, ada: Caller) -> None:
    where = {"username": "ada", "resource_type": "experiment", "resource_id": "7"}

    before = ada("GET", f"{V3}users/permissions/get", **where).json()
    root("POST", f"{V3}users/permissions/grant", **where, permission="EDIT")
    after = ada("GET", f"{V3}users/permissions/get", **where).json()
    own = ada("GET", f"{V3}users/current/permissions").json()
    root("POST", f"{V3}users/permissions/revoke", **where)
    root("POST", f"{V3}users/permissions/grant", **{**where, "resource_id": "*"}, permission="CREATE")
    creates = town.authority.authorize(town.authority.authenticate(basic("ada", f"ada {PHRASE}")), Action.CREATE, Resource("experiment"))  # fmt: skip
    root("POST", f"{V3}users/permissions/revoke", **{**where, "resource_id": "*"}, permission="CREATE")

    assert before == {"allowed": False, "permission": "NO_PERMISSIONS"}
    assert after == {"allowed": True, "permission": "EDIT"}
    assert own["permissions"][0]["role_name"].startswith("__user_")
    assert own["permissions"][0]["resource_pattern"] == "7"
    assert creates
    assert ada("GET", f"{V3}users/permissions/list", username="ada").json()["permissions"] == []
    assert code(ada("GET", f"{V3}users/permissions/list", username="root"))[0] == 403
    assert code(ada("GET", f"{V3}users/permissions/get", **{**where, "username": "root"}))[0] == 403


def test_tokens_are_made_shown_once_listed_and_revoked(town: Town, ada: Caller) -> None:
    made = ada("POST", TOKENS, name="ci", scope="read", resources=["experiment:1"], expires_in_s=3600).json()
    listed = ada("GET", TOKENS)
    by_token = caller(town.authority, bearer(made["token"]))
    used = by_token("GET", f"{V2}users/current").json()
    gone = ada("DELETE", TOKENS, token_id=made["token_id"])

    assert used["user"]["username"] == "ada"
    [line] = listed.json()["tokens"]
    assert (line["name"], line["scope"], line["resources"]) == ("ci", "read", ["experiment:1"])
    assert line["expires_ms"] - line["created_ms"] == pytest.approx(3_600_000, abs=5_000)
    assert made["token"] not in listed.text
    assert listed.headers["cache-control"] == "no-store"
    assert gone.json() == {}
    assert by_token("GET", f"{V2}users/current").status_code == 401


def test_tokens_end_by_themselves_unless_somebody_says_never(ada: Caller) -> None:
    usual = ada("POST", TOKENS, name="usual").json()
    never = ada("POST", TOKENS, name="never", expires_in_s=0).json()

    assert usual["expires_ms"] is not None
    assert usual["scope"] == "edit"
    assert never["expires_ms"] is None
    assert code(ada("POST", TOKENS, name="x", expires_in_s=-1)) == (400, "INVALID_PARAMETER_VALUE")
    assert code(ada("POST", TOKENS, name="x", scope="all")) == (400, "INVALID_PARAMETER_VALUE")


def test_a_token_makes_no_tokens_and_strangers_revoke_none(town: Town, ada: Caller, root: Caller) -> None:
    made = ada("POST", TOKENS, name="ci", scope="manage").json()
    by_token = caller(town.authority, bearer(made["token"]))
    bob = caller(town.authority, town.user("bob"))

    assert code(by_token("POST", TOKENS, name="more")) == (403, "PERMISSION_DENIED")
    assert code(bob("DELETE", TOKENS, token_id=made["token_id"])) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert code(bob("POST", TOKENS, name="x", username="ada")) == (403, "PERMISSION_DENIED")
    assert code(bob("GET", TOKENS, username="ada")) == (403, "PERMISSION_DENIED")
    assert code(bob("GET", TOKENS, username="*")) == (403, "PERMISSION_DENIED")
    assert len(root("GET", TOKENS, username="*").json()["tokens"]) == 1
    assert root("DELETE", TOKENS, token_id=made["token_id"]).status_code == 200


# The first admin.


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_token_for_the_first_admin_works_once(town: Town, state_dir: Path) -> None:
    bootstrap.announce(town.authority.database, io.StringIO())
    file = state_dir / "bootstrap-token"
    token, anybody = file.read_text().strip(), caller(town.authority)

    made = anybody("POST", BOOTSTRAP, token=token, username="root", password=PHRASE)
    again = anybody("POST", BOOTSTRAP, token=token, username="eve", password=PHRASE)

    assert made.json() == {"user": {"id": 1, "username": "root", "is_admin": True}}
    assert town.authority.authenticate(basic("root", PHRASE)).is_admin
    assert code(again) == (400, "INVALID_PARAMETER_VALUE")
    assert "the bootstrap token is void" in again.json()["message"]
    assert not file.exists()
    assert [entry.endpoint for entry in town.audited()] == ["auth/bootstrap"]
    assert token not in json.dumps([repr(entry) for entry in town.audited()])


def test_a_wrong_token_makes_nobody_and_tries_are_counted(town: Town) -> None:
    bootstrap.announce(town.authority.database, io.StringIO())
    anybody = caller(town.authority)

    for wrong in ("", "x", "mlc_bootstrap_"):
        answer = anybody("POST", BOOTSTRAP, token=wrong, username="eve", password=PHRASE)
        assert answer.status_code in (400, 401)
    for _ in range(PER_CLIENT):
        last = anybody("POST", BOOTSTRAP, token="x", username="eve", password=PHRASE)

    assert code(last) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert town.audited() == ()


def test_without_a_token_nobody_becomes_the_first_admin(town: Town) -> None:
    assert code(caller(town.authority)("POST", BOOTSTRAP, token="x", username="eve", password=PHRASE))[0] == 401


def test_a_weak_password_does_not_use_the_token_up(town: Town, state_dir: Path) -> None:
    bootstrap.announce(town.authority.database, io.StringIO())
    token, anybody = (state_dir / "bootstrap-token").read_text().strip(), caller(town.authority)

    weak = anybody("POST", BOOTSTRAP, token=token, username="root", password="too short")
    strong = anybody("POST", BOOTSTRAP, token=token, username="root", password=PHRASE)

    assert (weak.status_code, strong.status_code) == (400, 200)


def test_the_token_is_shown_once_in_a_terminal_and_never_in_a_log(town: Town, state_dir: Path) -> None:
    screen, later, log = Terminal(), Terminal(), io.StringIO()

    bootstrap.announce(town.authority.database, screen)
    token = (state_dir / "bootstrap-token").read_text().strip()
    bootstrap.announce(town.authority.database, later)
    (state_dir / "bootstrap-token").unlink()
    bootstrap.announce(town.authority.database, log)

    fresh = (state_dir / "bootstrap-token").read_text().strip()
    assert token in screen.getvalue()
    assert token not in later.getvalue()
    assert fresh != token
    assert fresh not in log.getvalue()
    assert str(state_dir / "bootstrap-token") in log.getvalue()
    assert stat.S_IMODE((state_dir / "bootstrap-token").stat().st_mode) == 0o600
    assert not [path for path in state_dir.iterdir() if path.name.startswith(".bootstrap")]


def test_a_start_with_an_admin_says_nothing(town: Town, state_dir: Path) -> None:
    town.admin()
    said = Terminal()

    bootstrap.announce(town.authority.database, said)

    assert said.getvalue() == ""
    assert not (state_dir / "bootstrap-token").exists()


def test_an_admin_made_otherwise_voids_the_token(town: Town, state_dir: Path) -> None:
    bootstrap.announce(town.authority.database, io.StringIO())
    token = (state_dir / "bootstrap-token").read_text().strip()

    town.authority.administration.add_user(OPERATOR, "root", PHRASE, is_admin=True)

    answer = caller(town.authority)("POST", BOOTSTRAP, token=token, username="eve", password=PHRASE)
    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert not (state_dir / "bootstrap-token").exists()
    with pytest.raises(InvalidStateError, match="there is an admin already"):
        town.authority.administration.first_admin(OPERATOR, "eve", PHRASE)


def test_the_kinds_of_the_routes_are_those_of_the_server(town: Town) -> None:
    assert {route.permission.kind for route in routes(town.authority)} <= {*levels.KINDS, levels.SERVER}


def test_what_is_no_fault_of_the_caller_is_left_to_the_server(town: Town) -> None:
    def broken(_: web_call.Call) -> dict[str, object]:
        raise StoreUnavailableError("the file /srv/auth.db is gone")

    handler = web_call.route(town.authority, "GET", "/x", web_call.ANYBODY, broken).handler
    request = Request({"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []})

    async def answer() -> object:
        return await handler(request)

    with pytest.raises(StoreUnavailableError, match="is gone"):
        asyncio.run(answer())
