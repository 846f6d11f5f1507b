"""Real servers for the tests, started once: MLflow's of two releases, and our own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow_servers
import own_server
import pytest
from mlflow_servers import MlflowServer
from own_server import OwnServer

# 64 runs where one was meant, and then a comparison that cannot hold: minutes for nothing.
SLOW_TO_FAIL = {"test_64_threads_that_create_one_run_all_get_that_run"}
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def own() -> Iterator[OwnServer]:
    with own_server.own_server() as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_3(peer_mlflow: Path) -> Iterator[MlflowServer]:
    with mlflow_servers.mlflow_server(peer_mlflow) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_2(require) -> Iterator[MlflowServer]:
    python = ROOT / ".cache" / "peers" / "mlflow-2.22" / "bin" / "python"
    require("mlflow-2.22", python.exists(), "make peer")
    with mlflow_servers.mlflow_server(python) as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark single cases of contract tests: a class's `expected_cases` maps `test_name[case]` to the reason.

    What MLflow's servers do now and then only is in `unsteady_cases`, and is not asked of them.
    """
    for item in items:
        cases = getattr(getattr(item, "cls", None), "expected_cases", {})
        if item.name in cases:
            runs = item.name not in SLOW_TO_FAIL
            item.add_marker(pytest.mark.xfail(strict=True, reason=cases[item.name], run=runs))
        unsteady = getattr(getattr(item, "cls", None), "unsteady_cases", {})
        if item.name in unsteady:
            item.add_marker(pytest.mark.skip(reason=unsteady[item.name]))
