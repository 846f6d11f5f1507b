"""Stop a project's run that another process attends, by what its tags say of its job."""

from __future__ import annotations

from mlcore.entities import RunState, RunStatus
from mlcore.errors import ProjectError
from mlcore.hookspecs import HookSpecs
from mlcore.projects import run_tags
from mlcore.tracking.client import Client
from mlcore.tracking.session import Session

_OPEN = (RunStatus.RUNNING, RunStatus.SCHEDULED)


def cancel(run_id: str, session: Session) -> bool:
    """Stop the job of a run; who attends the run ends it as KILLED, and if nobody does, this does.

    A job of the backend `local` is stopped on its own machine.
    Returns False when the run has ended already. Raises ProjectError: it is no project's run, or has no job yet.
    NotFoundError: no such run, or its backend does not know the job.
    """
    client = Client(session=session)
    run = client.get_run(run_id)
    if run.info.status not in _OPEN:
        return False
    job_id, name = run.data.tags.get(run_tags.JOB_ID), run.data.tags.get(run_tags.BACKEND)
    if not name:
        raise ProjectError(f"run {run_id!r} is no run of a project: end the process that records it")
    is_lost = run.state is RunState.LOST
    if job_id:
        session.plugins.first(HookSpecs.project_backend, name=name).cancel(job_id)
    elif not is_lost:
        raise ProjectError(f"run {run_id!r} has no job yet, as its environment is being made: try again later")
    if is_lost:
        client.set_terminated(run_id, RunStatus.KILLED)
    return True
