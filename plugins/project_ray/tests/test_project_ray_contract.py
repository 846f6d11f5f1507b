"""The Ray backend keeps the contract of project backends: whole before a stand-in, its heart on a real cluster."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import pytest

from mlcore.interfaces import ProjectBackend
from mlcore.projects.polling import Patience
from mlcore.testing import ProjectBackendContract
from mlcore.testing.project_backend import JobFixtures

CLUSTER_TOKEN = "a" * 44
# Each job costs a cluster some seconds to begin, so that the others are left to MLCORE_RAY_WHOLE=1
HEART = (
    "test_a_cancelled_job_is_killed",
    "test_an_unknown_job_is_named_in_the_error",
)


class TestRayBackend(ProjectBackendContract):
    plugin_module = "mlcore_project_ray.plugin"

    @pytest.fixture
    def backend(self, standin: object) -> ProjectBackend:
        from mlcore_project_ray.backend import RayBackend

        return RayBackend(Patience(0.02, 0.2, 20.0))


class _OnCluster:
    python: ClassVar[str] = sys.executable
    timeout_s: ClassVar[float] = 120.0
    job = JobFixtures.job
    run = JobFixtures.run

    @pytest.fixture
    def backend(self, cluster: str, monkeypatch: pytest.MonkeyPatch) -> ProjectBackend:
        from mlcore_project_ray.backend import RayBackend

        monkeypatch.setenv("RAY_API_SERVER_ADDRESS", cluster)
        monkeypatch.setenv("RAY_AUTH_TOKEN", CLUSTER_TOKEN)
        return RayBackend(Patience(0.1, 1.0, 60.0))


_CHOSEN = [name for name in vars(ProjectBackendContract) if name.startswith("test_")]
_CHOSEN = [name for name in _CHOSEN if name in HEART or os.environ.get("MLCORE_RAY_WHOLE")]
TestRayBackendOnACluster = type(
    "TestRayBackendOnACluster", (_OnCluster,), {name: getattr(ProjectBackendContract, name) for name in _CHOSEN}
)
