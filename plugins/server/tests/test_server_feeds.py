"""The endpoints of pages that look at many runs, over a real connection."""

from __future__ import annotations

import json
import math
import struct
import time
from array import array
from typing import Any

import httpx
import pytest

Json = dict[str, Any]
API = "/api/2.0/mlflow"
UI = "/api/ui/1"
PAGE = {"x-mlcore-ui": "1"}


def post(http: httpx.Client, path: str, **fields: object) -> Json:
    answer = http.post(path, json=fields, headers=PAGE)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def get(http: httpx.Client, path: str, **query: Any) -> Json:
    answer = http.get(f"{UI}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def experiment(http: httpx.Client, name: str) -> str:
    made: str = post(http, f"{API}/experiments/create", name=name)["experiment_id"]
    return made


def run(http: httpx.Client, where: str, name: str = "r", start_time: int = 1000) -> str:
    made = post(http, f"{API}/runs/create", experiment_id=where, run_name=name, start_time=start_time)
    run_id: str = made["run"]["info"]["run_id"]
    return run_id


def log(http: httpx.Client, run_id: str, *points: tuple[int, float | str]) -> None:
    metrics = [{"key": "m", "value": value, "timestamp": 2000 + step, "step": step} for step, value in points]
    post(http, f"{API}/runs/log-batch", run_id=run_id, metrics=metrics)


def unpacked(body: bytes) -> tuple[Json, list[float], list[list[float]]]:
    """Return the head, the grid, and the columns of a binary answer."""
    (length,) = struct.unpack_from("<I", body)
    head: Json = json.loads(body[4 : 4 + length])
    start = -(-(4 + length) // 8) * 8
    n = head["n"]
    grid = array("d", body[start : start + 8 * n])
    rest = array("d" if head["width"] == 8 else "f", body[start + 8 * n :])
    assert len(rest) == n * len(head["series"]) * len(head["stats"])
    return head, grid.tolist(), [rest[at : at + n].tolist() for at in range(0, len(rest), n)]


@pytest.fixture(scope="module")
def home(http: httpx.Client) -> str:
    return experiment(http, "Straße of feeds")


class TestSeries:
    def test_short_curves_come_on_their_own_steps(self, http: httpx.Client, home: str) -> None:
        one, two = run(http, home), run(http, home)
        log(http, one, (-1, 0.5), (3, "NaN"), (5, "Infinity"))
        log(http, two, (3, 1.5))

        answer = http.post(f"{UI}/metrics:series", json={"run_ids": [one, two, "nope"], "keys": ["m"]})

        head, grid, columns = unpacked(answer.content)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert (grid, head["exact"], head["stats"], head["x"]) == ([-1.0, 3.0, 5.0], True, ["last"], "step")
        assert [str(column) for column in columns] == ["[0.5, nan, inf]", "[nan, 1.5, nan]"]
        assert head["series"] == [
            {
                "run_id": one,
                "key": "m",
                "count": 3,
                "first_x": -1,
                "last_x": 5,
                "last": "Infinity",
                "nan": [[1, 1]],
                "infinity": [[2, 2]],
            },
            {"run_id": two, "key": "m", "count": 1, "first_x": 3, "last_x": 3, "last": 1.5},
        ]

    def test_what_is_not_finite_is_told_in_stretches(self, http: httpx.Client, home: str) -> None:
        run_id = run(http, home)
        log(http, run_id, *((step, "NaN" if 50 <= step < 60 or step == 70 else step) for step in range(100)))

        head, grid, _ = unpacked(http.post(f"{UI}/metrics:series", json={"run_ids": [run_id], "keys": ["m"]}).content)

        assert (head["series"][0]["nan"], len(grid)) == ([[50, 59], [70, 70]], 100)
        assert "infinity" not in head["series"][0]

    @pytest.mark.parametrize("value", [1e300, -1e300, 1e-300])
    def test_values_that_float32_cannot_hold_come_as_float64(self, http: httpx.Client, home: str, value: float) -> None:
        run_id = run(http, home)
        log(http, run_id, (1, value), (2, "Infinity"), (3, 0))

        head, _, columns = unpacked(
            http.post(f"{UI}/metrics:series", json={"run_ids": [run_id], "keys": ["m"]}).content
        )

        assert (head["width"], columns) == (8, [[value, math.inf, 0.0]])

    def test_whoever_asks_for_json_gets_the_same_as_json(self, http: httpx.Client, home: str) -> None:
        run_id = run(http, home)
        log(http, run_id, (1, 0.1), (2, "NaN"), (3, "-Infinity"))

        answer = http.post(
            f"{UI}/metrics:series",
            json={"run_ids": [run_id], "keys": ["m"], "stats": ["last", "min"], "x": "relative"},
            headers={"accept": "application/json"},
        ).json()

        assert answer["grid"] == [1001.0, 1002.0, 1003.0]
        assert answer["values"] == [[[0.1, None, "-Infinity"], [0.1, None, "-Infinity"]]]
        assert (answer["n"], answer["x"], answer["exact"]) == (3, "relative", True)

    def test_only_what_is_new_of_a_run_can_be_asked_for(self, http: httpx.Client, home: str) -> None:
        one, two = run(http, home), run(http, home)
        for run_id in (one, two):
            log(http, run_id, *((step, step) for step in range(10)))

        asked = {"run_ids": [one, two], "keys": ["m"], "since": {one: 9, two: 7}}
        head, grid, _ = unpacked(http.post(f"{UI}/metrics:series", json=asked).content)

        assert ([(each["run_id"], each["count"]) for each in head["series"]], grid) == ([(two, 2)], [8.0, 9.0])

    @pytest.mark.parametrize("steps", [60, 1500])
    def test_another_metric_can_be_the_axis(self, http: httpx.Client, home: str, steps: int) -> None:
        run_id, without = run(http, home), run(http, home)
        log(http, without, (1, 1.0))
        for at in range(0, steps, 500):
            points = [("m", step, float(step)) for step in range(at, min(at + 500, steps))]
            points += [("epoch", step, step / 10) for step in range(at, min(at + 500, steps), 5)]
            metrics = [{"key": key, "value": value, "timestamp": 1, "step": step} for key, step, value in points]
            post(http, f"{API}/runs/log-batch", run_id=run_id, metrics=metrics)
        asked = {"run_ids": [run_id, without], "keys": ["m"], "x_key": "epoch", "buckets": 100}

        head, grid, columns = unpacked(http.post(f"{UI}/metrics:series", json=asked).content)
        near = unpacked(http.post(f"{UI}/metrics:series", json=asked | {"x_min": 2, "x_max": 4}).content)

        assert ([one["run_id"] for one in head["series"]], head["x"]) == ([run_id], "metric")
        assert (head["exact"], len(grid) <= 100) == (steps == 60, True)
        # ten steps for one of the axis, up to the last point of the other metric
        assert columns[0] == pytest.approx([10 * place for place in grid], abs=steps / 50)
        assert head["series"][0]["last_x"] == pytest.approx(steps / 10 - 0.5, abs=steps / 1000)
        assert (near[0]["exact"], near[1]) == (True, pytest.approx([2 + at / 10 for at in range(21)]))
        assert near[2] == [pytest.approx([20.0 + at for at in range(21)])]

    def test_long_curves_are_put_into_buckets(self, http: httpx.Client, home: str) -> None:
        run_id = run(http, home)
        log(http, run_id, *((step, math.sin(step)) for step in range(500)))

        asked = {"run_ids": [run_id], "keys": ["m"], "buckets": 10, "stats": ["min", "max", "mean", "last"]}
        head, grid, columns = unpacked(http.post(f"{UI}/metrics:series", json=asked).content)
        part = unpacked(http.post(f"{UI}/metrics:series", json=asked | {"start": 100, "end": 105}).content)

        assert (head["exact"], head["n"], grid[0], grid[-1]) == (False, 10, 24.5, 474.5)
        expected = [[math.sin(step) for step in range(start, start + 50)] for start in range(0, 500, 50)]
        assert columns[0] == pytest.approx([min(part) for part in expected])
        assert columns[1] == pytest.approx([max(part) for part in expected])
        assert columns[2] == pytest.approx([sum(part) / len(part) for part in expected], abs=1e-6)
        assert columns[3] == pytest.approx([part[-1] for part in expected])
        assert (part[0]["exact"], part[1]) == (True, [100.0, 101.0, 102.0, 103.0, 104.0, 105.0])

    def test_an_answer_is_packed_for_those_who_unpack(self, http: httpx.Client, home: str) -> None:
        run_id = run(http, home)
        log(http, run_id, *((step, float(step)) for step in range(300)))
        asked = {"run_ids": [run_id], "keys": ["m"]}

        sent = [
            http.post(f"{UI}/metrics:series", json=asked, headers={"accept-encoding": accepted})
            for accepted in ("gzip, br", "identity", "gzip;q=0")
        ]

        assert [answer.headers.get("content-encoding") for answer in sent] == ["gzip", None, None]
        assert len({answer.content for answer in sent}) == 1
        assert int(sent[0].headers["content-length"]) < int(sent[1].headers["content-length"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"run_ids": []},
            {"run_ids": ["a"] * 1001},
            {"keys": ["k"] * 101},
            {"buckets": 1},
            {"buckets": 2001},
            {"stats": []},
            {"stats": ["median"]},
            {"x": "space"},
            {"start": 0.5},
            {"since": [1]},
            {"since": {"a": 0.5}},
            {"since": {"a": 1}, "x_key": "m"},
        ],
    )
    def test_what_is_out_of_bounds_is_refused(self, http: httpx.Client, wrong: Json) -> None:
        answer = http.post(f"{UI}/metrics:series", json={"run_ids": ["a"], "keys": ["k"]} | wrong)

        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


class TestChanges:
    def test_what_changed_is_told_once(self, http: httpx.Client) -> None:
        where, other = experiment(http, "changing"), experiment(http, "not watched")
        one, two = run(http, where), run(http, where)
        begin = get(http, "changes", experiment_ids=where)

        quiet = http.get(f"{UI}/changes", params={"experiment_ids": where, "since": begin["cursor"]})
        run(http, other)
        log(http, two, (1, 1.0))
        told = get(http, "changes", experiment_ids=where, since=begin["cursor"])
        post(http, f"{API}/runs/update", run_id=one, status="FINISHED", end_time=5000)
        later = get(http, "changes", experiment_ids=where, since=told["cursor"])

        assert (begin.keys(), begin["running"]) == ({"cursor", "running"}, 2)
        assert (quiet.status_code, quiet.content) == (204, b"")
        assert (told["run_ids"], told["more"], told["running"]) == ([two], False, 2)
        assert (later["run_ids"], later["running"]) == ([one], 1)


class TestExperiments:
    def test_a_list_says_how_much_is_in_them(self, http: httpx.Client) -> None:
        where = experiment(http, "counted")
        post(
            http,
            f"{API}/experiments/set-experiment-tag",
            experiment_id=where,
            key="mlflow.note.content",
            value="# Hello",
        )
        ended, gone = run(http, where, start_time=10), run(http, where, start_time=2**52)
        run(http, where, start_time=30)
        post(http, f"{API}/runs/update", run_id=ended, status="FAILED", end_time=2**51)
        post(http, f"{API}/runs/delete", run_id=gone)

        found = get(http, "experiments:list", filter="name = 'counted'")

        (shown,) = found["experiments"]
        assert (shown["run_count"], shown["running"], shown["last_activity"]) == (2, 1, 2**51)
        assert (shown["description"], shown["tags"]) == ("# Hello", {"mlflow.note.content": "# Hello"})
        assert shown["artifact_location"].startswith("mlflow-artifacts:/")
        assert found["next_page_token"] is None

    def test_a_deleted_experiment_tells_how_many_runs_it_had(self, http: httpx.Client) -> None:
        where = experiment(http, "removed")
        for start in (1, 2):
            run(http, where, start_time=start)
        post(http, f"{API}/experiments/delete", experiment_id=where)

        found = get(http, "experiments:list", filter="name = 'removed'", view="DELETED_ONLY")

        (shown,) = found["experiments"]
        assert (shown["lifecycle_stage"], shown["run_count"], shown["running"]) == ("deleted", 2, 0)

    def test_pages_follow_each_other(self, http: httpx.Client) -> None:
        for number in range(3):
            experiment(http, f"page of three {number}")
        asked: Json = {"filter": "name LIKE 'page of three%'", "order_by": ["name DESC"], "max_results": 2}

        first = get(http, "experiments:list", **asked)
        second = get(http, "experiments:list", **asked, page_token=first["next_page_token"])

        names = [one["name"] for page in (first, second) for one in page["experiments"]]
        assert names == [f"page of three {number}" for number in (2, 1, 0)]

    def test_a_fault_in_a_filter_is_told_with_its_place(self, http: httpx.Client) -> None:
        answer = http.get(f"{UI}/experiments:list", params={"filter": "name = = 'x'"})

        assert (answer.status_code, answer.json()["position"]) == (400, 7)


class TestSearch:
    def test_everything_is_found_by_a_part_of_its_name_or_the_beginning_of_its_id(self, http: httpx.Client) -> None:
        where = experiment(http, "Würfel 50%_off")
        run_id = run(http, where, "great würfel")
        post(http, f"{API}/registered-models/create", name="der WÜRFEL's end")

        by_name = get(http, "search", q="würfel")
        by_id = get(http, "search", q=run_id[:20])
        literal = [get(http, "search", q=q)["experiments"] for q in ("50%_off", "5_%off", "%")]

        assert by_name["experiments"] == [{"experiment_id": where, "name": "Würfel 50%_off"}]
        assert [one["run_id"] for one in by_name["runs"]] == [run_id]
        assert by_name["models"] == [{"name": "der WÜRFEL's end"}]
        assert by_id["runs"] == [
            {"run_id": run_id, "run_name": "great würfel", "experiment_id": where, "status": "RUNNING"}
        ]
        assert [len(found) for found in literal] == [1, 0, 1]

    @pytest.mark.parametrize("q", ["'", '"', "`", "\\", "name = 'x'", "x' OR name LIKE '%", "\x00", "🤷"])
    def test_any_text_can_be_looked_for(self, http: httpx.Client, q: str) -> None:
        assert get(http, "search", q=q).keys() == {"experiments", "runs", "models"}

    def test_no_more_are_found_than_asked_for(self, http: httpx.Client) -> None:
        where = experiment(http, "crowded")
        for _ in range(3):
            run(http, where, "one of the crowd")

        assert len(get(http, "search", q="the crowd", limit=2)["runs"]) == 2
        assert http.get(f"{UI}/search", params={"limit": 51}).status_code == 400


class TestBatch:
    def test_many_runs_are_deleted_and_restored_and_what_failed_is_named(self, http: httpx.Client, home: str) -> None:
        runs = [run(http, home) for _ in range(3)]

        deleted = post(http, f"{UI}/runs:batch", run_ids=[*runs, "nope", runs[0]], action="delete")
        tagged = post(http, f"{UI}/runs:batch", run_ids=runs[:1], action="set_tags", tags={"a": "b"})
        restored = post(http, f"{UI}/runs:batch", run_ids=runs, action="restore")

        assert (deleted["done"], restored) == (runs, {"done": runs, "failed": []})
        assert [(one["run_id"], one["error_code"]) for one in deleted["failed"]] == [
            ("nope", "RESOURCE_DOES_NOT_EXIST")
        ]
        assert tagged["done"] == []
        assert "must be in the 'active' state" in tagged["failed"][0]["message"]

    def test_tags_are_set_and_removed(self, http: httpx.Client, home: str) -> None:
        runs = [run(http, home) for _ in range(2)]

        post(http, f"{UI}/runs:batch", run_ids=runs, action="set_tags", tags={"team": "a", "x": ""})
        removed = post(http, f"{UI}/runs:batch", run_ids=runs, action="delete_tags", keys=["x", "never there"])

        assert removed == {"done": runs, "failed": []}
        tags = http.get(f"{API}/runs/get", params={"run_id": runs[1]}).json()["run"]["data"]["tags"]
        assert {one["key"]: one["value"] for one in tags if one["key"] in ("team", "x")} == {"team": "a"}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"action": "burn"},
            {"action": "set_tags"},
            {"action": "set_tags", "tags": {}},
            {"action": "set_tags", "tags": {"a": 1}},
            {"action": "set_tags", "tags": {"..": "a"}},
            {"action": "delete_tags"},
            {"action": "delete", "run_ids": ["a"] * 1001},
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, http: httpx.Client, wrong: Json) -> None:
        answer = http.post(f"{UI}/runs:batch", json={"run_ids": ["a"]} | wrong, headers=PAGE)

        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


