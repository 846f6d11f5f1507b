"""Start runs: new ones with their context, nested ones, resumed ones."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import evolve

from mlcore.entities import Batch, LifecycleStage, Run, RunChange, RunStatus, RunTag
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import TrackingStore
from mlcore.tracking import active, tags
from mlcore.tracking.client import new_run
from mlcore.tracking.events import announce
from mlcore.tracking.experiments import active_experiment_id
from mlcore.tracking.heartbeat import first
from mlcore.tracking.offline import begin, change_store, resumed
from mlcore.tracking.run_handle import ActiveRun
from mlcore.tracking.session import Session
from mlcore.wire import limits

_RESUME_VARIABLES = ("MLCORE_RUN_ID", "MLFLOW_RUN_ID")


def resumed_run_id(session: Session) -> str | None:
    """Return the run that the environment, or the session's settings, say to resume, once.

    Once, and the variables are removed, so that a second run of this process, and children started later, do not
    write into the same run.
    """
    found = [value for name in _RESUME_VARIABLES if (value := os.environ.pop(name, None))]
    return found[0] if found else session.take_run_id()


def resume(session: Session, run_id: str, experiment_id: str | None) -> ActiveRun:
    """Open an existing run again, RUNNING, with its old start time and no end; join it if this process has it open.

    Raises InvalidStateError: it is deleted. InvalidParameterError: it is in another experiment than the one chosen.
    """
    chosen = experiment_id or session.experiment_id
    run = resumed(session, run_id, chosen)
    run_id = run.info.run_id
    if run.info.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidStateError(f"cannot start run {run_id!r} because it is deleted: restore it with restore_run first")
    if chosen is not None and session.pending_experiments.get(chosen) is None and chosen != run.info.experiment_id:
        raise InvalidParameterError(
            f"cannot start run {run_id!r}: it is in experiment {run.info.experiment_id!r}, the active experiment is "
            f"{chosen!r}; set_experiment(experiment_id={run.info.experiment_id!r}) first"
        )
    here = (*active.stack(), *active.open_runs.all())
    if any(r.run_id == run_id and not r.is_ended for r in here):
        return ActiveRun(run, session.tracking_uri, session, joined=True)
    opened = ActiveRun(_again(session, run), session.tracking_uri, session)
    announce(session, "run_resumed", opened.info)
    return opened


def _again(session: Session, run: Run) -> Run:
    """Let a run go on: in its store or, when that is down, through its journal; return it."""

    def reopen(store: TrackingStore, run_id: str) -> Run:
        _reopen(store, run, session.settings.heartbeat_s)
        return store.get_run(run_id)

    session.recorder().flush(run.info.run_id)
    found = change_store(session, run.info.run_id, reopen, otherwise=RunChange(status=RunStatus.RUNNING))
    return found or evolve(run, info=evolve(run.info, status=RunStatus.RUNNING))


def _reopen(store: TrackingStore, run: Run, period_s: float) -> None:
    """Let a run go on, with a heartbeat of this process first, lest somebody takes it for lost at once."""
    run_id, beat = run.info.run_id, first(period_s)
    if beat:
        store.log_batch(run_id, Batch(tags=tuple(RunTag(key, value) for key, value in beat.items())))
    store.update_run(run_id, RunChange(status=RunStatus.RUNNING))
    for key in (tags.LOST, *(() if beat else (tags.HEARTBEAT,))):
        if key in run.data.tags:
            store.delete_tag(run_id, key)


def create(
    session: Session,
    *,
    experiment_id: str | None,
    run_name: str | None,
    parent_run_id: str | None,
    description: str | None,
    given: Mapping[str, object],
    in_context: bool = True,
) -> ActiveRun:
    """Create a run; tags by the user win over those that the run-context plugins find.

    in_context: the run is about the code of this process; else those plugins are not asked.
    """
    own: dict[str, object] = {}
    if parent_run_id:
        own[tags.PARENT_RUN_ID] = parent_run_id
    if description:
        if tags.NOTE in given:
            raise InvalidParameterError(f"description and the tag {tags.NOTE!r} are both given; give one of them")
        own[tags.NOTE] = description
    found: dict[str, object] = {}
    for gathered in session.plugins.every(HookSpecs.run_context) if in_context else ():
        found.update(gathered)
    new = new_run(
        experiment_id or active_experiment_id(session),
        run_name,
        {**found, **dict(limits.pairs("tags", given)), **own, **first(session.settings.heartbeat_s)},
        truncate=session.settings.truncate_long_values,
    )
    try:
        run: Run = begin(session, new)
    except NotFoundError as err:
        if experiment_id is None and session.experiment_id is None:
            err.add_note(
                f"the experiment's id comes from {session.settings.origins.get('experiment_id', 'the settings')}"
            )
        raise
    started = ActiveRun(run, session.tracking_uri, session)
    announce(session, "run_started", started.info)
    return started


def usable_parent(session: Session, run_id: str) -> str:
    """Return *run_id* if other runs can be nested in it. Raises InvalidStateError: it is deleted."""
    parent = resumed(session, run_id, None)
    if parent.info.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidStateError(
            f"cannot start a run below run {run_id!r} because that is deleted: restore it with restore_run first"
        )
    return parent.info.run_id
