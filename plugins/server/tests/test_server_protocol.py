"""The protocol to the field and the status code, by plain HTTP."""

from __future__ import annotations

import itertools
import json
import socket
from typing import Any

import httpx
import pytest

from mlcore.testing.live_server import LiveServer

API = "/api/2.0/mlflow"
_NUMBER = itertools.count()


def post(http: httpx.Client, path: str, **values: Any) -> httpx.Response:
    return http.post(f"{API}/{path}", json=values)


def new_experiment(http: httpx.Client) -> str:
    return str(post(http, "experiments/create", name=f"e-{next(_NUMBER)}").json()["experiment_id"])


@pytest.fixture
def run(http: httpx.Client) -> dict[str, Any]:
    made = post(http, "runs/create", experiment_id=new_experiment(http), start_time=1700000000000, user_id="ann")
    found: dict[str, Any] = made.json()["run"]
    return found


def test_a_run_looks_as_mlflow_shows_it(run: dict[str, Any]) -> None:
    info = run["info"]

    assert set(run) == {"info", "data", "inputs"}
    assert info["run_uuid"] == info["run_id"]
    assert len(info["run_id"]) == 32
    assert info["artifact_uri"] == f"mlflow-artifacts:/{info['experiment_id']}/{info['run_id']}/artifacts"
    assert (info["status"], info["start_time"], info["user_id"]) == ("RUNNING", 1700000000000, "ann")
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": info["run_name"]}]


