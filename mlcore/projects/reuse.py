"""Take the finished run of a step in place of a new one, when all that it was made from is the same.

What a run has made is noted when it ends, so that a run whose artifacts somebody changed or deleted does not count.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mlcore.entities import Run
from mlcore.errors import MlcoreError, StoreUnavailableError
from mlcore.projects import run_tags

if TYPE_CHECKING:
    from mlcore.entities import RunInfo
    from mlcore.projects.request import RunRequest
    from mlcore.settings import Settings
    from mlcore.tracking.client import Client
    from mlcore.tracking.run_handle import RunHandle
    from mlcore.tracking.session import Session

OUTPUTS = "mlcore.project.outputs"  # digest of the artifacts that the run had when it ended
REUSED = (
    "mlcore.project.reused."  # of a parent: followed by the id of the run that it reused; the value is the entry point
)
VARIABLE = "MLCORE_REUSE_STEPS"

_LOOKED_AT = 20  # runs with the same fingerprint; whoever deletes artifacts does it to more than one

logger: logging.Logger = logging.getLogger(__name__)


def earlier(request: RunRequest, fingerprint: str, entry_point: str, session: Session) -> RunInfo | None:
    """Return the finished run that stands for the one that is asked for; None when it is to be a new one.

    The parent, if there is one, tells that it was taken.
    """
    from mlcore.tracking.client import Client
    from mlcore.tracking.experiments import active_experiment_id
    from mlcore.tracking.offline import ask_store

    parent_run_id = request.parent_run_id
    if not is_wanted(request.reuse, is_step=bool(parent_run_id), settings=session.settings):
        return None
    client = Client(session=session)
    experiment_id = request.experiment_id or active_experiment_id(session)
    try:
        found = ask_store(session, lambda _: finished(client, experiment_id, fingerprint, session))
    except StoreUnavailableError as err:  # recording goes on without the store, and so do steps
        logger.warning("whether step %r was run before is not known: %s", entry_point, err.message)
        return None
    if found is None or found.info.run_id == parent_run_id:
        return None
    if parent_run_id:
        client.set_tag(parent_run_id, f"{REUSED}{found.info.run_id}", entry_point)
    return found.info


def is_wanted(asked: bool | None, *, is_step: bool, settings: Settings) -> bool:
    """Whether a finished run may stand for a new one: as asked, else for steps, as the setting `reuse_steps` says."""
    return (is_step and settings.reuse_steps) if asked is None else asked


def finished(client: Client, experiment_id: str, fingerprint: str, session: Session) -> Run | None:
    """Return the newest finished run with the fingerprint whose artifacts are as they were at its end.

    None where there is none, and for an empty fingerprint.
    """
    if not fingerprint:
        return None
    found = client.search_runs(
        [experiment_id],
        f"tags.`{run_tags.FINGERPRINT}` = '{fingerprint}' AND attributes.status = 'FINISHED'",
        order_by=["attributes.start_time DESC"],
        max_results=_LOOKED_AT,
    )
    return next((run for run in found if _is_whole(client, run, session)), None)


def note_outputs(run: RunHandle, session: Session) -> None:
    """Note what artifacts a run has that ends; to be called once it has recorded them all."""
    from mlcore.projects import outputs

    try:
        run.set_tag(OUTPUTS, outputs.digest(run, session))
    except MlcoreError as err:  # it will not be reused, and is finished all the same
        logger.warning("run %s can't be reused, as its artifacts can't be looked at: %s", run.run_id, err.message)


def _is_whole(client: Client, run: Run, session: Session) -> bool:
    noted = run.data.tags.get(OUTPUTS)
    if noted is None:  # it did not end as a project's run does
        return False
    from mlcore.projects import outputs

    try:
        return outputs.digest(client.run(run.info.run_id), session) == noted
    except MlcoreError:  # a place that does not answer cannot give the step's results to anybody
        return False
