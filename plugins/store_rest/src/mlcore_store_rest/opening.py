"""Open the stores that fit the server."""

from __future__ import annotations

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.remote.settings import RemoteSettings
from mlcore_store_rest.peers import meet
from mlcore_store_rest.service import Service


def open_tracking_store(uri: str, settings: RemoteSettings | None = None) -> TrackingStore:
    """Ask the server at *uri* who it is, and return the store of its kind.

    Abilities are told by a store's class, so the server is met here and not at the first call of a method; the kernel
    opens a store when it first needs it, and keeps it.
    settings: of the environment when not given.
    Raises StoreUnavailableError: no answer. UnauthenticatedError: it wants credentials. InvalidParameterError:
    something else is there.
    """
    service = Service.open(uri, settings)
    peer = meet(service)
    if peer.is_mlcore:
        from mlcore_store_rest.abilities import tracking_class

        return tracking_class(peer.abilities)(service)
    from mlcore_store_rest.mlflow_store import MlflowTrackingStore

    return MlflowTrackingStore(service, peer)


def open_registry_store(uri: str, settings: RemoteSettings | None = None) -> RegistryStore:
    """Ask the server at *uri* who it is, and return the registry of its kind; raises as `open_tracking_store`."""
    from mlcore_store_rest.abilities import registry_class

    service = Service.open(uri, settings)
    return registry_class(meet(service).abilities)(service)
