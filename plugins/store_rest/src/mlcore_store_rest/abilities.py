"""The stores on a server of mlcore by what the server's own stores can do: a store's class tells its abilities."""

from __future__ import annotations

import functools

from attrs import evolve

from mlcore.entities import Experiment, ModelVersion, RegisteredModel
from mlcore.wire.models_json import model_out, version_out
from mlcore.wire.tracking_json import experiment_in, experiment_out
from mlcore_store_rest.moving import AdoptingHistories, MovingModels, RequestingModels
from mlcore_store_rest.own_store import MlcoreTrackingStore
from mlcore_store_rest.registry import RestRegistryStore
from mlcore_store_rest.replaying import Replaying
from mlcore_store_rest.service import Service

REPLAY, ADOPTION = "replay", "adoption"


class Adopting:
    """What a tracking store on a server does beside all else when the server's own store takes over experiments."""

    service: Service

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere."""
        return experiment_in(self.service.call("experiments/adopt", experiment_out(experiment))["experiment"])


class ReplayingTrackingStore(Replaying, MlcoreTrackingStore):
    """A server whose store takes journals."""


class AdoptingTrackingStore(Adopting, MlcoreTrackingStore):
    """A server whose store takes over experiments."""


class FullTrackingStore(Adopting, Replaying, MlcoreTrackingStore):
    """A server whose store does both."""


class AdoptingModels(RestRegistryStore):
    """A server whose registry takes over models."""

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere."""
        bare = evolve(model, latest_versions=(), aliases={})
        return self._model("POST registered-models/adopt", model_out(bare))

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere."""
        return self._version("POST model-versions/adopt", version_out(version))


def tracking_class(abilities: frozenset[str]) -> type[MlcoreTrackingStore]:
    """Return the class for a server with those *abilities*; an older server has none."""
    if {REPLAY, ADOPTION} <= abilities:
        return FullTrackingStore
    if REPLAY in abilities:
        return ReplayingTrackingStore
    return AdoptingTrackingStore if ADOPTION in abilities else MlcoreTrackingStore


_REGISTRY_PARTS: dict[str, type[RestRegistryStore]] = {
    "model-adoption": AdoptingModels,
    "moves": MovingModels,
    "history-adoption": AdoptingHistories,
    "transition-requests": RequestingModels,
}


@functools.cache
def registry_class(abilities: frozenset[str]) -> type[RestRegistryStore]:
    """Return the class for a server with those *abilities*; an older server has none."""
    parts = tuple(part for ability, part in _REGISTRY_PARTS.items() if ability in abilities)
    return type("OwnRegistryStore", parts, {}) if len(parts) > 1 else parts[0] if parts else RestRegistryStore
