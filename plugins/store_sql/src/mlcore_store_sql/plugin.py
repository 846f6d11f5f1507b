"""The hooks of mlcore-store-sql."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.uris import scheme

SCHEMES = ("sqlite",)


@hookimpl
def tracking_store(uri: str, artifact_root: str | None) -> TrackingStore | None:
    """Open the tracking store in the SQL database at *uri*; one of MLflow's is opened to be read."""
    if scheme(uri) not in SCHEMES:
        return None
    from mlcore_store_sql.mlflow_file import MlflowFile

    theirs = MlflowFile.found_at(uri)
    if theirs is not None:
        from mlcore_store_sql.mlflow_store import MlflowTrackingStore

        return MlflowTrackingStore(theirs)
    from mlcore_store_sql.store import SqlTrackingStore

    return SqlTrackingStore.open(uri, artifact_root)


@hookimpl
def registry_store(uri: str) -> RegistryStore | None:
    """Open the registry store in the SQL database at *uri*; one of MLflow's is opened to be read."""
    if scheme(uri) not in SCHEMES:
        return None
    from mlcore_store_sql.mlflow_file import MlflowFile

    theirs = MlflowFile.found_at(uri)
    if theirs is not None:
        from mlcore_store_sql.mlflow_registry import MlflowRegistryStore

        return MlflowRegistryStore(theirs)
    from mlcore_store_sql.registry import SqlRegistryStore

    return SqlRegistryStore.open(uri)