def test_an_answer_is_json_and_may_not_be_sniffed(http: httpx.Client) -> None:
    answer = http.get(f"{API}/experiments/get", params={"experiment_id": "0"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("run_id", ["", "0" * 32])
def test_no_cache_keeps_an_answer(http: httpx.Client, run: dict[str, Any], run_id: str) -> None:
    answer = http.get(f"{API}/runs/get", params={"run_id": run_id or run["info"]["run_id"]})

    assert answer.status_code == (404 if run_id else 200)
    assert answer.headers["cache-control"] == "no-store"


def test_success_without_an_answer_is_an_empty_object(http: httpx.Client, run: dict[str, Any]) -> None:
    answer = post(http, "runs/set-tag", run_id=run["info"]["run_id"], key="k", value="v")

    assert (answer.status_code, answer.json()) == (200, {})


def test_an_empty_search_is_an_empty_object(http: httpx.Client) -> None:
    assert post(http, "runs/search", experiment_ids=[new_experiment(http)]).json() == {}
    assert post(http, "runs/search").json() == {}
    assert http.get(f"{API}/registered-models/search", params={"filter": "name = 'nothing'"}).json() == {}


def test_a_run_id_of_the_caller_makes_one_run_however_often_it_is_sent(http: httpx.Client) -> None:
    asked = {"experiment_id": new_experiment(http), "run_id": f"{next(_NUMBER):032x}", "start_time": 1}

    first, again = post(http, "runs/create", **asked).json(), post(http, "runs/create", **asked).json()

    assert first["run"]["info"]["run_id"] == asked["run_id"]
    assert again == first
    assert len(post(http, "runs/search", experiment_ids=[asked["experiment_id"]]).json()["runs"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "values", "status", "code"),
    [
        ("GET", "experiments/get", {"experiment_id": "999999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "experiments/get", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "experiments/get-by-name", {"experiment_name": "nope"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "experiments/create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("POST", "experiments/create", {"name": " "}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/create", {"name": "x", "artifact_location": "runs:/a/b"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/search", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/search", {"max_results": 50001}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "runs/get", {"run_id": "0" * 32}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/create", {"experiment_id": "999999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/create", {"experiment_id": "0", "start_time": -1}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "a b c"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "page_token": "?"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 0}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "registered-models/get", {"name": "nope"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "registered-models/create", {"name": "a/b"}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "logged-models/m-nope", {}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "registered-models/search", {}, 405, "ENDPOINT_NOT_FOUND"),
        ("GET", "no/such/thing", {}, 404, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_an_error_has_the_code_and_status_of_the_protocol(
    http: httpx.Client, method: str, path: str, values: dict[str, Any], status: int, code: str
) -> None:
    sent = {"params": values} if method == "GET" else {"json": values}

    answer = http.request(method, f"{API}/{path}", **sent)  # type: ignore[arg-type]  # one of the two keywords

    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.json()["message"]


def test_a_body_may_be_a_text_that_holds_json(http: httpx.Client) -> None:
    inner = json.dumps({"name": f"e-{next(_NUMBER)}"})

    answer = http.post(f"{API}/experiments/create", json=inner)

    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[1]", b"nope", b'"x"', b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_object_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post(f"{API}/experiments/create", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error_code"] == "BAD_REQUEST"


def test_bare_nan_tokens_are_taken_for_the_value(http: httpx.Client, run: dict[str, Any]) -> None:
    run_id = run["info"]["run_id"]
    body = f'{{"run_id": "{run_id}", "key": "k", "value": NaN, "timestamp": 1}}'

    http.post(f"{API}/runs/log-metric", content=body, headers={"content-type": "application/json"})

    points = http.get(f"{API}/metrics/get-history", params={"run_id": run_id, "metric_key": "k"}).json()["metrics"]
    assert points == [{"key": "k", "value": "NaN", "timestamp": 1, "step": 0}]


def test_the_first_conflict_keeps_a_batch_from_being_stored(http: httpx.Client, run: dict[str, Any]) -> None:
    run_id = run["info"]["run_id"]
    post(http, "runs/log-parameter", run_id=run_id, key="p", value="1")
    point = {"key": "m", "value": 1, "timestamp": 1}

    answer = post(http, "runs/log-batch", run_id=run_id, metrics=[point], params=[{"key": "p", "value": "2"}])

    assert answer.status_code == 400
    assert "changing param values is not allowed" in answer.json()["message"]
    assert "metrics" not in http.get(f"{API}/runs/get", params={"run_id": run_id}).json()["run"]["data"]


def test_clients_of_1_x_find_their_paths(http: httpx.Client) -> None:
    listed = http.get("/api/2.0/preview/mlflow/experiments/list", params={"view_type": "ALL"})
    models = http.get("/api/2.0/preview/mlflow/registered-models/list")

    assert listed.json()["experiments"][0]["experiment_id"] == "0"
    assert models.status_code == 200


def test_wanted_columns_are_all_that_comes(http: httpx.Client, run: dict[str, Any]) -> None:
    run_id = run["info"]["run_id"]
    points = [{"key": key, "value": 1, "timestamp": 1} for key in ("a", "b")]
    post(http, "runs/log-batch", run_id=run_id, metrics=points, params=[{"key": "p", "value": "1"}])

    asked = {"experiment_ids": [run["info"]["experiment_id"]], "columns": ["metrics.a", "tags.none"]}
    (found,) = post(http, "runs/search", **asked).json()["runs"]

    assert found["data"] == {"metrics": [{"key": "a", "value": 1.0, "timestamp": 1, "step": 0}]}


def test_curves_come_thinned_out_with_their_peaks(http: httpx.Client, run: dict[str, Any]) -> None:
    run_id = run["info"]["run_id"]
    points = [{"key": "loss", "value": 9.0 if i == 531 else i / 1000, "timestamp": i, "step": i} for i in range(1000)]
    post(http, "runs/log-batch", run_id=run_id, metrics=points)

    (series,) = post(http, "metrics/series", run_ids=[run_id], keys=["loss"], max_points=50).json()["series"]

    assert series["count"] == 1000
    assert len(series["steps"]) <= 60
    assert {0, 531, 999} <= set(series["steps"])
    assert max(series["values"]) == 9.0


def test_counts_and_facets(http: httpx.Client) -> None:
    experiment = new_experiment(http)
    for kind in ("tree", "tree", "line"):
        run_id = post(http, "runs/create", experiment_id=experiment).json()["run"]["info"]["run_id"]
        post(http, "runs/log-parameter", run_id=run_id, key="kind", value=kind)

    count = post(http, "runs/count", experiment_ids=[experiment], filter="params.kind = 'tree'").json()
    facets = post(http, "runs/facets", experiment_ids=[experiment], field="params.kind").json()

    assert count == {"count": 2}
    assert facets == {"facets": [{"value": "tree", "count": 2}, {"value": "line", "count": 1}]}


def test_a_live_stream_tells_what_changes_until_the_run_ends(http: httpx.Client, run: dict[str, Any]) -> None:
    run_id = run["info"]["run_id"]
    seen: list[str] = []

    with http.stream("GET", f"{API}/runs/live", params={"run_id": run_id}) as stream:
        for line in stream.iter_lines():
            seen.append(line)
            if line == "event: run" and "event: metrics" not in seen and len(seen) < 4:
                post(http, "runs/log-metric", run_id=run_id, key="loss", value=0.25, timestamp=1)
                post(http, "runs/update", run_id=run_id, status="FINISHED", end_time=2)

    assert any('"value":0.25' in line for line in seen)
    assert any('"status":"FINISHED"' in line for line in seen)
    assert "event: end" in seen


def test_the_server_tells_what_it_can_do(http: httpx.Client) -> None:
    info = http.get("/api/3.0/mlflow/server-info").json()

    assert info["mlcore"]["registry"] == "yes"
    assert info["workspaces_enabled"] is False
    assert http.get("/health").text == "OK"
    assert http.get("/ready").json() == {"status": "ready"}
    assert http.get("/version").text.startswith("3.")


def test_of_a_field_in_the_path_no_other_value_counts(http: httpx.Client) -> None:
    http.put(f"{API}-artifacts/artifacts/0/in-the-path", content=b"path")
    http.put(f"{API}-artifacts/artifacts/0/in-the-query", content=b"query")

    answer = http.get(f"{API}-artifacts/artifacts/0/in-the-path", params={"artifact_path": "0/in-the-query"})

    assert answer.content == b"path"


@pytest.mark.parametrize("before", ["", "no json", "5", '{"a": 1}', "["])
def test_a_model_is_noted_whatever_a_run_has_for_a_history(http: httpx.Client, before: str) -> None:
    run_id = http.post(f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"]
    http.post(f"{API}/runs/set-tag", json={"run_id": run_id, "key": "mlflow.log-model.history", "value": before})
    model = {"artifact_path": "m", "flavors": {}, "utc_time_created": "now", "run_id": run_id}

    answer = http.post(f"{API}/runs/log-model", json={"run_id": run_id, "model_json": json.dumps(model)})

    assert answer.status_code == 200, answer.text
    tags = http.get(f"{API}/runs/get", params={"run_id": run_id}).json()["run"]["data"]["tags"]
    (history,) = [json.loads(tag["value"]) for tag in tags if tag["key"] == "mlflow.log-model.history"]
    assert [one["artifact_path"] for one in history] == ["m"]


def test_a_model_that_is_nested_without_end_is_refused(http: httpx.Client, run: dict[str, Any]) -> None:
    fields = {"run_id": run["info"]["run_id"], "model_json": "[" * 200_000}

    answer = http.post(f"{API}/runs/log-model", json=fields)

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Malformed model info.")


@pytest.mark.parametrize("point", [{"step": 3}, {}], ids=["with a step", "without"])
def test_a_point_of_a_batch_keeps_the_model_that_it_names(
    http: httpx.Client, run: dict[str, Any], point: dict[str, int]
) -> None:
    made = http.post(f"{API}/logged-models", json={"experiment_id": "0", "name": "m"}).json()["model"]["info"]
    named = {"key": "on-model", "value": 0.5, "timestamp": 1, "model_id": made["model_id"]} | point

    http.post(f"{API}/runs/log-batch", json={"run_id": run["info"]["run_id"], "metrics": [named]})

    shown = http.get(f"{API}/logged-models/{made['model_id']}").json()["model"]
    assert [one["key"] for one in shown["data"]["metrics"]] == ["on-model"]


def test_a_request_that_names_two_hosts_is_refused(live_server: LiveServer) -> None:
    host, port = live_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            b"GET /api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1\r\nHost: a.com\r\nHost: localhost\r\n\r\n"
        )
        answer = connection.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400")