class TestViews:
    def test_a_view_is_kept_listed_and_removed(self, http: httpx.Client) -> None:
        where = experiment(http, "viewed")
        before = time.time_ns() // 1_000_000
        made = post(http, f"{UI}/views", experiment_id=where, title=" Best ", query="filter=metrics.m%3C1&view=table")
        # what others put under such a name harms nobody
        for key, value in (("mlcore.view.x", "no JSON"), ("mlcore.view.y", '{"title": 1}'), ("mlcore.view.z", "[]")):
            post(http, f"{API}/experiments/set-experiment-tag", experiment_id=where, key=key, value=value)

        (view,) = get(http, "views", experiment_id=where)["views"]
        gone = http.request(
            "DELETE", f"{UI}/views", json={"experiment_id": where, "view_id": made["view_id"]}, headers=PAGE
        )
        again = http.request(
            "DELETE", f"{UI}/views", json={"experiment_id": where, "view_id": made["view_id"]}, headers=PAGE
        )

        assert view.pop("time") >= before
        assert view == made | {"title": "Best", "query": "filter=metrics.m%3C1&view=table", "user": ""}
        assert (gone.status_code, again.status_code) == (200, 404)
        assert get(http, "views", experiment_id=where) == {"views": []}

    def test_a_view_is_renamed_and_pointed_elsewhere_under_its_id(self, http: httpx.Client) -> None:
        where = experiment(http, "changed views")
        made = post(http, f"{UI}/views", experiment_id=where, title="Best", query="filter=a")
        asked = {"experiment_id": where, "view_id": made["view_id"]}

        renamed = http.patch(f"{UI}/views", json=asked | {"title": " Better "}, headers=PAGE)
        (first,) = get(http, "views", experiment_id=where)["views"]
        pointed = http.patch(f"{UI}/views", json=asked | {"query": "filter=b"}, headers=PAGE)
        (second,) = get(http, "views", experiment_id=where)["views"]
        refused = [
            http.patch(f"{UI}/views", json=asked | wrong, headers=PAGE).status_code
            for wrong in ({"view_id": "nope"}, {"title": " "}, {"query": "x" * 8001})
        ]

        assert (renamed.json(), pointed.json()) == (made, made)
        assert (first["view_id"], first["title"], first["query"]) == (made["view_id"], "Better", "filter=a")
        assert (second["view_id"], second["title"], second["query"]) == (made["view_id"], "Better", "filter=b")
        assert refused == [404, 400, 400]

    @pytest.mark.parametrize("wrong", [{"title": " "}, {"title": "x" * 201}, {"query": "x" * 8001}])
    def test_a_view_has_limits(self, http: httpx.Client, home: str, wrong: Json) -> None:
        answer = http.post(
            f"{UI}/views", json={"experiment_id": home, "title": "t", "query": "q"} | wrong, headers=PAGE
        )

        assert answer.status_code == 400


