"""Directories in the layout of MLflow's own file store."""

from __future__ import annotations

from pathlib import Path

from mlcore.errors import UnsupportedError
from mlcore.interfaces import RegistryStore, TrackingStore


def is_mlruns(path: Path) -> bool:
    """Tell whether *path* is a directory that MLflow's file store made."""
    return (path / "0" / "meta.yaml").is_file() or (path / ".trash").is_dir()


def open_tracking(path: Path, artifact_root: str | None) -> TrackingStore:
    """Open the runs in such a directory. Raises UnsupportedError."""
    del artifact_root
    raise UnsupportedError(f"{str(path)!r} has the layout of MLflow's file store, which cannot be opened in place yet")


def open_registry(path: Path) -> RegistryStore:
    """Open the registered models in such a directory. Raises UnsupportedError."""
    raise UnsupportedError(f"{str(path)!r} has the layout of MLflow's file store, which cannot be opened in place yet")
