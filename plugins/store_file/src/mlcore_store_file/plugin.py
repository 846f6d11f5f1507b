"""The hooks of mlcore-store-file."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.uris import scheme


@hookimpl
def tracking_store(uri: str, artifact_root: str | None) -> TrackingStore | None:
    """Open the tracking store in the directory at *uri*, a `file:` URI or a plain path."""
    if scheme(uri) != "file":
        return None
    from mlcore_store_file.mlruns import is_mlruns, open_tracking, place_of

    path, in_mlflows_layout = place_of(uri)
    if in_mlflows_layout or is_mlruns(path):
        return open_tracking(path, artifact_root, writing=in_mlflows_layout)
    from mlcore_store_file.store import FileStore

    return FileStore.open(path, artifact_root)


@hookimpl
def registry_store(uri: str) -> RegistryStore | None:
    """Open the registry store in the directory at *uri*, a `file:` URI or a plain path."""
    if scheme(uri) != "file":
        return None
    from mlcore_store_file.mlruns import is_mlruns, open_registry, place_of

    path, in_mlflows_layout = place_of(uri)
    if in_mlflows_layout or is_mlruns(path):
        return open_registry(path, writing=in_mlflows_layout)
    from mlcore_store_file.registry import FileRegistry

    return FileRegistry.open(path)
