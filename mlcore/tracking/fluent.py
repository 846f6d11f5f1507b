"""The fluent API on runs: `start_run`, `log_metric`, ... with MLflow's names and signatures.

`synchronous` is accepted where MLflow has it; every call here returns when the store has the data.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import BinaryIO

from mlcore.entities import DatasetInput, RunStatus
from mlcore.errors import InvalidStateError
from mlcore.tracking import active
from mlcore.tracking.client import run_status
from mlcore.tracking.datasets import LoggedDataset
from mlcore.tracking.run_handle import ActiveRun, RunHandle, status_of
from mlcore.tracking.session import current_session
from mlcore.tracking.starting import announce, create, resume, resumed_run_id


class _LastRun:
    """The id of the run that was started last, for `last_active_run`."""

    run_id: str | None = None


_last = _LastRun()


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
) -> ActiveRun:
    """Start a run, or resume one, and make it the active run of this context.

    run_id: resume this run; so does the environment variable MLCORE_RUN_ID (or MLFLOW_RUN_ID), once.
    nested: allow it inside an active run, which becomes its parent.
    description: markdown, kept in the tag `mlflow.note.content`.
    Returns a context manager: at the end of its block the run is FINISHED, or FAILED when the block raised.
    Raises InvalidStateError: a run is active already and *nested* is not set.
    """
    session = current_session()
    outer = active.stack()
    running = next((r for r in reversed(outer) if not r.is_ended), None)
    if running is not None and not nested:
        raise InvalidStateError(
            f"run {running.run_id!r} is already active: end it with mlcore.end_run() before a new one is started, or "
            "start a nested run with start_run(nested=True)"
        )
    resumed = run_id or resumed_run_id(session)
    if resumed:
        run = resume(session, resumed, experiment_id)
    else:
        parent = parent_run_id or (running.run_id if running is not None else None)
        run = create(
            session,
            experiment_id=str(experiment_id) if experiment_id is not None else None,
            run_name=run_name,
            parent_run_id=parent,
            description=description,
            given=tags or {},
        )
    if resumed and tags:
        run.set_tags(tags)
    active.push(run)
    _last.run_id = run.run_id
    return run


def end_run(status: RunStatus | str = RunStatus.FINISHED) -> None:
    """End the active run; does nothing when there is none."""
    ended = run_status(status)
    run = active.innermost()
    if run is not None:
        run.end(ended)
        announce(current_session(), "run_ended", run, status=str(ended))


def active_run() -> ActiveRun | None:
    """Return the run that fluent calls mean here; None when there is none. See docs/tracking.md for threads."""
    return active.innermost()


def last_active_run() -> RunHandle | None:
    """Return the active run, or a handle of the one that was started last in this process."""
    return active.innermost() or (RunHandle(_last.run_id) if _last.run_id else None)


def _run(run_id: str | None = None) -> RunHandle:
    """The handle that a fluent call records into; starts a run when none is active, as MLflow does."""
    if run_id is not None:
        mine = active.innermost()
        return mine if mine is not None and mine.run_id == run_id else RunHandle(run_id)
    return active.innermost() or start_run()


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Record one point of a metric; see `RunHandle.log_metric`."""
    _run(run_id).log_metric(key, value, step, timestamp)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Record one point of each metric, all with the same step and timestamp."""
    _run(run_id).log_metrics(metrics, step, timestamp)


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """Record a param and return its value. Raises ParamConflictError: it has another value already."""
    _run().log_param(key, value)
    return value


def log_params(params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None) -> None:
    """Record params. Raises ParamConflictError: one has another value already."""
    _run(run_id).log_params(params)


def set_tag(key: str, value: object, synchronous: bool | None = None) -> None:
    """Set a tag over any earlier value."""
    _run().set_tag(key, value)


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> None:
    """Set tags over any earlier values."""
    _run().set_tags(tags)


def delete_tag(key: str) -> None:
    """Remove a tag. Raises NotFoundError: the run has no such tag."""
    _run().delete_tag(key)


def log_input(dataset: LoggedDataset, context: str | None = None, tags: Mapping[str, str] | None = None) -> None:
    """Record that the run read *dataset* (see `mlcore.data`); *context* says what for, such as `training`."""
    _run().log_input(dataset, context, tags)


def log_inputs(
    datasets: Sequence[LoggedDataset],
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, str] | None] | None = None,
) -> None:
    """Record several datasets at once, each with its context and tags."""
    every_context = contexts or [None] * len(datasets)
    every_tags = tags_list or [None] * len(datasets)
    inputs: list[DatasetInput] = [
        d.as_input(c, t or {}) for d, c, t in zip(datasets, every_context, every_tags, strict=True)
    ]
    _run().log_inputs(inputs)


def log_artifact(local_path: str | PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Store a file or directory below *artifact_path* of the run."""
    _run(run_id).log_artifact(local_path, artifact_path)


def log_artifacts(local_dir: str | PathLike[str], artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Store the content of a directory below *artifact_path* of the run."""
    _run(run_id).log_artifacts(local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Store *text* as a UTF-8 file."""
    _run(run_id).log_text(text, artifact_file)


def log_dict(dictionary: object, artifact_file: str, run_id: str | None = None) -> None:
    """Store a dict or list as YAML (`.yml`, `.yaml`) or JSON (any other name)."""
    _run(run_id).log_dict(dictionary, artifact_file)


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Store all that a binary stream yields."""
    _run(run_id).log_stream(stream, artifact_file)


def log_figure(figure: object, artifact_file: str, *, save_kwargs: Mapping[str, object] | None = None) -> None:
    """Store a matplotlib or plotly figure in the format that the file's name asks for."""
    _run().log_figure(figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: object,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = None,
) -> None:
    """Store an image by name, or as one of a series by key, step and timestamp."""
    _run().log_image(image, artifact_file, key, step, timestamp)


def log_table(data: object, artifact_file: str, run_id: str | None = None) -> None:
    """Store a table (DataFrame or dict of columns) as `.json` or `.parquet`, appended to what is there."""
    _run(run_id).log_table(data, artifact_file)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Return the URI of the active run's artifact root, or of a path below it."""
    return _run().get_artifact_uri(artifact_path)


def _end_open_runs() -> None:
    """End what is open when the process exits; an unhandled exception makes it FAILED, Ctrl-C KILLED."""
    error = getattr(sys, "last_value", None)
    for run in reversed(active.open_runs.all()):
        run.end(status_of(error))


def _forget_last_run() -> None:
    _last.run_id = None


atexit.register(_end_open_runs)
os.register_at_fork(after_in_child=_forget_last_run)
