"""The hooks of mlcore-env-docker."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager


@hookimpl
def environment(name: str) -> EnvironmentManager | None:
    """Open the manager of containers; the program `docker` is looked for at the first use."""
    if name != "docker":
        return None
    from mlcore.projects.cache import cache_directory
    from mlcore_env_docker.manager import DockerEnvironments

    return DockerEnvironments(cache_directory() / "environments" / "docker")
