"""Directories in the layout of MLflow's own file store: reading them, and writing them when that is asked for."""

from __future__ import annotations

from pathlib import Path

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.uris import local_path
from mlcore_store_file.mlruns_tree import TRASH, holds_mlruns

_WISH = "?layout=mlflow"


def place_of(uri: str) -> tuple[Path, bool]:
    """Return the path that a `file:` URI or a plain path means, and whether it asks to write MLflow's layout there.

    The wish is `?layout=mlflow` at the end.
    """
    if uri.endswith(_WISH):
        return local_path(uri.removesuffix(_WISH)), True
    path = local_path(uri)
    if path.name.endswith(_WISH):  # a plain path that was made a URI, with its question mark encoded
        return path.with_name(path.name.removesuffix(_WISH)), True
    return path, False


def is_mlruns(path: Path) -> bool:
    """Tell whether *path* is a directory that MLflow's file store made."""
    return (path / TRASH).is_dir() or holds_mlruns(path)


def open_tracking(path: Path, artifact_root: str | None, *, writing: bool = False) -> TrackingStore:
    """Open the experiments and runs in such a directory.

    artifact_root: where experiments that are made put artifacts; None: into the directory, as MLflow does.
    writing: in MLflow's own layout, also into a directory that is new; else all that would change something is refused.
    """
    if writing:
        from mlcore_store_file.mlruns_tracking import MlrunsTrackingStore

        return MlrunsTrackingStore(path, artifact_root)
    from mlcore_store_file.mlruns_readonly import ReadOnlyTracking

    return ReadOnlyTracking(path)


def open_registry(path: Path, *, writing: bool = False) -> RegistryStore:
    """Open the registered models in such a directory; writing: as in `open_tracking`."""
    if writing:
        from mlcore_store_file.mlruns_registry import MlrunsRegistryStore

        return MlrunsRegistryStore(path)
    from mlcore_store_file.mlruns_readonly import ReadOnlyRegistry

    return ReadOnlyRegistry(path)
