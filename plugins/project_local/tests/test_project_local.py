"""The local project backend."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlcore_project_local.backend import LocalBackend

from mlcore.interfaces import ProjectBackend
from mlcore.testing import ProjectBackendContract


class TestLocalBackend(ProjectBackendContract):
    plugin_module = "mlcore_project_local.plugin"

    @pytest.fixture
    def backend(self, tmp_path: Path) -> ProjectBackend:
        return LocalBackend(tmp_path / "jobs")
