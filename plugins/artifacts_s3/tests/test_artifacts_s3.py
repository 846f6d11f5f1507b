"""The repository does what the kernel relies on, at three storages that have nothing in common."""

from __future__ import annotations

import pytest

from mlcore.interfaces import ArtifactRepo
from mlcore.testing.artifact_repo import ArtifactRepoContract


class TestOnMoto(ArtifactRepoContract):
    plugin_module = "mlcore_artifacts_s3.plugin"

    @pytest.fixture
    def repo(self, moto, shared) -> ArtifactRepo:
        return shared(moto)


class TestOnRclone(ArtifactRepoContract):
    @pytest.fixture
    def repo(self, rclone, shared) -> ArtifactRepo:
        return shared(rclone)


class TestOnCeph(ArtifactRepoContract):
    @pytest.fixture
    def repo(self, ceph, shared) -> ArtifactRepo:
        return shared(ceph)
