"""The contract of backends, on a stand-in of Kubernetes' API."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from mlcore.interfaces import EnvironmentSpec, ImageSpec, Job
from mlcore.testing.project_backend import ProjectBackendContract

IMAGE = EnvironmentSpec(image=ImageSpec("python:3.11-slim"))


class TestKubernetesBackend(ProjectBackendContract):
    plugin_module = "mlcore_project_kubernetes.plugin"

    def job(self, directory: Path, code: str, *arguments: str, **env: str) -> Job:
        """Describe a job as the kernel does for a backend that provides containers."""
        return evolve(super().job(directory, code, *arguments, **env), environment=IMAGE)
