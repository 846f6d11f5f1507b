"""What pages ask of tables of runs, over a real connection."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Any

import httpx
import pytest

API, UI = "/api/2.0/mlflow", "/api/ui/1"
_NUMBER = itertools.count()
Json = dict[str, Any]


def post(http: httpx.Client, path: str, **values: Any) -> Json:
    answer = http.post(path, json=values)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def new_run(http: httpx.Client, where: str, name: str, start: int, parent: str = "", **recorded: Any) -> str:
    tags = [{"key": "mlflow.parentRunId", "value": parent}] if parent else []
    made = post(
        http, f"{API}/runs/create", experiment_id=where, run_name=name, start_time=start, user_id="ann", tags=tags
    )
    run_id = str(made["run"]["info"]["run_id"])
    metrics = [
        {"key": key, "value": value, "timestamp": 1, "step": step}
        for key, values in recorded.get("metrics", {}).items()
        for step, value in enumerate(values)
    ]
    params = [{"key": key, "value": value} for key, value in recorded.get("params", {}).items()]
    post(http, f"{API}/runs/log-batch", run_id=run_id, metrics=metrics, params=params)
    return run_id


@pytest.fixture(scope="module")
def town(http: httpx.Client) -> Json:
    """One experiment: a parent with two children, one of them with a child; and a run with odd values."""
    where = str(post(http, f"{API}/experiments/create", name=f"t-{next(_NUMBER)}")["experiment_id"])
    top = new_run(http, where, "top", 1, metrics={"loss": [3.0, 1.0, 2.0]}, params={"model": "tree"})
    low = new_run(http, where, "low", 2, top, metrics={"loss": [5.0]}, params={"model": "it's"})
    deep = new_run(http, where, "deep", 3, low, metrics={"loss": ["NaN"], "a b": [1.0]})
    high = new_run(http, where, "high", 4, top, metrics={"loss": [0.5, "Infinity"]}, params={"model": "tree"})
    post(http, f"{API}/runs/update", run_id=high, status="FINISHED", end_time=1004)
    return {"where": where, "top": top, "low": low, "deep": deep, "high": high}


def table(http: httpx.Client, town: Json, **asked: Any) -> Json:
    return post(http, f"{UI}/runs:table", experiment_ids=[town["where"]], **asked)


def test_a_window_has_its_rows_column_by_column(http: httpx.Client, town: Json) -> None:
    columns = ["metrics.loss", "metrics.loss.min", "metrics.loss.count", "metrics.`a b`", "params.model"]
    columns += ["attributes.duration", "attributes.lifecycle_stage"]

    found = table(http, town, columns=columns, order_by=["metrics.loss.min DESC"], offset=1, limit=2)

    assert (found["total"], found["matching"], found["offset"]) == (4, 4, 1)
    assert found["rows"]["run_name"] == ["top", "high"]
    assert found["rows"]["status"] == ["RUNNING", "FINISHED"]
    assert (found["rows"]["parent_id"], found["rows"]["depth"]) == ([None, town["top"]], [0, 0])
    assert found["columns"] == {
        "metrics.loss": [2.0, "Infinity"],
        "metrics.loss.min": [1.0, 0.5],
        "metrics.loss.count": [3, 2],
        "metrics.`a b`": [None, None],
        "params.model": ["tree", "tree"],
        "attributes.duration": [None, 1000],
        "attributes.lifecycle_stage": ["active", "active"],
    }


def test_children_follow_their_parent_and_survive_sort_and_paging(http: httpx.Client, town: Json) -> None:
    whole = table(http, town, tree=True, order_by=["start_time"])
    page = table(http, town, tree=True, order_by=["start_time"], offset=2, limit=1)
    closed = table(http, town, tree=True, order_by=["start_time"], collapsed=[town["low"]])
    some = table(http, town, tree=True, filter="attributes.run_name != 'low'", order_by=["start_time"])

    assert whole["rows"]["run_name"] == ["top", "low", "deep", "high"]
    assert (whole["rows"]["depth"], whole["rows"]["children"]) == ([0, 1, 2, 1], [2, 1, 0, 0])
    assert (page["rows"]["run_name"], page["total"]) == (["deep"], 4)
    assert (closed["rows"]["run_name"], closed["total"], closed["matching"]) == (["top", "low", "high"], 3, 4)
    assert (some["rows"]["run_name"], some["rows"]["depth"]) == (["top", "high", "deep"], [0, 1, 0])


def test_a_group_is_opened_by_its_filter(http: httpx.Client, town: Json) -> None:
    found = table(http, town, group_by=["params.model"], columns=["metrics.loss", "metrics.loss.min"])

    assert [(group["values"], group["count"]) for group in found["groups"]] == [
        (["tree"], 2), (["it's"], 1), ([None], 1),
    ]  # fmt: skip
    assert found["groups"][0]["stats"]["metrics.loss.min"] == {"min": 0.5, "max": 1.0, "mean": 0.75}
    assert found["groups"][2]["stats"] == {}
    for group in found["groups"]:
        assert table(http, town, filter=f"(metrics.loss.count >= 1) AND ({group['filter']})")["total"] == group["count"]


def test_a_revision_changes_with_the_runs_that_fit(http: httpx.Client, town: Json) -> None:
    where = {"where": str(post(http, f"{API}/experiments/create", name=f"t-{next(_NUMBER)}")["experiment_id"])}
    run_id = new_run(http, where["where"], "one", 1)
    first = table(http, where)["revision"]

    assert table(http, where, offset=5, limit=1)["revision"] == first
    post(http, f"{API}/runs/update", run_id=run_id, status="FINISHED", end_time=5)
    second = table(http, where)["revision"]
    new_run(http, where["where"], "two", 1)

    assert len({first, second, table(http, where)["revision"]}) == 3


def test_facets_tell_what_varies_first(http: httpx.Client, town: Json) -> None:
    found = post(http, f"{UI}/runs:facets", experiment_ids=[town["where"]])
    keys = {one["column"]: one for one in found["keys"]}

    assert (found["total"], found["more"]) == (4, 0)
    assert keys["params.model"]["values"] == [["tree", 2], ["it's", 1]]
    assert (keys["metrics.loss"]["min"], keys["metrics.loss"]["max"]) == (2.0, "Infinity")
    assert (keys["metrics.loss"]["distinct"], keys["metrics.`a b`"]["key"]) == (4, "a b")
    varying = [one["distinct"] > 1 for one in found["keys"] if not one["key"].startswith("mlflow.")]
    assert varying == sorted(varying, reverse=True)
    assert [one["key"] for one in found["keys"]][-1].startswith("mlflow.")


def test_a_file_for_spreadsheets_has_all_that_fit_and_runs_nothing(http: httpx.Client) -> None:
    where = str(post(http, f"{API}/experiments/create", name=f"t-{next(_NUMBER)}")["experiment_id"])
    new_run(http, where, "=cmd|x", 1_700_000_000_123, params={"p": "-1.5", "q": '@a,"b"\nc'}, metrics={"m": [-0.5]})
    new_run(http, where, "plain", 2, params={"p": "+x"}, metrics={"m": ["-Infinity"]})

    answer = http.get(f"{UI}/runs.csv", params={"experiment_ids": [where], "order_by": ["start_time DESC"]})
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert list(rows[0])[7:] == ["params.p", "params.q", "metrics.m"]
    assert [(row["run_name"], row["params.p"], row["metrics.m"]) for row in rows] == [
        ("'=cmd|x", "-1.5", "-0.5"),
        ("plain", "'+x", "-Infinity"),
    ]
    assert (rows[0]["params.q"], rows[0]["start_time"]) == ('\'@a,"b"\nc', "2023-11-14T22:13:20.123+00:00")


def test_summaries_of_many_runs_come_at_once(http: httpx.Client, town: Json) -> None:
    asked = {"run_ids": [town["deep"], town["top"], "nope"]}

    found = post(http, f"{UI}/metrics:summary", **asked)["summaries"]
    some = post(http, f"{UI}/metrics:summary", **asked, keys=["a b"])["summaries"]

    assert [(one["run_id"], one["key"]) for one in found] == [
        (town["deep"], "a b"), (town["deep"], "loss"), (town["top"], "loss"),
    ]  # fmt: skip
    assert (found[1]["last"], found[1]["min"], found[1]["max"], found[1]["count"]) == ("NaN", None, None, 1)
    assert (found[2]["last"], found[2]["last_step"], found[2]["min"], found[2]["max"]) == (2.0, 2, 1.0, 3.0)
    assert [one["key"] for one in some] == ["a b"]


def test_a_half_typed_filter_tells_its_place(http: httpx.Client, town: Json) -> None:
    filters = {"metrics.loss <": 14, "metrics.loss < 1 and params.model = tree": 36, "params.": 7}
    for text, column in filters.items():
        answer = http.post(f"{UI}/runs:table", json={"experiment_ids": [town["where"]], "filter": text})

        assert (answer.status_code, answer.json()["position"]) == (400, column)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"columns": ["metrics"]},
        {"columns": ["metrics.loss DESC"]},
        {"columns": ["params.a"] * 501},
        {"order_by": ["nonsense"]},
        {"group_by": ["metrics.loss"]},
        {"group_by": ["attributes.duration"]},
        {"experiment_ids": ["../1"]},
    ],
    ids=str,
)
def test_what_no_page_shows_is_refused_without_a_place_in_the_filter(
    http: httpx.Client, town: Json, asked: Json
) -> None:
    answer = http.post(f"{UI}/runs:table", json={"experiment_ids": [town["where"]], **asked})

    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "position" not in answer.json()


def test_nothing_is_found_in_no_experiment(http: httpx.Client) -> None:
    assert post(http, f"{UI}/runs:table", experiment_ids=[])["total"] == 0
    assert post(http, f"{UI}/runs:facets", experiment_ids=[]) == {"total": 0, "keys": [], "more": 0}
    assert post(http, f"{UI}/runs:table", experiment_ids=[], group_by=["params.a"])["groups"] == []
