"""The audit log: every change, in order, for ever, without secrets."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from auth_basic_town import OPERATOR, PHRASE, Town, basic, caller
from mlcore_auth_basic import audit_log
from mlcore_auth_basic.audit_log import MASK, MAX_VALUE_BYTES, AuditQuery
from mlcore_auth_basic.database import FILE
from mlcore_auth_basic.roles import Roles
from mlcore_auth_basic.tokens import TokenRequest

from mlcore.entities import Action, AuditEntry, Principal, Resource
from mlcore.errors import InvalidParameterError, MlcoreError


def entry(n: int, who: str = "ada", what: str = "runs/update", resource: str = "1") -> AuditEntry:
    return AuditEntry(n, who, what, Resource("experiment", resource), 200, f"r{n}", {"n": n}, {"n": n + 1})


def search(town: Town, query: AuditQuery) -> tuple[list[int], str | None]:
    with town.authority.database.reading() as connection:
        page = audit_log.search(connection, query)
    return [row.entry.time_ms for row in page.items], page.next_token


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET principal = 'somebody else'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = 1",
        "REPLACE INTO audit SELECT id, 0, 'x', 'x', 'x', 'x', 0, 'x', 'x', 'x' FROM audit",
    ],
)
def test_entries_are_neither_changed_nor_deleted(town: Town, statement: str) -> None:
    town.authority.record([entry(1), entry(2)])
    before = town.audited()

    def tamper() -> None:
        with (
            town.authority.database.writing() as connection,
            pytest.raises(sqlite3.IntegrityError, match="append-only"),
        ):
            connection.execute(statement)

    tamper()

    assert town.audited() == before


def test_every_change_of_accounts_is_an_entry_with_before_and_after(town: Town) -> None:
    administration, roles = town.authority.administration, Roles(town.authority.database)
    administration.first_admin(OPERATOR, "root", PHRASE)
    administration.add_user(OPERATOR, "ada", PHRASE)
    administration.change_password(OPERATOR, "ada", f"another {PHRASE}")
    administration.set_admin(OPERATOR, "ada", is_admin=True)
    administration.grant(OPERATOR, "ada", "experiment", "1", "READ")
    administration.grant(OPERATOR, "ada", "experiment", "1", "EDIT")
    administration.revoke(OPERATOR, "ada", "experiment", "1")
    token_id, token = administration.add_token(OPERATOR, "ada", TokenRequest("ci", Action.EDIT))
    administration.revoke_token(OPERATOR, token_id)
    team = roles.create(OPERATOR, "team", "about")
    roles.update(OPERATOR, team.id, "crew", None)
    line = roles.add_permission(OPERATOR, team.id, "experiment", "*", "READ")
    roles.update_permission(OPERATOR, line.id, "EDIT")
    roles.assign(OPERATOR, team.id, "ada")
    roles.unassign(OPERATOR, team.id, "ada")
    roles.remove_permission(OPERATOR, line.id)
    roles.delete(OPERATOR, team.id)
    administration.delete_user(OPERATOR, "ada")

    found = town.audited()
    by_endpoint = {each.endpoint: each for each in found}

    assert [each.endpoint for each in found] == [
        "auth/bootstrap",
        "users/create",
        "users/update-password",
        "users/update-admin",
        "users/permissions/grant",
        "users/permissions/grant",
        "users/permissions/revoke",
        "auth/tokens/create",
        "auth/tokens/revoke",
        "roles/create",
        "roles/update",
        "roles/permissions/add",
        "roles/permissions/update",
        "roles/assign",
        "roles/unassign",
        "roles/permissions/remove",
        "roles/delete",
        "users/delete",
    ]
    assert {each.principal for each in found} == {"operator:test"}
    change = by_endpoint["users/permissions/grant"]
    assert change.resource == Resource("experiment", "1")
    assert change.before == {"username": "ada", "permission": "READ"}
    assert change.after == {"username": "ada", "permission": "EDIT"}
    assert by_endpoint["users/update-admin"].before == {"is_admin": False}
    assert by_endpoint["roles/update"].after == {"name": "crew", "description": "about"}
    assert token not in repr(found)


def test_a_change_that_fails_is_no_entry(town: Town) -> None:
    town.user("ada")
    before = town.audited()

    with pytest.raises(InvalidParameterError):
        town.authority.administration.grant(OPERATOR, "ada", "experiment", "1", "OWN")

    assert town.audited() == before


HIDDEN = "the 5ecret"
SECRETS = {
    **dict.fromkeys(("password", "current_password", "token", "AccessToken", "clientSecret"), HIDDEN),
    "nested": [dict.fromkeys(("api_key", "aws_secret_access_key"), HIDDEN)],
    "tags": [{"key": "db.password", "value": HIDDEN}],
    "headers": dict.fromkeys(("Authorization", "Cookie"), HIDDEN),
}


def test_secrets_are_masked_wherever_they_are(town: Town, state_dir: Path) -> None:
    town.authority.record([AuditEntry(1, "ada", "x", Resource("server"), 200, "", SECRETS, [SECRETS])])
    town.authority.close()

    files = b"".join(path.read_bytes() for path in state_dir.iterdir())

    assert b"5ecret" not in files
    assert MASK.encode() in files


def test_what_only_sounds_like_a_secret_is_shown(town: Town) -> None:
    plain = {"name": "n", "max_tokens_seen": 5, "key": "accuracy", "value": 1, "tags": [{"key": "k", "value": "v"}]}

    town.authority.record([AuditEntry(1, "ada", "x", Resource("server"), 200, "", None, plain)])

    assert town.audited()[-1].after == plain


def test_values_that_no_json_file_can_hold_are_spelled_out(town: Town) -> None:
    odd = {"loss": float("nan"), "best": [float("inf"), float("-inf")], "half": "\ud83d", "whole": "\U0001f642"}

    town.authority.record([AuditEntry(1, "a\ud83d", "x", Resource("experiment", "\ud83d"), 200, "", None, odd)])

    found = caller(town.authority, town.admin())("GET", "/api/mlcore/audit", what="x").json()["entries"][0]
    assert found["principal"] == "a\\ud83d"
    assert found["resource"]["id"] == "\\ud83d"
    expected = {"loss": "nan", "best": ["inf", "-inf"], "half": "\\ud83d", "whole": "\U0001f642"}
    assert found["after"] == expected


def test_a_huge_state_is_cut_and_says_so(town: Town) -> None:
    town.authority.record([AuditEntry(1, "ada", "x", Resource("server"), 200, "", "x" * MAX_VALUE_BYTES, "small")])

    found = town.audited()[-1]

    assert isinstance(found.before, dict)
    assert found.before["truncated"] is True
    assert found.before["bytes"] == MAX_VALUE_BYTES + 2
    assert found.after == "small"


def test_a_batch_is_stored_whole_or_not_at_all(town: Town) -> None:
    broken = AuditEntry(None, "ada", "x", Resource("server"), 200)  # type: ignore[arg-type]  # that is the fault

    with pytest.raises(MlcoreError, match="NOT NULL"):
        town.authority.record([entry(1), broken])

    assert town.audited() == ()


def test_a_search_narrows_by_who_what_resource_and_time(town: Town) -> None:
    town.authority.record(
        [entry(10), entry(20, who="bob"), entry(30, what="experiments/delete"), entry(40, resource="2"), entry(50)]
    )

    assert search(town, AuditQuery())[0] == [50, 40, 30, 20, 10]
    assert search(town, AuditQuery(who="bob"))[0] == [20]
    assert search(town, AuditQuery(what="experiments/"))[0] == [30]
    assert search(town, AuditQuery(what="%"))[0] == []
    assert search(town, AuditQuery(resource=Resource("experiment", "2")))[0] == [40]
    assert search(town, AuditQuery(since_ms=20, until_ms=40))[0] == [30, 20]
    assert search(town, AuditQuery(who="ada", what="runs/", since_ms=11))[0] == [50, 40]


def test_pages_go_through_all_entries_once_also_while_new_ones_come(town: Town) -> None:
    town.authority.record([entry(n) for n in range(25)])

    seen: list[int] = []
    token: str | None = None
    while True:
        found, token = search(town, AuditQuery(max_results=10, page_token=token))
        seen += found
        town.authority.record([entry(99)])
        if token is None:
            break

    assert seen == list(reversed(range(25)))


@pytest.mark.parametrize("query", [AuditQuery(max_results=0), AuditQuery(max_results=1001), AuditQuery(page_token="x")])
def test_a_page_that_cannot_be_is_refused(town: Town, query: AuditQuery) -> None:
    with pytest.raises(InvalidParameterError, match=r"max_results is|page_token 'x' is not one"):
        search(town, query)


def test_admins_read_the_log_over_http_and_nobody_else(town: Town) -> None:
    ada, root = town.user("ada"), town.admin()
    town.authority.record([entry(1_700_000_000_000), entry(1_700_000_060_000)])
    path = "/api/mlcore/audit"

    shown = caller(town.authority, root)("GET", path, who="ada", what="runs/", resource="experiment:1", max_results=1)
    rest = caller(town.authority, root)(
        "GET", path, who="ada", max_results=5, page_token=shown.json()["next_page_token"]
    )
    since = caller(town.authority, root)("GET", path, who="ada", since="2023-11-14T22:14:00Z")

    assert shown.status_code == 200
    assert shown.json()["entries"][0] == {
        "id": shown.json()["entries"][0]["id"],
        "time_ms": 1_700_000_060_000,
        "principal": "ada",
        "endpoint": "runs/update",
        "resource": {"kind": "experiment", "id": "1"},
        "status": 200,
        "request_id": "r1700000060000",
        "before": {"n": 1_700_000_060_000},
        "after": {"n": 1_700_000_060_001},
    }
    assert [each["time_ms"] for each in rest.json()["entries"]] == [1_700_000_000_000]
    assert "next_page_token" not in rest.json()
    assert [each["time_ms"] for each in since.json()["entries"]] == [1_700_000_060_000]
    assert caller(town.authority, ada)("GET", path).status_code == 403
    assert caller(town.authority, town.token("root", "edit"))("GET", path).status_code == 403
    assert caller(town.authority, town.token("root"))("GET", path).status_code == 200
    assert caller(town.authority)("GET", path).status_code == 401
    assert caller(town.authority, root)("GET", path, since="yesterday").status_code == 400


def test_changes_over_http_name_the_caller_and_the_request(town: Town) -> None:
    root = town.admin()
    calls = caller(town.authority, root)
    calls.headers = {**calls.headers, "x-request-id": "abc"}

    calls("POST", "/api/2.0/mlflow/users/create", username="ada", password=PHRASE)

    found = town.audited()[-1]
    assert (found.principal, found.request_id, found.endpoint) == ("root", "abc", "users/create")
    assert found.after == {"username": "ada", "is_admin": False, "may_create": True}


def test_what_is_stored_is_json(town: Town, state_dir: Path) -> None:
    town.authority.record([AuditEntry(1, "ada", "x", Resource("server"), 200, "", {"when": Principal("x")}, None)])
    town.authority.close()

    with sqlite3.connect(state_dir / FILE) as connection:
        before, after = connection.execute("SELECT before, after FROM audit").fetchone()
    connection.close()

    assert json.loads(before) == {"when": str(Principal("x"))}
    assert after is None
    assert basic("a", "b").headers  # the name of a user is no secret
