"""The contract behind the artifact proxy of MLflow's server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import mlflow_servers
import pytest
from mlcore_artifacts_http.opening import open_repo
from mlflow_servers import MlflowServer

from mlcore.interfaces import ArtifactRepo
from mlcore.testing import ArtifactRepoContract


@pytest.fixture(scope="module")
def mlflow(peer_mlflow: Path) -> Iterator[MlflowServer]:
    with mlflow_servers.mlflow_server(peer_mlflow) as server:
        yield server


class TestMlflowProxy(ArtifactRepoContract):
    plugin_module = "mlcore_artifacts_http.plugin"
    expected_cases: ClassVar[Mapping[str, str]] = {
        "test_names_come_back_as_they_were[hash#question?semi;colon.txt]": "MLflow refuses # and ? in paths",
        "test_names_come_back_as_they_were[per%cent%20.txt]": "MLflow decodes names of files twice",
    }

    @pytest.fixture
    def repo(self, mlflow: MlflowServer) -> Iterator[ArtifactRepo]:
        opened = open_repo(f"mlflow-artifacts:/{uuid.uuid4().hex}/a b", mlflow.uri)
        yield opened
        opened.close()
