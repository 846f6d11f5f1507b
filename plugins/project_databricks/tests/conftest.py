"""A workspace to run jobs in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # modules beside the tests

from databricks_places import TOKEN, Standin, start_standin  # after the path


@pytest.fixture(scope="session")
def workspace_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    standin, process = start_standin(tmp_path_factory.mktemp("workspace"))
    yield standin
    process.kill()
    process.wait()


@pytest.fixture
def standin(workspace_server: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """Return the stand-in, as if it were the workspace of the user's choice."""
    for name in ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABRICKS_HOST", workspace_server.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    workspace_server.fail()
    return workspace_server
