"""Create in the store a run that began without it."""

from __future__ import annotations

from attrs import evolve

from mlcore.delivery.spool import RunFolder
from mlcore.entities import Experiment, RunCreation
from mlcore.errors import AlreadyExistsError, NotFoundError
from mlcore.interfaces import TrackingStore


def create(store: TrackingStore, folder: RunFolder, creation: RunCreation) -> str:
    """Create the run and note what the store made of it; return the id that it has there.

    A second call finds the run of the first. Raises what the store raises.
    """
    new = creation.new
    if creation.experiment_name is not None:
        new = evolve(new, experiment_id=_experiment(store, creation.experiment_name).experiment_id)
    run = store.create_run(new)
    chosen = run.info.run_id if run.info.run_id != new.run_id else None
    folder.note(server_run_id=chosen, artifact_uri=run.info.artifact_uri, is_pending=False)
    return run.info.run_id


def _experiment(store: TrackingStore, name: str) -> Experiment:
    found = store.get_experiment_by_name(name)
    if found is None:
        try:
            return store.create_experiment(name, artifact_location=None, tags={})
        except AlreadyExistsError:
            found = store.get_experiment_by_name(name)  # somebody else was first
    if found is None:
        raise NotFoundError(f"experiment {name!r} was removed while a run was created in it; try again")
    return found
