"""The fluent API at servers: what users do, end to end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_rest.peers import MissingAbilityWarning
from mlflow_servers import MlflowServer
from own_server import OwnServer

import mlcore


@pytest.fixture(params=["own", "mlflow_3", "mlflow_2"])
def uri(request: pytest.FixtureRequest) -> Iterator[str]:
    server: OwnServer | MlflowServer = request.getfixturevalue(request.param)
    server.empty()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingAbilityWarning)
        yield server.uri


def test_a_user_records_searches_and_fetches(uri: str, tmp_path: Path) -> None:
    mlcore.set_tracking_uri(uri)
    mlcore.set_experiment("remote")
    for depth in (1, 2, 3):
        with mlcore.start_run(run_name=f"depth-{depth}") as run:
            mlcore.log_param("depth", depth)
            mlcore.log_metrics({"loss": 1.0 / depth, "other": float("nan")})
            mlcore.log_metric("loss", 2.0 / depth, step=1)
            mlcore.set_tag("team", "a" if depth < 3 else "b")
            mlcore.log_text("ß" * depth, "notes/readme.txt")
            assert run.info.run_id == mlcore.get_run(run.info.run_id).info.run_id

    found = mlcore.search_runs(
        filter_string="params.depth >= 2 AND (tags.team = 'a' OR metrics.loss < 0.7)",
        order_by=["metrics.loss DESC"],
        output_format="list",
    )

    assert [run.info.run_name for run in found] == ["depth-2", "depth-3"]
    assert found[0].data.metrics["loss"] == 1.0
    assert {run.info.status for run in found} == {"FINISHED"}
    local = mlcore.artifacts.download_artifacts(f"runs:/{found[0].info.run_id}/notes", dst_path=tmp_path)
    assert (Path(local) / "readme.txt").read_text(encoding="utf-8") == "ßß"


def test_a_client_of_its_own_finds_artifacts_at_its_own_server(uri: str) -> None:
    client = mlcore.MlflowClient(tracking_uri=uri)
    run_id = client.create_run(client.create_experiment("mine")).info.run_id

    client.log_text(run_id, "x", "a/b.txt")

    assert [info.path for info in client.list_artifacts(run_id, "a")] == ["a/b.txt"]
    assert [point.value for point in client.get_metric_history(run_id, "none")] == []
