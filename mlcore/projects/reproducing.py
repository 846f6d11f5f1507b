"""Run a recorded run again: the same commit with the same changes, the same parameters, the same lock."""

from __future__ import annotations

import json
import platform
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from mlcore.entities import Run
from mlcore.errors import ArtifactNotFoundError, ProjectError
from mlcore.projects import run_tags
from mlcore.projects.request import RunRequest
from mlcore.tracking import tags
from mlcore.tracking.client import Client

if TYPE_CHECKING:
    from mlcore.projects.submitted import SubmittedRun
    from mlcore.tracking.session import Session

_MASK = "***"
_NAMED = 5


@frozen
class Reproduction:
    """What to run to run a recorded run again.

    notes: what cannot be the same, each a sentence for people.
    """

    request: RunRequest
    notes: tuple[str, ...] = ()


def reproduce(run_id: str, *, synchronous: bool = True) -> SubmittedRun:
    """Run a recorded run again; see `reproduction`. What cannot be the same is logged as warnings."""
    import logging

    from mlcore.projects.running import run_request
    from mlcore.tracking.session import current_session

    session = current_session()
    found = reproduction(run_id, session)
    for note in found.notes:
        logging.getLogger(__name__).warning("%s", note)
    return run_request(found.request, session, synchronous=synchronous)


def reproduction(run_id: str, session: Session, overrides: Mapping[str, object] | None = None) -> Reproduction:
    """Return what to run to run *run_id* again, in its experiment.

    overrides: fields of `RunRequest` that win over what was recorded; parameters are added to those of the run.
    Raises ProjectError: it is no run of a project, or the values of a parameter were not kept.
    """
    client = Client(session=session)
    run = client.get_run(run_id)
    kept = run.data.tags
    if kept.get(tags.SOURCE_TYPE) != "PROJECT":
        raise ProjectError(
            f"run {run_id!r} is not of a project, so how it was made is not recorded; `mlcore run` records runs that "
            "can be made again"
        )
    if run_tags.SEARCH in kept:
        best = kept.get(run_tags.SEARCH_BEST)
        raise ProjectError(
            f"run {run_id!r} stands for a whole search: reproduce one of the runs below it"
            + (f", such as its best, {best}" if best else "")
        )
    given = dict(overrides or {})
    more = given.pop("parameters", None)
    changed = more if isinstance(more, Mapping) else {}
    notes: list[str] = []
    diff = _artifact(client, run.info.run_id, run_tags.DIFF)
    manager = kept.get(run_tags.ENV) or None
    request = RunRequest(
        uri=_uri(run),
        entry_point=kept.get(run_tags.ENTRY_POINT, "main"),
        version=kept.get(tags.GIT_COMMIT),
        parameters={**_parameters(run, changed), **changed},
        experiment_id=None if given.get("experiment_name") else run.info.experiment_id,
        backend=kept.get(run_tags.BACKEND, "local"),
        env_manager=manager,
        lock=_lock(client, run, manager, notes),
        diff=diff or "",
        reproduces=run.info.run_id,
        reuse=False,
    )
    _note_code(run, diff, notes)
    if request.backend != "local" and not given.get("backend_config"):
        notes.append(f"the configuration of backend {request.backend!r} is not recorded: give it by --backend-config")
    wanted: RunRequest = evolve(request, **given)  # type: ignore[arg-type]  # fields by name
    return Reproduction(wanted, tuple(notes))


def _uri(run: Run) -> str:
    found = run.data.tags.get(run_tags.URI) or run.data.tags.get(tags.SOURCE_NAME)
    if not found:
        raise ProjectError(f"run {run.info.run_id!r} does not say where its project came from")
    path, mark, subdirectory = found.partition("#")
    repo_url = run.data.tags.get(run_tags.GIT_REPO_URL)
    if path.startswith("/") and not Path(path).exists() and repo_url:
        raise ProjectError(
            f"the directory {path!r} of run {run.info.run_id!r} is gone; its repository was {repo_url!r}: "
            f"mlcore run {repo_url}{mark}{subdirectory} -v {run.data.tags.get(tags.GIT_COMMIT)}"
        )
    return found


def _parameters(run: Run, changed: Mapping[str, object]) -> dict[str, object]:
    """Return what was given to *run*; values that are *changed* need not be known."""
    text = run.data.tags.get(run_tags.PARAMETERS)
    if text is None:  # recorded by MLflow, which keeps the params alone
        return dict(run.data.params)
    try:
        found: dict[str, object] = json.loads(text)
    except json.JSONDecodeError:  # cut by the store, which keeps a part of a long tag
        found = dict(run.data.params)
    hidden = [
        name for name, value in found.items() if isinstance(value, str) and _MASK in value and name not in changed
    ]
    if hidden:
        joined = " and ".join(map(repr, hidden))
        raise ProjectError(
            f"parameter {joined} of run {run.info.run_id!r} holds a password, which is not recorded: give it again by "
            + " ".join(f"-P {name}=..." for name in hidden)
        )
    return found


def _note_code(run: Run, diff: str | None, notes: list[str]) -> None:
    kept = run.data.tags
    if tags.GIT_COMMIT not in kept:
        notes.append("the code was in no repository: it is taken as it is now, which may differ")
    elif kept.get(run_tags.GIT_DIRTY) == "true" and not diff:
        notes.append(f"the code had changes since commit {kept[tags.GIT_COMMIT]}, which were not kept")


def _lock(client: Client, run: Run, manager: str | None, notes: list[str]) -> tuple[str, ...] | None:
    """Return the exact requirements for an environment of its own; of the running one tell what differs."""
    text = _artifact(client, run.info.run_id, run_tags.LOCK)
    if text is None:
        notes.append("the run has no lock of its environment: versions are resolved anew")
        return None
    lock = tuple(line for line in text.splitlines() if line)
    recorded = json.loads(_artifact(client, run.info.run_id, run_tags.ENVIRONMENT) or "{}")
    if manager in (None, "local"):
        from mlcore.projects.environments import running_lock

        here = set(running_lock())
        differ = [line for line in lock if line not in here]
        if differ:
            more = f" and {len(differ) - _NAMED} more" if len(differ) > _NAMED else ""
            notes.append(f"the running environment is another one: it lacks {', '.join(differ[:_NAMED])}{more}")
        python = recorded.get("python")
        if python and python != platform.python_version():
            notes.append(f"Python was {python}, and is {platform.python_version()} here")
    if recorded.get("image") and not any(line.startswith("docker-image") for line in lock):
        notes.append(f"the image {recorded['image']!r} is taken by its name, which may mean another one now")
    if recorded.get("platform") not in (None, platform.platform()):
        notes.append(f"the machine was {recorded['platform']}, and this one is {platform.platform()}")
    return None if manager in (None, "local") else lock


def _artifact(client: Client, run_id: str, path: str) -> str | None:
    with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
        try:
            return Path(client.download_artifacts(run_id, path, folder)).read_text("utf-8")
        except ArtifactNotFoundError:
            return None
