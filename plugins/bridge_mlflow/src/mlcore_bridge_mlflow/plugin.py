"""What the kernel asks of the bridge: what is installed, and an object with the hook for each of it.

Nothing of MLflow is imported here, nor of its plugins: the objects do that when their key is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo, Deployer, ProjectBackend, RegistryStore, TrackingStore
from mlcore.uris import scheme

if TYPE_CHECKING:
    from mlcore.plugin_index import PluginEntry


def installed(wanted: tuple[str, ...]) -> Sequence[PluginEntry]:
    """Return the entry points of all installed distributions in MLflow's groups that are bridged."""
    from mlcore_bridge_mlflow.points import installed as found

    return found(wanted)


def plugin(entry: PluginEntry) -> object:
    """Return an object that implements the entry's hook."""
    return _PLUGINS[entry.hook](entry)


def load(entry: PluginEntry) -> object:
    """Import what the entry stands for. Raises what the import raises."""
    from mlcore_bridge_mlflow.loading import load as load_it

    return load_it(entry)


class TrackingPlugin:
    """Stores from `mlflow.tracking_store`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def tracking_store(self, uri: str, artifact_root: str | None) -> TrackingStore | None:
        """Open the store at *uri* when its scheme is the entry's name."""
        if not _answers(self.entry, uri):
            return None
        from mlcore_bridge_mlflow.tracking import open_store

        return open_store(self.entry, uri, artifact_root)


class RegistryPlugin:
    """Stores from `mlflow.model_registry_store`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def registry_store(self, uri: str) -> RegistryStore | None:
        """Open the store at *uri* when its scheme is the entry's name."""
        if not _answers(self.entry, uri):
            return None
        from mlcore_bridge_mlflow.registry import open_registry

        return open_registry(self.entry, uri)


class ArtifactPlugin:
    """Repositories from `mlflow.artifact_repository`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def artifact_repo(self, uri: str) -> ArtifactRepo | None:
        """Open the repository at *uri* when its scheme is the entry's name."""
        if not _answers(self.entry, uri):
            return None
        from mlcore_bridge_mlflow.artifacts import open_repo

        return open_repo(self.entry, uri)


class ContextPlugin:
    """Providers from `mlflow.run_context_provider`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def run_context(self) -> Mapping[str, str] | None:
        """Return the provider's tags when it finds itself in its context."""
        from mlcore_bridge_mlflow.context import tags_of

        return tags_of(self.entry)


class BackendPlugin:
    """Backends from `mlflow.project_backend`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def project_backend(self, name: str) -> ProjectBackend | None:
        """Open the backend when *name* is the entry's."""
        if name != self.entry.key:
            return None
        from mlcore_bridge_mlflow.backend import open_backend

        return open_backend(self.entry)


class DeployerPlugin:
    """Targets from `mlflow.deployments`."""

    def __init__(self, entry: PluginEntry) -> None:
        """Stand for *entry*."""
        self.entry = entry

    @hookimpl
    def deployer(self, name: str, target_uri: str) -> Deployer | None:
        """Open the target when *name* is the entry's."""
        if name != self.entry.key:
            return None
        from mlcore_bridge_mlflow.deployer import open_deployer

        return open_deployer(self.entry, target_uri)


def _answers(entry: PluginEntry, uri: str) -> bool:
    """Whether the scheme of *uri*, with its driver or without, is the entry's name."""
    return entry.key.lower() in (scheme(uri), uri.partition(":")[0].lower())


_PLUGINS = {
    "tracking_store": TrackingPlugin,
    "registry_store": RegistryPlugin,
    "artifact_repo": ArtifactPlugin,
    "run_context": ContextPlugin,
    "project_backend": BackendPlugin,
    "deployer": DeployerPlugin,
}
