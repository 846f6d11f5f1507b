"""The stores that the server works on."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from mlcore.errors import PluginNotFoundError, UnsupportedError
from mlcore.hookspecs import Event, HookSpecs
from mlcore.interfaces import (
    ArtifactRepo,
    RegistryStore,
    SupportsLoggedModels,
    SupportsRequests,
    TrackingStore,
)
from mlcore.plugins import Plugins
from mlcore.registry.moving import Mover
from mlcore.settings import Settings
from mlcore.tracking.session import Session
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.places import Places

_REMEMBERED = 100_000


class Stores:
    """Tracking store, registry and artifact repositories, opened when first needed; threads share them."""

    def __init__(self, config: ServerConfig, plugins: Plugins) -> None:
        """Open nothing yet."""
        given = {"tracking_uri": config.tracking_uri, "registry_uri": config.registry_uri}
        given["artifact_root"] = config.artifact_root or config.artifacts_destination
        self._session = Session(Settings.load(given), plugins)
        self._plugins = plugins
        self._registry_uri = config.registry_uri
        self.places: Places = Places(config)
        self.experiment_of: Callable[[str], str] = functools.lru_cache(_REMEMBERED)(self._experiment_of)
        self.experiment_of_model: Callable[[str], str] = functools.lru_cache(_REMEMBERED)(self._experiment_of_model)

    @property
    def tracking(self) -> TrackingStore:
        """The tracking store."""
        return self._session.store()

    @property
    def heartbeat_s(self) -> float:
        """How often usual runs give heartbeats, in seconds."""
        return self._session.settings.heartbeat_s or Settings().heartbeat_s

    @functools.cached_property
    def registry(self) -> RegistryStore:
        """The registry store. Raises UnsupportedError: no plugin keeps registered models there."""
        try:
            return self._plugins.first(HookSpecs.registry_store, uri=self._registry_uri)
        except PluginNotFoundError as err:
            raise UnsupportedError(f"this server has no model registry: {err.message}") from err

    def mover(self, caller: Caller, said: str = "") -> Mover:
        """Return what makes moves in the registry for who calls.

        said: who they say that they are; counts where the server knows no users.
        """
        user = caller.principal.name if caller.has_authority else said
        return Mover(self._plugins, self.registry, user, "server", is_proven=caller.has_authority)

    @property
    def logged_models(self) -> SupportsLoggedModels:
        """The tracking store as one of logged models. Raises UnsupportedError: it keeps none."""
        store = self.tracking
        if not isinstance(store, SupportsLoggedModels):
            raise UnsupportedError("the server's tracking store keeps no logged models")
        return store

    @property
    def requests(self) -> SupportsRequests:
        """The registry as one of transition requests. Raises UnsupportedError: it keeps none."""
        registry = self.registry
        if not isinstance(registry, SupportsRequests):
            raise UnsupportedError("the server's registry keeps no transition requests")
        return registry

    def repo(self, uri: str) -> ArtifactRepo:
        """Return the artifact repository at *uri*, a place that the server may use."""
        return self._session.repo(uri)

    def _experiment_of(self, run_id: str) -> str:
        """Return the experiment of a run, which never changes."""
        return self.tracking.get_run(run_id).info.experiment_id

    def _experiment_of_model(self, model_id: str) -> str:
        """Return the experiment of a logged model, which never changes."""
        return self.logged_models.get_logged_model(model_id, allow_deleted=True).experiment_id

    def tell_stopping(self) -> None:
        """Tell the listeners that this process ends: a worker does so without exit handlers."""
        self._plugins.every(HookSpecs.event, event=Event("server_stopping", time.time_ns() // 1_000_000, "server"))

    def close(self) -> None:
        """Let go of everything."""
        registry = self.__dict__.pop("registry", None)
        if registry is not None:
            registry.close()
        self._session.close()
