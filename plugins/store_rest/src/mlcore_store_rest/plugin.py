"""The hooks of mlcore-store-rest."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.uris import scheme


@hookimpl
def tracking_store(uri: str) -> TrackingStore | None:
    """Open `http:` and `https:` URIs; asks the server once who it is."""
    if scheme(uri) not in ("http", "https"):
        return None
    from mlcore_store_rest.opening import open_tracking_store

    return open_tracking_store(uri)


@hookimpl
def registry_store(uri: str) -> RegistryStore | None:
    """Open `http:` and `https:` URIs; asks the server once who it is."""
    if scheme(uri) not in ("http", "https"):
        return None
    from mlcore_store_rest.opening import open_registry_store

    return open_registry_store(uri)
