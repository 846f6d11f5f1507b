"""The local project backend."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlcore.errors import InvalidParameterError, ProjectError
from mlcore.interfaces import Job, JobEnd, JobStatus, ProjectBackend
from mlcore.testing import ProjectBackendContract
from mlcore_project_local.backend import LocalBackend


class TestLocalBackend(ProjectBackendContract):
    plugin_module = "mlcore_project_local.plugin"

    @pytest.fixture
    def backend(self, tmp_path: Path) -> ProjectBackend:
        return LocalBackend(tmp_path / "jobs")
