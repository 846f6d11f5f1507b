"""Where a project's run belongs: its experiment, and the run below which it is nested."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from mlcore.errors import InvalidParameterError, MlcoreError
from mlcore.tracking import active
from mlcore.tracking.experiments import usable_experiment
from mlcore.tracking.offline import experiment_called
from mlcore.wire import limits

if TYPE_CHECKING:
    from mlcore.projects.request import RunRequest
    from mlcore.tracking.session import Session

_VARIABLES = ("MLCORE_RUN_ID", "MLFLOW_RUN_ID")  # a project's command gets its own run in them

logger: logging.Logger = logging.getLogger(__name__)


def parent_of(session: Session, given: str | None) -> str | None:
    """Return the run below which a new one belongs; None when there is none.

    given: by the caller; else the active run of this program, else the run of the project whose command this is.
    Raises NotFoundError, InvalidStateError: the given one is not there, or is deleted.
    """
    from mlcore.tracking.starting import usable_parent

    if given:
        return usable_parent(session, given)
    running = active.parent_of_nested()
    if running is not None:
        return running.run_id
    found = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), None)
    if found is None:
        return None
    try:
        return usable_parent(session, limits.check_run_id(found))
    except MlcoreError as err:
        logger.warning("the run is not nested in %s, which the environment names: %s", found, err.message)
        return None


def experiment_of(session: Session, request: RunRequest) -> str | None:
    """Return the id of the experiment that was asked for; None where the one of new runs is meant.

    Raises InvalidParameterError: a name and an id are given. InvalidStateError: it is deleted.
    """
    if request.experiment_name and request.experiment_id:
        raise InvalidParameterError(
            f"experiment_name {request.experiment_name!r} and experiment_id {request.experiment_id!r} are both given; "
            "give one of them"
        )
    if request.experiment_name:
        return experiment_called(session, limits.check_experiment_name(request.experiment_name)).experiment_id
    if request.experiment_id:
        checked = limits.check_experiment_id(str(request.experiment_id))
        return usable_experiment(session, checked).experiment_id
    return None
