"""What pages are told, by a server with mlcore-auth-basic, is what their reader may know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from attrs import frozen
from server_team import API, Team

from mlcore.testing.live_server import running_server

UI = "/api/ui/1"
PAGE = {"x-mlcore-ui": "1"}
Json = dict[str, Any]


@frozen
class Place:
    """An experiment of root's with a run, and a model."""

    experiment_id: str
    run_id: str
    model: str


@frozen
class World:
    """What is there: ann may do nothing with what is secret, read what is shown, and edit what is hers."""

    team: Team
    secret: Place
    shown: Place
    hers: Place


def post(client: httpx.Client, path: str, **fields: object) -> Json:
    answer = client.post(path, json=fields, headers=PAGE)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def place(root: httpx.Client, name: str, permission: str) -> Place:
    where = post(root, f"{API}/experiments/create", name=f"wanted {name}")["experiment_id"]
    made = post(root, f"{API}/runs/create", experiment_id=where, run_name=f"wanted {name}", start_time=1)
    run_id = made["run"]["info"]["run_id"]
    post(root, f"{API}/runs/log-metric", run_id=run_id, key="m", value=1.0, timestamp=1)
    post(root, f"{API}/registered-models/create", name=f"wanted {name}")
    given = {"username": "ann", "permission": permission}
    post(root, f"{API}/experiments/permissions/create", experiment_id=where, **given)
    post(root, f"{API}/registered-models/permissions/create", name=f"wanted {name}", **given)
    return Place(where, run_id, f"wanted {name}")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pytest.importorskip("mlcore_auth_basic")
    with running_server(tmp_path_factory.mktemp("feeds team"), "--auth", "basic") as server:
        team = Team(server)
        places = [
            place(team.root, name, level)
            for name, level in (("secret", "NO_PERMISSIONS"), ("shown", "READ"), ("hers", "EDIT"))
        ]
        yield World(team, *places)
        team.root.close()
        team.ann.close()


def test_a_search_finds_what_its_reader_may_read(world: World) -> None:
    found = world.team.ann.get(f"{UI}/search", params={"q": "WANTED", "limit": 2}).json()
    by_id = world.team.ann.get(f"{UI}/search", params={"q": world.secret.run_id}).json()
    everything = world.team.root.get(f"{UI}/search", params={"q": "wanted"}).json()

    mine = {world.shown.experiment_id, world.hers.experiment_id}
    assert {one["experiment_id"] for one in found["experiments"]} == mine
    assert {one["run_id"] for one in found["runs"]} == {world.shown.run_id, world.hers.run_id}
    assert {one["name"] for one in found["models"]} == {world.shown.model, world.hers.model}
    assert by_id == {"experiments": [], "runs": [], "models": []}
    assert [len(everything[kind]) for kind in ("experiments", "runs", "models")] == [3, 3, 3]


def test_a_list_of_experiments_shows_what_its_reader_may_read(world: World) -> None:
    found = world.team.ann.get(f"{UI}/experiments:list").json()["experiments"]

    names = {one["name"]: one["run_count"] for one in found if one["name"].startswith("wanted")}
    assert names == {"wanted shown": 1, "wanted hers": 1}


def test_changes_are_told_of_experiments_that_the_reader_may_read(world: World) -> None:
    ids = [world.secret.experiment_id, world.shown.experiment_id]
    begin = world.team.ann.get(f"{UI}/changes", params={"experiment_ids": ids}).json()
    for where in (world.secret, world.shown):
        post(world.team.root, f"{API}/runs/log-metric", run_id=where.run_id, key="m", value=2.0, timestamp=2)

    told = world.team.ann.get(f"{UI}/changes", params={"experiment_ids": ids, "since": begin["cursor"]}).json()
    alone = world.team.ann.get(f"{UI}/changes", params={"experiment_ids": ids[:1]})
    # a cursor that names another experiment does not make it known
    forged = world.team.ann.get(f"{UI}/changes", params={"experiment_ids": ids, "since": f"{ids[0]}.0"}).json()

    assert (begin["running"], told["running"], told["run_ids"]) == (1, 1, [world.shown.run_id])
    assert alone.status_code == 403
    assert forged["run_ids"] == [world.shown.run_id]


