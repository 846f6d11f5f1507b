"""Create in the store a run that began without it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from mlcore.delivery.spool import RunFolder
from mlcore.entities import Batch, Experiment, LifecycleStage, Recorded, Run, RunCreation, RunTag
from mlcore.errors import AlreadyExistsError, InvalidStateError, NotFoundError
from mlcore.interfaces import ChoosesRunIds, TrackingStore

PARENT = "mlflow.parentRunId"


def create(store: TrackingStore, folder: RunFolder, creation: RunCreation) -> str:
    """Create the run and note what the store made of it; return the id that it has there.

    A second call finds the run of the first, also when nobody could note what became of that. Raises what the store
    raises.
    """
    new = creation.new
    if creation.experiment_name is not None:
        new = evolve(new, experiment_id=experiment_in(store, creation.experiment_name).experiment_id)
    new = evolve(new, tags=_with_parent(new.tags, folder))
    run: Run | None = None
    if isinstance(store, ChoosesRunIds):
        if folder.facts().is_tried:
            run = store.created_as(new.experiment_id, new.run_id)
        folder.note(is_tried=True)
    if run is None:
        run = store.create_run(new)
    chosen = run.info.run_id if run.info.run_id != new.run_id else None
    folder.note(server_run_id=chosen, artifact_uri=run.info.artifact_uri, is_pending=False)
    return run.info.run_id


def experiment_in(store: TrackingStore, name: str) -> Experiment:
    """Return the experiment called *name*, made if it is not there; of many racing callers all get the same.

    Raises InvalidStateError: an experiment of that name is deleted.
    """
    found = store.get_experiment_by_name(name)
    if found is None:
        try:
            found = store.create_experiment(name, artifact_location=None, tags={})
        except AlreadyExistsError:
            found = store.get_experiment_by_name(name)  # somebody else was first
    if found is None:
        raise NotFoundError(f"experiment {name!r} was removed while it was being opened; try again")
    if found.lifecycle_stage == LifecycleStage.DELETED:
        raise InvalidStateError(
            f"cannot set a deleted experiment {name!r} as the active one: restore it "
            f"(mlcore experiments restore -x {found.experiment_id}) or use another name"
        )
    return found


def translated(recorded: Recorded, folder: RunFolder) -> Recorded:
    """Return an entry with the ids that a server which chooses them has given to other runs."""
    if not isinstance(recorded, Batch) or not any(tag.key == PARENT for tag in recorded.tags):
        return recorded
    told = [RunTag(tag.key, _with_parent({tag.key: tag.value}, folder)[tag.key]) for tag in recorded.tags]
    return evolve(recorded, tags=tuple(told))


def _with_parent(tags: Mapping[str, str], folder: RunFolder) -> dict[str, str]:
    parent = tags.get(PARENT)
    if not parent:
        return dict(tags)
    return {**tags, PARENT: folder.beside(parent).facts().server_run_id or parent}
