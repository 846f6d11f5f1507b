"""The hooks of mlcore-store-file."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.uris import local_path, scheme


@hookimpl
def tracking_store(uri: str, artifact_root: str | None) -> TrackingStore | None:
    """Open the tracking store in the directory at *uri*, a `file:` URI or a plain path."""
    if scheme(uri) != "file":
        return None
    from mlcore_store_file.mlruns import is_mlruns, open_tracking

    path = local_path(uri)
    if is_mlruns(path):
        return open_tracking(path, artifact_root)
    from mlcore_store_file.store import FileStore

    return FileStore.open(path, artifact_root)


@hookimpl
def registry_store(uri: str) -> RegistryStore | None:
    """Open the registry store in the directory at *uri*, a `file:` URI or a plain path."""
    if scheme(uri) != "file":
        return None
    from mlcore_store_file.mlruns import is_mlruns, open_registry

    path = local_path(uri)
    if is_mlruns(path):
        return open_registry(path)
    from mlcore_store_file.registry import FileRegistry

    return FileRegistry.open(path)
