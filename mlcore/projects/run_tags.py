"""The tags of a project's run: MLflow's, so that its tools understand them, and those without a counterpart there."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlcore.tracking import tags
from mlcore.uris import redacted, scheme
from mlcore.wire.plain import to_plain

if TYPE_CHECKING:
    from mlcore.projects.request import RunRequest
    from mlcore.projects.source import Source

ENTRY_POINT = "mlflow.project.entryPoint"
ENV = "mlflow.project.env"
BACKEND = "mlflow.project.backend"
GIT_REPO_URL = "mlflow.source.git.repoURL"
GIT_BRANCH = "mlflow.source.git.branch"
GIT_DIRTY = "mlflow.source.git.dirty"

URI = "mlcore.project.uri"
VERSION = "mlcore.project.version"  # what was asked for: a branch, tag or commit
PARAMETERS = "mlcore.project.parameters"  # JSON of what was given, types kept
ENV_ID = "mlcore.project.envId"
FINGERPRINT = "mlcore.project.fingerprint"
REUSED_FROM = "mlcore.project.reusedFrom"
JOB_ID = "mlcore.project.jobId"
SEARCH = "mlcore.search.strategy"  # of the run above those of a search
SEARCH_BEST = "mlcore.search.bestRunId"
REPRODUCES = "mlcore.project.reproduces"  # the run that this one runs again

# Where a project's run keeps what belongs to it, among its artifacts.
FOLDER = "project"
OUTPUT = f"{FOLDER}/output.log"
LOCK = f"{FOLDER}/requirements.lock.txt"
DIFF = f"{FOLDER}/uncommitted.diff"
ENVIRONMENT = f"{FOLDER}/environment.json"


def of_start(request: RunRequest, source: Source, manager: str, fingerprint: str) -> dict[str, str]:
    """Return the tags that a run begins with; none has an empty value."""
    found = {
        tags.USER: _user(),
        tags.SOURCE_NAME: _source_name(source),
        tags.SOURCE_TYPE: "PROJECT",
        ENTRY_POINT: request.entry_point,
        ENV: manager,
        BACKEND: request.backend,
        tags.GIT_COMMIT: source.commit,
        GIT_REPO_URL: source.repo_url and redacted(source.repo_url),
        GIT_BRANCH: source.branch,
        GIT_DIRTY: str(source.dirty).lower() if source.commit else "",
        URI: _source_name(source),
        VERSION: request.version,
        PARAMETERS: parameters_text(request.parameters),
        FINGERPRINT: fingerprint,
        REPRODUCES: request.reproduces,
    }
    return {key: value for key, value in found.items() if value}


def parameters_text(given: Mapping[str, object]) -> str:
    """Return what was given as JSON, without passwords of URIs."""
    plain = {key: redacted(value) if isinstance(value, str) else to_plain(value) for key, value in given.items()}
    return json.dumps(plain, ensure_ascii=False, sort_keys=True) if plain else "{}"


def _source_name(source: Source) -> str:
    """Return where the project came from; a local path in full, as it is to mean the same elsewhere on this machine."""
    path, mark, subdirectory = source.uri.partition("#")
    if scheme(path) == "file" and Path(path).exists():
        return f"{Path(path).absolute()}{mark}{subdirectory}"
    return redacted(source.uri)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such user on this machine, as in containers
        return ""
