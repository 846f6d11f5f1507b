"""A server's gates: nobody moves a version past them, by whatever client and route."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mlcore.testing.live_server import LiveServer, running_server

GATE = """
from mlcore.hookspecs import hookimpl


@hookimpl
def before_transition(transition):
    return "no owner" if transition.after in ("Production", "3") and transition.note.comment != "ok" else None
"""


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with an installed gate."""
    site = tmp_path_factory.mktemp("site")
    (site / "acme_gate.py").write_text(GATE)
    about = site / "acme_gate-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gate\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mlcore.before_transition]\nacme = acme_gate\n")
    with running_server(Path(tmp_path_factory.mktemp("gated")), env={"PYTHONPATH": str(site)}) as server:
        yield server


@pytest.fixture
def calls(gated: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{gated.url}/api/2.0", timeout=30, trust_env=False) as client:
        client.post("/mlflow/registered-models/create", json={"name": "wine"})
        while len(client.get("/mlflow/model-versions/search").json().get("model_versions", ())) < 3:
            made = client.post("/mlflow/model-versions/create", json={"name": "wine", "source": "s3://bucket/m"})
            assert made.status_code == 200, made.text
        yield client


def test_a_client_of_mlflow_is_told_who_refuses_and_why(calls: httpx.Client) -> None:
    body = {"name": "wine", "version": "1", "stage": "production"}

    refused = calls.post("/mlflow/model-versions/transition-stage", json=body)

    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert refused.json()["message"] == (
        "version '1' of registered model 'wine' is not moved from stage 'None' to 'Production': plugin acme-gate 1.0 "
        "(entry point acme = acme_gate in mlcore.before_transition) refuses: no owner"
    )
    body["stage"] = "Staging"
    assert calls.post("/mlflow/model-versions/transition-stage", json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("mlflow/registered-models/alias", {"name": "wine", "alias": "a", "version": "3"}),
        ("preview/mlflow/model-versions/transition-stage", {"name": "wine", "version": "2", "stage": "Production"}),
        (
            "mlflow/model-versions/adopt",
            {
                **{"name": "wine", "version": "9", "source": "s3://bucket/m", "current_stage": "Production"},
                **{"creation_timestamp": 1, "last_updated_timestamp": 1, "status": "READY"},
            },
        ),
    ],
)
def test_no_other_route_leads_around_a_gate(calls: httpx.Client, path: str, body: dict[str, object]) -> None:
    refused = calls.post(path, json=body)

    assert (refused.status_code, "no owner" in refused.text) == (403, True), refused.text
    found = calls.get("/mlflow/model-versions/search").json()["model_versions"]
    assert {version["current_stage"] for version in found} <= {"None", "Staging"}
    assert not any(version.get("aliases") for version in found)


def test_an_approval_has_to_pass_the_gates_too(calls: httpx.Client) -> None:
    asked = {"request_id": "a" * 32, "name": "wine", "version": "2", "stage": "Production", "comment": "please"}
    assert calls.post("/mlflow/transition-requests/create", json=asked).status_code == 200
    decision = {"request_id": "a" * 32, "status": "APPROVED", "comment": "ok"}

    refused = calls.post("/mlflow/transition-requests/decide", json=decision)

    assert (refused.status_code, "no owner" in refused.text) == (403, True), refused.text
    waiting = calls.get("/mlflow/transition-requests/get", params={"request_id": "a" * 32}).json()
    assert waiting["transition_request"]["status"] == "PENDING"
