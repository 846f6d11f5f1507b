"""The variables that a project's command gets: its run and store; credentials where the job is on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mlcore.settings import Settings
from mlcore.tracking.session import Session

# What clients of stores authenticate with. Jobs elsewhere get theirs from whoever runs that place.
_SECRET = (
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "MLFLOW_TRACKING_INSECURE_TLS",
)
_SECRET_PREFIXES = (
    "AWS_",
    "MLFLOW_S3_",
    "MLFLOW_TRACKING_",
    "MLCORE_TRACKING_",
    "AZURE_STORAGE_",
    "GOOGLE_APPLICATION_",
)
_NOT_SETTINGS = ("tracking_uri", "registry_uri", "experiment_id", "experiment_name", "run_id", "cache_dir", "spool_dir")


def job_env(session: Session, run_id: str, experiment_id: str, *, is_here: bool) -> dict[str, str]:
    """Return what is added to a job's environment.

    is_here: the job runs on this machine, so that it may have what this process has; else no credentials.
    """
    uri = session.anchored(session.tracking_uri)
    found: dict[str, str] = {}
    if is_here:
        found.update({k: v for k, v in os.environ.items() if k in _SECRET or k.startswith(_SECRET_PREFIXES)})
        found.update(own_settings(session.settings))
    for prefix in ("MLFLOW", "MLCORE"):
        found[f"{prefix}_RUN_ID"] = run_id
        found[f"{prefix}_TRACKING_URI"] = uri if is_here else without_credentials(uri)
        found[f"{prefix}_EXPERIMENT_ID"] = experiment_id
        if os.environ.get(f"{prefix}_EXPERIMENT_NAME"):  # its runs belong to the experiment of this one
            found[f"{prefix}_EXPERIMENT_NAME"] = ""
    registry = session.registry_uri
    if registry != session.tracking_uri:
        anchored = session.anchored(registry)
        found["MLFLOW_REGISTRY_URI"] = found["MLCORE_REGISTRY_URI"] = (
            anchored if is_here else without_credentials(anchored)
        )
    found.setdefault("PYTHONUNBUFFERED", os.environ.get("PYTHONUNBUFFERED") or "1")  # output shows as it is written
    return found


def own_settings(settings: Settings) -> dict[str, str]:
    """Return the variables that say what arguments and files of this process say: the job is in another directory."""
    found: dict[str, str] = {}
    for name, origin in settings.origins.items():
        value = getattr(settings, name)
        if origin.place not in ("argument", "file") or name in _NOT_SETTINGS or value is None:
            continue
        if isinstance(value, bool):
            found[f"MLCORE_{name.upper()}"] = str(value).lower()
        elif isinstance(value, (str, int, float)):
            found[f"MLCORE_{name.upper()}"] = str(value)
    for name in ("cache_dir", "spool_dir"):
        place = getattr(settings, name)
        if place:
            found[f"MLCORE_{name.upper()}"] = str(Path(place).expanduser().absolute())
    return found


def with_running_python(env: Mapping[str, str]) -> dict[str, str]:
    """Return *env* with the running interpreter's programs first on PATH, so that `python` is this one."""
    path = env.get("PATH") or os.environ.get("PATH") or os.defpath
    return {**env, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{path}"}


def without_credentials(uri: str) -> str:
    """Return *uri* without user and password."""
    split = urlsplit(uri)
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2])) if "@" in split.netloc else uri
