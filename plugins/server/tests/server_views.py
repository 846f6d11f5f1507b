"""What tests of files that pages see have in common: a run with files, listings, tickets."""

from __future__ import annotations

from typing import Any

import httpx

UI = "/api/ui/1"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
Json = dict[str, Any]


def post(http: httpx.Client, to: str, /, **fields: object) -> Json:
    answer = http.post(to, json=fields)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def new_run(http: httpx.Client) -> str:
    return str(post(http, "/api/2.0/mlflow/runs/create", experiment_id="0")["run"]["info"]["run_id"])


def put(http: httpx.Client, run_id: str, path: str, content: bytes = b"x") -> None:
    assert http.put(f"{PROXY}/0/{run_id}/artifacts/{path}", content=content).status_code == 200


def listing(http: httpx.Client, **asked: object) -> Json:
    answer = http.get(f"{UI}/artifacts:list", params=asked)  # type: ignore[arg-type]  # plain values
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def ticket(http: httpx.Client, **asked: object) -> str:
    return "/" + str(post(http, f"{UI}/artifacts:ticket", **asked)["url"])
