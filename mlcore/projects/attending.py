"""Attend a project's run: its environment, its job, its output and its end."""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ProjectBackend, SupportsForgetting
from mlcore.projects import environments, reuse, run_tags
from mlcore.projects.environments import Placed
from mlcore.projects.following import Output
from mlcore.projects.outcome import Outcome
from mlcore.projects.plan import Plan
from mlcore.projects.preparing import delete
from mlcore.projects.running_lock import running_lock
from mlcore.projects.stopping import Stop, Stopped
from mlcore.projects.waiting import Waiting
from mlcore.tracking import active
from mlcore.tracking.endings import Ending, ending_of
from mlcore.tracking.heartbeat import heart
from mlcore.tracking.offline import resumed
from mlcore.tracking.reach import Question
from mlcore.tracking.run_handle import ActiveRun
from mlcore.tracking.session import Session

logger: logging.Logger = logging.getLogger(__name__)


def attend(
    plan: Plan, session: Session, on_output: Callable[[bytes], None] | None = None, stop: Stop | None = None
) -> Outcome:
    """Run what was made ready to its end, and end its run as its command did.

    on_output: gets the output in pieces as it comes, in a thread of its own; what it raises as OSError ends that only.
    stop: by which others make the job stop; the run is KILLED then.
    Raises MlcoreError: the environment or the job could not be made; the run is FAILED and says why. Whatever else is
    raised ends the run, too.
    """
    wish = stop or Stop()
    try:
        with _Attended(plan, session, wish) as end, tempfile.TemporaryDirectory(prefix="mlcore-run-") as folder:
            output = Output(Path(folder) / "output.log", on_output)
            try:
                outcome = _ran(plan, session, end.run, output, wish)
            except MlcoreError as err:
                output.add(err.message)
                raise
            finally:
                with wish.held():
                    output.keep(end.run)
            if plan.fingerprint and outcome.status is RunStatus.FINISHED:
                reuse.note_outputs(end.run, session)
            end.outcome = outcome
    finally:
        delete(plan.temporary)
    return outcome


def _taken_over(plan: Plan, session: Session) -> ActiveRun:
    """Return the run as this process's, which gives its heartbeats from now on."""
    run = ActiveRun(resumed(session, plan.run_id, plan.experiment_id), session.tracking_uri, session)
    run.is_attended = True
    active.open_runs.add(run)
    heart.watch(run)
    return run


class _Attended:
    """Ends the run at the end of the block, whatever leaves it."""

    def __init__(self, plan: Plan, session: Session, stop: Stop) -> None:
        self.outcome: Outcome | None = None
        self.run = _taken_over(plan, session)
        self._stop = stop

    def __enter__(self) -> _Attended:
        self._stop.attended()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        with self._stop.held():
            try:
                self.run.end_as(self._ending(error))
            except MlcoreError as failed:
                if error is None:
                    raise
                error.add_note(f"and run {self.run.run_id!r} could not be ended: {failed}")

    def _ending(self, error: BaseException | None) -> Ending:
        if isinstance(error, Stopped):
            name = self._stop.signal_name
            return Ending(RunStatus.KILLED, message=f"stopped by {name}", signal=name)
        if isinstance(error, MlcoreError):  # said to the user, not a fault of the program: no traceback
            return Ending(RunStatus.FAILED, message=error.message)
        if error is not None or self.outcome is None:
            return ending_of(error)
        return self.outcome.ending


def _ran(plan: Plan, session: Session, run: ActiveRun, output: Output, stop: Stop) -> Outcome:
    backend = session.plugins.first(HookSpecs.project_backend, name=plan.backend)
    stop.check()
    if plan.job.environment is None:
        placed = environments.placed(plan.job, plan.environment, plan.manager, session.plugins)
    else:
        placed = Placed(plan.job, plan.manager, "", tuple)
    with stop.held():  # a job that nobody knows of must not be
        job_id = backend.submit(placed.job)
        waiting = Waiting(backend, job_id, plan.timeout_s, session.settings.patience_s)
        with stop.forwarding(waiting.forward):
            told = _told(plan, run, placed, job_id)
            output.follow(backend, job_id)
            outcome = waiting.outcome(stop)
        output.finish()
        told.join()
        if told.error is not None:
            logger.warning("not everything about the project could be kept with run %s: %s", run.run_id, told.error)
        _forgotten(backend, job_id)
    if outcome.status is RunStatus.FAILED:
        from mlcore.projects.missing_module import explained

        return explained(outcome, plan, placed, output)
    return outcome


def _told(plan: Plan, run: ActiveRun, placed: Placed, job_id: str) -> Question[None]:
    """Keep with the run what is known of its job, while that runs."""

    def tell() -> None:
        found = {run_tags.JOB_ID: job_id, run_tags.ENV_ID: placed.env_id}
        run.set_tags({key: value for key, value in found.items() if value})
        if plan.diff:
            run.log_text(plan.diff, run_tags.DIFF)
        is_running = plan.job.environment is None and placed.manager == environments.LOCAL
        lock = running_lock() if is_running else placed.lock()
        if lock:
            run.log_text("".join(f"{line}\n" for line in lock), run_tags.LOCK)
        run.log_dict(_environment(plan, placed), run_tags.ENVIRONMENT)

    told = Question(tell)
    told.start()
    return told


def _environment(plan: Plan, placed: Placed) -> dict[str, object]:
    import platform

    spec = plan.environment
    return {
        "manager": placed.manager,
        "id": placed.env_id or None,
        "python": spec.python or platform.python_version(),
        "platform": platform.platform(),
        "requirements": list(spec.requirements),
        "conda_packages": list(spec.conda_packages),
        "channels": list(spec.channels),
        "image": spec.image.name if spec.image is not None else None,
    }


def _forgotten(backend: ProjectBackend, job_id: str) -> None:
    if isinstance(backend, SupportsForgetting):
        with contextlib.suppress(MlcoreError, OSError):
            backend.forget(job_id)
