"""The contract behind the artifact proxy of our own server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from mlcore_artifacts_http.opening import open_repo
from own_server import OwnServer

from mlcore.interfaces import ArtifactRepo
from mlcore.testing import ArtifactRepoContract


class TestOwnProxy(ArtifactRepoContract):
    plugin_module = "mlcore_artifacts_http.plugin"

    @pytest.fixture
    def repo(self, own: OwnServer) -> Iterator[ArtifactRepo]:
        opened = open_repo(f"mlflow-artifacts:/{uuid.uuid4().hex}/a b", own.uri)
        yield opened
        opened.close()
