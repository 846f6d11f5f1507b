"""`mlcore.projects.run`: run a project here and now, or leave it to a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from mlcore.entities import RunStatus
from mlcore.errors import ExecutionError, ProjectError
from mlcore.projects.attending import attend
from mlcore.projects.plan import Plan
from mlcore.projects.preparing import prepare
from mlcore.projects.request import RunRequest
from mlcore.projects.spec import MAIN
from mlcore.projects.stopping import heard
from mlcore.projects.submitted import SubmittedRun
from mlcore.tracking.session import Session, current_session

__all__ = ["Plan", "RunRequest", "config_of", "prepare", "run", "run_request"]


def run(
    uri: str | PathLike[str],
    entry_point: str = MAIN,
    version: str | None = None,
    parameters: Mapping[str, object] | None = None,
    docker_args: Mapping[str, str | bool] | None = None,
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    backend: str = "local",
    backend_config: Mapping[str, object] | str | PathLike[str] | None = None,
    storage_dir: str | PathLike[str] | None = None,
    synchronous: bool = True,
    run_id: str | None = None,
    run_name: str | None = None,
    env_manager: str | None = None,
    build_image: bool = False,
    docker_auth: Mapping[str, str] | None = None,
    *,
    reuse: bool | None = None,
    timeout_s: float | None = None,
) -> SubmittedRun:
    """Run a project and record it, with the names and the meaning of `mlflow.projects.run`.

    uri: a directory, a Git repository, a zip archive or the URI of an artifact; `#subdirectory` for a part of it.
    version: branch, tag or commit. parameters: by name; what the entry point does not declare becomes `--name value`.
    backend_config: a mapping, or the path of a JSON file. storage_dir: for downloaded inputs.
    synchronous: wait for the end; else a process of its own attends the run, and this one may exit.
    run_id: an existing run to record into. env_manager: chosen by the project when not given.
    reuse: whether a finished run of the same code, parameters and inputs stands for this one; None: for steps, which are
    runs below another one. timeout_s: how long the command may take, in seconds.
    The run is nested in the active run, or in the run of the project whose command calls this.
    Raises ProjectError: it cannot be run as asked, nothing was started. ExecutionError: the command failed, or was
    stopped; only when synchronous.
    """
    if docker_auth:
        raise ProjectError("docker_auth is not supported: log in with the engine's own `docker login`")
    request = RunRequest(
        uri=str(uri) if isinstance(uri, PathLike) else uri,
        entry_point=entry_point,
        version=version,
        parameters={} if parameters is None else parameters,
        docker_args={} if docker_args is None else docker_args,
        experiment_name=experiment_name,
        experiment_id=experiment_id,
        backend=backend,
        backend_config=config_of(backend_config),
        storage_dir=Path(storage_dir) if storage_dir else None,
        run_id=run_id,
        run_name=run_name,
        env_manager=env_manager,
        build_image=build_image,
        reuse=reuse,
        timeout_s=timeout_s,
    )
    return run_request(request, current_session(), synchronous=synchronous)


def run_request(request: RunRequest, session: Session, *, synchronous: bool = True) -> SubmittedRun:
    """Run what is asked for; see `run`."""
    with heard() as stop:
        plan = prepare(request, session, stop)
        if plan.reused:
            said = (
                f"{plan.entry_point}: run {plan.run_id} of before is taken, as code, parameters and inputs are the same"
            )
            print(said, file=sys.stderr, flush=True)  # where the step's output would have been
            return SubmittedRun(plan.run_id, session, reused=True)
        if not synchronous:
            from mlcore.projects.watching import detach

            watcher = detach(plan, session)
            stop.attended()
            return SubmittedRun(plan.run_id, session, watcher=watcher)
        outcome = attend(plan, session, show, stop)
    if outcome.status is not RunStatus.FINISHED:
        raise ExecutionError(f"run {plan.run_id} of project {plan.job.name!r} is {outcome.status}: {outcome.message}")
    return SubmittedRun(plan.run_id, session)


def show(piece: bytes) -> None:
    """Write a piece of a job's output to standard output as it is."""
    sys.stdout.flush()
    raw = getattr(sys.stdout, "buffer", None)  # a notebook's standard output takes text only
    if raw is not None:
        raw.write(piece)
    else:
        sys.stdout.write(piece.decode("utf-8", "replace"))
    sys.stdout.flush()


def config_of(given: Mapping[str, object] | str | PathLike[str] | None) -> dict[str, object]:
    """Return the configuration of a backend: a mapping, JSON text that begins with a brace, or a JSON file.

    Raises ProjectError: it cannot be read, or is no JSON object.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, (str, PathLike)):
        raise ProjectError(f"backend_config is {given!r}; expected a mapping, JSON text as '{{...}}', or a JSON file")
    text = str(given)
    if text.lstrip().startswith("{") or _is_json(text):
        where = "the backend configuration"
    else:
        where = f"backend configuration {text!r}"
        try:
            text = Path(text).read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as err:
            why = err.strerror if isinstance(err, OSError) else str(err)
            raise ProjectError(
                f"{where} can't be read: {why}; expected a JSON file, or JSON text as '{{...}}'"
            ) from err
    try:
        found = json.loads(text)
    except json.JSONDecodeError as err:
        raise ProjectError(f"{where} is not JSON: {err}") from err
    if not isinstance(found, dict):
        raise ProjectError(f"{where}: expected a JSON object as '{{...}}', got {found!r}")
    return found


def _is_json(text: str) -> bool:
    """Return whether *text* is a JSON value that no object is, and no file's name."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return not Path(text).exists()
