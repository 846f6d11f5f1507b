"""The server with mlcore-auth-basic: real credentials, real permissions, and a trail of every change."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from server_team import API, PASSWORD, Team

from mlcore.testing.live_server import running_server


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    pytest.importorskip("mlcore_auth_basic")
    with running_server(tmp_path_factory.mktemp("team"), "--auth", "basic") as server:
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
