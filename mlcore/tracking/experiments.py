"""Which experiment new runs go to."""

from __future__ import annotations

from mlcore.entities import Experiment, LifecycleStage
from mlcore.errors import InvalidParameterError, InvalidStateError
from mlcore.tracking.offline import experiment_called, experiment_on_trust
from mlcore.tracking.session import Session
from mlcore.wire import limits

DEFAULT_EXPERIMENT_ID = "0"


def active_experiment_id(session: Session) -> str:
    """Return the experiment of new runs: set_experiment, else the setting by name, else by id, else the default.

    Raises InvalidParameterError: name and id are both set and mean different experiments.
    """
    if session.experiment_id is not None:
        return session.experiment_id
    settings = session.settings
    if settings.experiment_name:
        name = limits.check_experiment_name(settings.experiment_name)
        found = experiment_called(session, name).experiment_id
        by_id = settings.experiment_id
        if by_id and found in session.pending_experiments:
            return by_id
        if by_id and by_id != found:
            raise InvalidParameterError(
                f"experiment_name {settings.experiment_name!r} ({settings.origins['experiment_name']}) has the id {found!r}, "
                f"but experiment_id ({settings.origins['experiment_id']}) is {by_id!r}; set one of them"
            )
        return found
    return settings.experiment_id or DEFAULT_EXPERIMENT_ID


def usable_experiment(session: Session, experiment_id: str) -> Experiment:
    """Return an experiment if runs can be added to it; without a look at it, and its name, when the store is down.

    Raises InvalidStateError: it is deleted.
    """
    experiment = experiment_on_trust(session, experiment_id)
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidStateError(
            f"experiment {experiment.name!r} ({experiment_id}) is deleted: restore it "
            f"(mlcore experiments restore -x {experiment_id}) or use another one"
        )
    return experiment
