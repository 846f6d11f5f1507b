"""The server with mlcore-auth-basic: real credentials, real permissions, and a trail of every change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from server_live import LiveServer, running

API = "/api/2.0/mlflow"
PASSWORD = "a long enough pass phrase"


class Team:
    """A server with an admin and a user."""

    def __init__(self, server: LiveServer) -> None:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        self.url = server.url
        self.directory = server.directory
        first = {"token": token, "username": "root", "password": PASSWORD}
        made = httpx.post(f"{server.url}/api/mlcore/auth/bootstrap", json=first, timeout=30, trust_env=False)
        assert made.status_code == 200, made.text
        self.root = self.login("root")
        made = self.root.post(f"{API}/users/create", json={"username": "ann", "password": PASSWORD})
        assert made.status_code == 200, made.text
        self.ann = self.login("ann")

    def login(self, name: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(name, PASSWORD), timeout=30, trust_env=False)

    def trail(self) -> list[dict[str, Any]]:
        answer = self.root.get("/api/mlcore/audit", params={"max_results": 1000})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["entries"]
        return found


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    pytest.importorskip("mlcore_auth_basic")
    with running(tmp_path_factory.mktemp("team"), "--auth", "basic") as server:
        made = Team(server)
        yield made
        made.root.close()
        made.ann.close()


def test_nobody_enters_without_credentials(team: Team) -> None:
    answer = httpx.get(f"{team.url}{API}/experiments/get", params={"experiment_id": "0"}, trust_env=False)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "MLFLOW_TRACKING_USERNAME" in answer.json()["message"]


def test_a_user_sees_what_was_given_to_them_alone(team: Team) -> None:
    made = team.root.post(f"{API}/experiments/create", json={"name": "secret"}).json()["experiment_id"]

    before = team.ann.get(f"{API}/experiments/get", params={"experiment_id": made})
    team.root.post(
        f"{API}/experiments/permissions/create",
        json={"experiment_id": made, "username": "ann", "permission": "READ"},
    )
    after = team.ann.get(f"{API}/experiments/get", params={"experiment_id": made})
    write = team.ann.post(f"{API}/runs/create", json={"experiment_id": made})

    assert (before.status_code, after.status_code, write.status_code) == (403, 200, 403)


def test_every_change_is_written_down_with_what_was_before(team: Team) -> None:
    made = team.root.post(f"{API}/experiments/create", json={"name": "old name"}).json()["experiment_id"]
    team.root.post(f"{API}/experiments/update", json={"experiment_id": made, "new_name": "new name"})
    run = team.root.post(f"{API}/runs/create", json={"experiment_id": made}).json()["run"]["info"]["run_id"]
    team.root.post(f"{API}/runs/log-metric", json={"run_id": run, "key": "m", "value": 1, "timestamp": 1})
    team.root.get(f"{API}/runs/get", params={"run_id": run})

    mine = [one for one in team.trail() if one["resource"]["id"] == made]

    by_endpoint = {one["endpoint"]: one for one in mine}
    assert set(by_endpoint) == {"experiments/create", "experiments/update", "runs/create", "runs/log-metric"}
    assert {one["principal"] for one in mine} == {"root"}
    assert by_endpoint["experiments/update"]["before"]["name"] == "old name"
    assert by_endpoint["runs/log-metric"]["after"]["key"] == "m"


def test_passwords_are_not_in_the_trail(team: Team) -> None:
    assert PASSWORD not in json.dumps(team.trail())


def test_the_trail_is_for_admins(team: Team) -> None:
    assert team.ann.get("/api/mlcore/audit").status_code == 403


def test_nothing_that_the_server_keeps_is_readable_by_others(team: Team) -> None:
    open_to_others = [
        str(path.relative_to(team.directory))
        for path in team.directory.rglob("*")
        if path.stat().st_mode & 0o077 and path.name not in ("server.log", "artifacts")  # made by the test
    ]

    assert open_to_others == []