def test_what_may_be_done_is_told_and_nothing_of_what_is_hidden(world: World) -> None:
    asked = {
        "experiment_ids": [world.secret.experiment_id, world.shown.experiment_id, world.hers.experiment_id, "999"],
        "models": [world.secret.model, world.shown.model, world.hers.model, "nothing"],
    }

    ann = post(world.team.ann, f"{UI}/may", **asked)
    root = post(world.team.root, f"{UI}/may", **asked)

    assert list(ann["experiments"].values()) == [[], ["read"], ["read", "edit"], []]
    assert list(ann["models"].values()) == [[], ["read"], ["read", "edit"], []]
    whole = ["read", "edit", "manage"]
    assert list(root["experiments"].values()) == [whole, whole, whole, []]
    assert list(root["models"].values()) == [whole, whole, whole, []]


def test_the_manifest_says_who_asks_and_is_for_those_who_are_known(world: World) -> None:
    ann = world.team.ann.get(f"{UI}/manifest").json()
    root = world.team.root.get(f"{UI}/manifest").json()
    nobody = httpx.get(f"{world.team.url}{UI}/manifest", trust_env=False)

    assert (ann["auth"], ann["user"]) == ("basic", {"name": "ann", "is_admin": False})
    assert (root["user"]["is_admin"], root["can"]["manage_server"], ann["can"]["manage_server"]) == (True, True, False)
    assert nobody.status_code == 401


def test_curves_of_hidden_runs_are_refused(world: World) -> None:
    both = {"run_ids": [world.shown.run_id, world.secret.run_id], "keys": ["m"]}

    refused = world.team.ann.post(f"{UI}/metrics:series", json=both)
    unknown = world.team.ann.post(f"{UI}/metrics:series", json=both | {"run_ids": ["nope"]})
    answered = world.team.ann.post(f"{UI}/metrics:series", json=both | {"run_ids": [world.shown.run_id]})

    assert (refused.status_code, unknown.status_code, answered.status_code) == (403, 403, 200)


def test_many_runs_are_edited_by_who_may_edit_all_of_them_and_that_is_written_down(world: World) -> None:
    asked = {"run_ids": [world.hers.run_id, world.shown.run_id], "action": "set_tags", "tags": {"a": "b"}}

    refused = world.team.ann.post(f"{UI}/runs:batch", json=asked, headers=PAGE)
    done = post(world.team.ann, f"{UI}/runs:batch", **(asked | {"run_ids": [world.hers.run_id]}))
    by_root = post(world.team.root, f"{UI}/runs:batch", **(asked | {"run_ids": [*asked["run_ids"], "nope"]}))

    assert (refused.status_code, done["done"]) == (403, [world.hers.run_id])
    assert (by_root["done"], len(by_root["failed"])) == ([world.hers.run_id, world.shown.run_id], 1)
    entries = [one for one in world.team.trail() if one["endpoint"] == "POST runs:batch"]
    told = sorted((one["principal"], one["resource"]["id"], tuple(one["after"]["run_ids"])) for one in entries)
    assert told == sorted(
        [
            ("ann", world.hers.experiment_id, (world.hers.run_id,)),
            ("root", world.hers.experiment_id, (world.hers.run_id,)),
            ("root", world.shown.experiment_id, (world.shown.run_id,)),
        ]
    )
    assert {one["after"]["action"] for one in entries} == {"set_tags"}


def test_views_are_read_by_readers_and_kept_by_editors(world: World) -> None:
    new = {"title": "t", "query": "q"}

    statuses = [
        world.team.ann.post(f"{UI}/views", json=new | {"experiment_id": where.experiment_id}, headers=PAGE).status_code
        for where in (world.secret, world.shown, world.hers)
    ]
    seen = [
        world.team.ann.get(f"{UI}/views", params={"experiment_id": where.experiment_id}).status_code
        for where in (world.secret, world.shown, world.hers)
    ]
    views = world.team.root.get(f"{UI}/views", params={"experiment_id": world.hers.experiment_id}).json()["views"]

    changed = [
        world.team.ann.patch(
            f"{UI}/views",
            json={"title": "u", "experiment_id": where.experiment_id, "view_id": views[0]["view_id"]},
            headers=PAGE,
        ).status_code
        for where in (world.secret, world.shown, world.hers)
    ]

    assert (statuses, seen, changed) == ([403, 403, 200], [403, 200, 200], [403, 403, 200])
    assert [view["user"] for view in views] == ["ann"]