class TestManifest:
    def test_a_server_without_users_offers_everything(self, http: httpx.Client) -> None:
        found = get(http, "manifest")

        assert (found["user"], found["auth"]) == (None, None)
        assert found["can"] == {"create_experiment": True, "create_model": True, "manage_server": True}
        assert (found["tracking"]["kind"], found["registry"]["kind"]) == ("sqlite", "sqlite")
        assert {"SupportsSeries", "SupportsReplay"} <= set(found["tracking"]["abilities"])
        assert "SupportsMoves" in found["registry"]["abilities"]
        assert "mlcore-server" in {one["name"] for one in found["plugins"]}

    def test_everything_may_be_done_with_what_there_is(self, http: httpx.Client, home: str) -> None:
        post(http, f"{API}/registered-models/create", name="there")

        may = post(http, f"{UI}/may", experiment_ids=[home, "987654"], models=["there", "not there"])

        whole = ["read", "edit", "manage"]
        assert may == {"experiments": {home: whole, "987654": []}, "models": {"there": whole, "not there": []}}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "runs:batch"), ("POST", "views"), ("PATCH", "views"), ("DELETE", "views"), ("POST", "metrics:series")],
)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 400),
        ({"content-type": "application/x-www-form-urlencoded"}, 400),
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ({"content-type": "application/json", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_no_foreign_page_changes_anything(
    http: httpx.Client, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = http.request(method, f"{UI}/{path}", content="{}", headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "runs:batch"), ("POST", "views"), ("PATCH", "views"), ("DELETE", "views")]
)
def test_changes_need_the_header_that_no_foreign_page_can_send(http: httpx.Client, method: str, path: str) -> None:
    without = http.request(method, f"{UI}/{path}", json={})
    with_it = http.request(method, f"{UI}/{path}", json={}, headers=PAGE)

    assert (without.status_code, with_it.status_code) == (403, 400)
    assert "needs the header 'x-mlcore-ui'" in without.json()["message"]
