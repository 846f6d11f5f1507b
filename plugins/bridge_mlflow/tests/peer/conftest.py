"""Install the sample distribution for this process, and say what single cases of the contracts cannot pass."""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

import pytest

_HOME = tempfile.TemporaryDirectory(prefix="acme-mlflow-")
_POINTS = """
[mlflow.tracking_store]
acme-sql = acme:sql_store
acme-ids = acme:sql_store
[mlflow.model_registry_store]
acme-sql = acme:sql_registry
[mlflow.artifact_repository]
acme-old = acme:OldRepository
[mlflow.project_backend]
acme = acme:Backend
acme-raises = acme_raises:Backend
[mlflow.deployments]
acme = acme
acme-exits = acme_exits
"""
# contexts are imported by MLflow itself when it is: only a test that wants them brings them
URLS = "mlflow-jfrog-plugin puts names into URLs without escaping them"
LOCAL = "MLflow's local repository reads names as parts of URLs"
SQL = "MLflow's SQL store"
SINGLE_FAILURES = {
    "TestJFrogRepo::test_names_come_back_as_they_were[hash#question?semi;colon.txt]": URLS,
    "TestJFrogRepo::test_names_come_back_as_they_were[per%cent%20.txt]": URLS,
    "TestOldRepository::test_names_come_back_as_they_were[hash#question?semi;colon.txt]": LOCAL,
    "TestOldRepository::test_names_come_back_as_they_were[per%cent%20.txt]": LOCAL,
    "TestBridgedStore::test_every_double_is_read_back_as_it_was_logged[1.7976931348623157e+308]": (
        f"{SQL} keeps infinities as the largest double, so the largest double is read as one"
    ),
    f"TestBridgedStore::test_an_unknown_experiment_id_is_not_found[{'9' * 40}]": f"{SQL} hands ids to SQLite as integers",
}


def pytest_configure() -> None:
    info = Path(_HOME.name) / "acme_mlflow-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-mlflow\nVersion: 1.2\nSummary: A sample\n", "utf-8"
    )
    (info / "entry_points.txt").write_text(_POINTS, "utf-8")
    sys.path.insert(0, _HOME.name)
    importlib.invalidate_caches()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name, reason in SINGLE_FAILURES.items():
            if item.nodeid.endswith(name):
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))
