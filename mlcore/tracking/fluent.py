"""The fluent API on runs: `start_run`, `log_metric`, ... with MLflow's names and signatures.

A call returns when what it records is in a journal; a thread brings it to the store. With `synchronous=True` it waits
for the store and raises what that says; with `synchronous=False` it returns a `Delivery`, whose `wait()` does so.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from os import PathLike
from typing import BinaryIO

from mlcore.entities import Run, RunStatus
from mlcore.errors import InvalidParameterError, InvalidStateError
from mlcore.tracking import active, exits, monitors
from mlcore.tracking.datasets import LoggedDataset, as_inputs
from mlcore.tracking.endings import ending
from mlcore.tracking.heartbeat import heart
from mlcore.tracking.recorder import Delivery
from mlcore.tracking.run_handle import ActiveRun, RunHandle
from mlcore.tracking.session import current_session
from mlcore.tracking.starting import create, resume, resumed_run_id, usable_parent
from mlcore.tracking.unsupported import refuse_logged_models
from mlcore.wire import limits

logger: logging.Logger = logging.getLogger(__name__)


class _Started:
    """What starting leaves behind in this process: the last run, and a lock for runs that logging starts."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.last: RunHandle | None = None
        self.lock = threading.RLock()


_started = _Started()
os.register_at_fork(after_in_child=_started.forget)  # a child has started nothing, and nobody holds its lock


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or resume one, and make it the active run of this context.

    run_id: resume this run; so does the environment variable MLCORE_RUN_ID (or MLFLOW_RUN_ID), once. A run that this
    process has open is joined: the end of the block leaves it as it is.
    nested: allow it inside an active run, which becomes its parent.
    parent_run_id: nest it in this run instead.
    description: markdown, kept in the tag `mlflow.note.content`.
    log_system_metrics: whether plugins such as mlcore-system-metrics watch the machine while the run goes on; None
    leaves it to the setting of that name.
    Returns a context manager: at the end of its block the run is FINISHED, or FAILED when the block raised.
    Raises InvalidStateError: a run is active already and *nested* is not set. PluginNotFoundError: system metrics are
    asked for, and no plugin that records them is installed.
    """
    session = current_session()
    is_watched = monitors.are_wanted(session, log_system_metrics)
    running = active.running()
    if running is not None and not nested:
        raise InvalidStateError(
            f"run {running.run_id!r} is already active: end it with mlcore.end_run() before a new one is started, or "
            "start a nested run with start_run(nested=True)"
        )
    experiment = limits.check_experiment_id(experiment_id) if experiment_id not in (None, "") else None
    resumed = run_id or resumed_run_id(session)
    if resumed:
        run = resume(session, resumed, experiment)
    else:
        outer = active.parent_of_nested() if nested and parent_run_id is None else None
        parent = usable_parent(session, parent_run_id) if parent_run_id else outer.run_id if outer else None
        run = create(
            session,
            experiment_id=experiment,
            run_name=run_name,
            parent_run_id=parent,
            description=description,
            given=tags or {},
        )
    if resumed and tags:
        run.set_tags(tags)
    active.push(run)
    exits.watch()
    heart.watch(run)
    if is_watched and not run.is_joined:
        run.monitors.begin()
    _started.last = run
    return run


def end_run(status: RunStatus | str = RunStatus.FINISHED) -> None:
    """End the active run as FINISHED, FAILED or KILLED; does nothing when there is none."""
    final = ending(status)
    run = active.innermost()
    if run is not None:
        run.end(final)


def active_run() -> ActiveRun | None:
    """Return the run that fluent calls mean here; None when there is none. See docs/tracking.md for threads."""
    return active.innermost()


def last_active_run() -> ActiveRun | Run | None:
    """Return the active run, or else the one that was started last in this process, with all that it recorded."""
    return active.innermost() or (_started.last.stored() if _started.last is not None else None)


def flush_async_logging() -> None:
    """Wait until everything recorded so far is in its store; as long as the store takes, in bounded time when it fails."""
    if not current_session().flush():
        logger.warning("not everything that was recorded is in its store yet; it is delivered later")


def flush_artifact_async_logging() -> None:
    """Return at once: artifacts are in their repository when the call that logs them returns."""


def _run(run_id: str | None = None) -> RunHandle:
    """The handle that a fluent call records into; starts a run when none is active, as MLflow does."""
    if run_id is not None:
        mine = active.running()
        return mine if mine is not None and mine.run_id == run_id else RunHandle(run_id)
    run = active.innermost()
    if run is None:
        with _started.lock:  # of threads that log at the same time one starts the run, the others find it
            run = active.innermost() or start_run()
    return run


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> Delivery | None:
    """Record one point of a metric; see `RunHandle.log_metric`.

    model_id, dataset: None; MLflow's logged models are not kept, so that anything else is refused.
    """
    if model_id is not None or dataset is not None:
        refuse_logged_models(model_id=model_id, dataset=dataset)
    run: RunHandle | None = active.innermost() if run_id is None else None
    if run is None:
        run = _run(run_id)
    if synchronous is not None:
        return run.delivered(partial(run.log_metric, key, value, step, timestamp), synchronous)
    run.log_metric(key, value, step, timestamp)
    return None


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: object = None,
) -> Delivery | None:
    """Record one point of each metric, all with the same step and timestamp; for the rest see `log_metric`."""
    if model_id is not None or dataset is not None:
        refuse_logged_models(model_id=model_id, dataset=dataset)
    run: RunHandle | None = active.innermost() if run_id is None else None
    if run is None:
        run = _run(run_id)
    if synchronous is not None:
        return run.delivered(partial(run.log_metrics, metrics, step, timestamp), synchronous)
    run.log_metrics(metrics, step, timestamp)
    return None


def log_param(key: str, value: object, synchronous: bool | None = None) -> object:
    """Record a param and return its value. Raises ParamConflictError: it has another value already."""
    run = _run()
    if synchronous is not None:
        return run.delivered(partial(run.log_param, key, value), synchronous) or value
    run.log_param(key, value)
    return value


def log_params(
    params: Mapping[str, object], synchronous: bool | None = None, run_id: str | None = None
) -> Delivery | None:
    """Record params. Raises ParamConflictError: one has another value already."""
    run = _run(run_id)
    if synchronous is not None:
        return run.delivered(partial(run.log_params, params), synchronous)
    run.log_params(params)
    return None


def set_tag(key: str, value: object, synchronous: bool | None = None) -> Delivery | None:
    """Set a tag over any earlier value."""
    run = _run()
    if synchronous is not None:
        return run.delivered(partial(run.set_tag, key, value), synchronous)
    run.set_tag(key, value)
    return None


def set_tags(tags: Mapping[str, object], synchronous: bool | None = None) -> Delivery | None:
    """Set tags over any earlier values."""
    run = _run()
    if synchronous is not None:
        return run.delivered(partial(run.set_tags, tags), synchronous)
    run.set_tags(tags)
    return None


def delete_tag(key: str) -> None:
    """Remove a tag. Raises NotFoundError: the run has no such tag."""
    _run().delete_tag(key)


def log_input(
    dataset: LoggedDataset | None = None,
    context: str | None = None,
    tags: Mapping[str, str] | None = None,
    model: object = None,
) -> None:
    """Record that the run read *dataset* (see `mlcore.data`); *context* says what for, such as `training`.

    model: None; MLflow's logged models are not kept, so that anything else is refused.
    """
    refuse_logged_models(model=model)
    if dataset is None:
        raise InvalidParameterError("log_input got no dataset, expected one such as mlcore.data.from_pandas(df)")
    _run().log_input(dataset, context, tags)


def log_inputs(
    datasets: Sequence[LoggedDataset] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, str] | None] | None = None,
    models: object = None,
) -> None:
    """Record several datasets at once, each with its context and tags; for *models* see `log_input`."""
    refuse_logged_models(models=models)
    inputs = as_inputs(datasets or (), contexts, tags_list)
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
