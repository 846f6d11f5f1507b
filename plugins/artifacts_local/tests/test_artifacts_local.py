"""The local artifact repository: the contract, and what only a file system can get wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlcore_artifacts_local.repo import LocalRepo

from mlcore.interfaces import ArtifactRepo
from mlcore.testing.artifact_repo import ArtifactRepoContract


class TestLocalRepo(ArtifactRepoContract):
    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return LocalRepo.open((tmp_path / "artifact root").as_uri())
