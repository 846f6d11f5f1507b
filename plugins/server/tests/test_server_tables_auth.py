"""Tables of runs with mlcore-auth-basic: nothing of experiments that the caller may not read is shown, nor counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from mlcore.testing.live_server import LiveServer, running_server

API, UI = "/api/2.0/mlflow", "/api/ui/1"
PASSWORD = "a long enough pass phrase"
Json = dict[str, Any]


class Team:
    """A server with an admin and a user; the user may read one of two experiments."""

    def __init__(self, server: LiveServer) -> None:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        first = {"token": token, "username": "root", "password": PASSWORD}
        made = httpx.post(f"{server.url}/api/mlcore/auth/bootstrap", json=first, timeout=30, trust_env=False)
        assert made.status_code == 200, made.text
        self.root = httpx.Client(base_url=server.url, auth=("root", PASSWORD), timeout=30, trust_env=False)
        self.ann = httpx.Client(base_url=server.url, auth=("ann", PASSWORD), timeout=30, trust_env=False)
        self.tell(f"{API}/users/create", username="ann", password=PASSWORD)
        self.open, self.secret = (
            self.tell(f"{API}/experiments/create", name=name)["experiment_id"] for name in ("open", "secret")
        )
        self.tell(f"{API}/experiments/permissions/create", experiment_id=self.open, username="ann", permission="READ")
        self.seen = self.run(self.open, "seen", "")
        self.hidden = self.run(self.secret, "hidden", self.seen)
        self.run(self.open, "child", self.hidden)

    def tell(self, path: str, **values: Any) -> Json:
        """Do what the admin may."""
        answer = self.root.post(path, json=values)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    def run(self, where: str, name: str, parent: str) -> str:
        tags = [{"key": "mlflow.parentRunId", "value": parent}] if parent else []
        made = self.tell(f"{API}/runs/create", experiment_id=where, run_name=name, start_time=1, tags=tags)
        run_id = str(made["run"]["info"]["run_id"])
        metrics = [{"key": f"m-{name}", "value": 1.0, "timestamp": 1}]
        params = [{"key": "who", "value": name}, {"key": f"p-{name}", "value": "1"}]
        self.tell(f"{API}/runs/log-batch", run_id=run_id, metrics=metrics, params=params)
        return run_id


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    pytest.importorskip("mlcore_auth_basic")
    with running_server(tmp_path_factory.mktemp("team"), "--auth", "basic") as server:
        made = Team(server)
        yield made
        made.root.close()
        made.ann.close()


def test_rows_groups_and_keys_are_those_of_readable_experiments(team: Team) -> None:
    both = [team.open, team.secret]

    table = team.ann.post(f"{UI}/runs:table", json={"experiment_ids": both, "tree": True}).json()
    groups = team.ann.post(f"{UI}/runs:table", json={"experiment_ids": both, "group_by": ["params.who"]}).json()
    facets = team.ann.post(f"{UI}/runs:facets", json={"experiment_ids": both}).json()
    text = team.ann.get(f"{UI}/runs.csv", params={"experiment_ids": both}).text

    assert (table["total"], sorted(table["rows"]["run_name"])) == (2, ["child", "seen"])
    assert table["rows"]["depth"] == [0, 0]
    assert sorted(group["values"][0] for group in groups["groups"]) == ["child", "seen"]
    assert facets["total"] == 2
    assert not [key for key in facets["keys"] if "hidden" in str(key)]
    assert "hidden" not in text
    assert team.root.post(f"{UI}/runs:table", json={"experiment_ids": both}).json()["total"] == 3


def test_who_may_read_none_of_the_experiments_is_told_nothing(team: Team) -> None:
    asked = {"experiment_ids": [team.secret], "filter": "metrics.m-hidden > 0"}

    answers = [
        team.ann.post(f"{UI}/runs:table", json=asked),
        team.ann.post(f"{UI}/runs:facets", json=asked),
        team.ann.get(f"{UI}/runs.csv", params=asked),
        team.ann.post(f"{UI}/metrics:summary", json={"run_ids": [team.hidden]}),
        team.ann.post(f"{UI}/metrics:summary", json={"run_ids": [team.seen, team.hidden]}),
        team.ann.post(f"{UI}/metrics:summary", json={"run_ids": [team.seen, "nope"]}),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert team.ann.post(f"{UI}/metrics:summary", json={"run_ids": [team.seen]}).json()["summaries"]


def test_nobody_sees_a_table_without_credentials(team: Team) -> None:
    for path in ("runs:table", "runs:facets", "metrics:summary"):
        answer = httpx.post(f"{team.ann.base_url}{UI}/{path}".replace("//api", "/api"), json={}, trust_env=False)

        assert answer.status_code == 401
