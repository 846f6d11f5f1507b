"""Artifacts: transfer of files and trees, progress, and what URIs of runs and models name.

`mlcore.artifacts.download_artifacts` and its kin, MLflow's names, need a store to look runs up; they are the tracking
layer's and are only shown here.
"""

from __future__ import annotations

_SHOWN = ("download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text")


def __getattr__(name: str) -> object:
    if name in _SHOWN:
        import importlib

        return getattr(importlib.import_module("mlcore.tracking.artifact_api"), name)
    raise AttributeError(f"module 'mlcore.artifacts' has no attribute {name!r}")
