"""Experiments in a tracking store of MLflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, cast

from mlcore.entities import Experiment, ExperimentChange, LifecycleStage, ViewType
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    InvalidStateError,
    NotFoundError,
    UnsupportedError,
)
from mlcore.plugin_index import PluginEntry
from mlcore_bridge_mlflow import records
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.searching import PAGE, TheirPage, everything
from mlcore_bridge_mlflow.turns import Turns, in_turn

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED


class TheirExperiments(Protocol):
    """What is called of MLflow's tracking AbstractStore for experiments."""

    create_experiment: Callable[..., object]
    get_experiment: Callable[[str], records.TheirExperiment]
    get_experiment_by_name: Callable[[str], records.TheirExperiment | None]
    search_experiments: Callable[..., TheirPage[records.TheirExperiment]]
    rename_experiment: Callable[[str, str], object]
    delete_experiment: Callable[[str], object]
    restore_experiment: Callable[[str], object]
    set_experiment_tag: Callable[[str, object], object]


class ExperimentCalls(Turns):
    """The part of a tracking store that is about experiments."""

    def __init__(self, theirs: object, entry: PluginEntry) -> None:
        """Keep experiments in *theirs*, which the plugin of *entry* has opened."""
        super().__init__()
        self._experiments = cast(TheirExperiments, theirs)
        self._entry = entry

    @in_turn
    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has. Raises AlreadyExistsError: the name is taken."""
        made = records.entities()
        self._refuse_taken(name)
        with Guard(self._entry, "create_experiment"):
            known = [made.ExperimentTag(key, value) for key, value in tags.items()]
            experiment_id = str(self._experiments.create_experiment(name, artifact_location, known))
        return self.get_experiment(experiment_id)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        try:
            with Guard(self._entry, "get_experiment"):
                found = records.experiment(self._experiments.get_experiment(experiment_id))
        except (NotFoundError, InvalidParameterError) as err:
            raise NotFoundError(f"no experiment with id='{experiment_id}': {err.message}") from err
        if found.experiment_id != experiment_id:  # stores that count read 00 as 0
            raise NotFoundError(f"no experiment with id='{experiment_id}', did you mean {found.experiment_id!r}?")
        return found

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        try:
            with Guard(self._entry, "get_experiment_by_name"):
                found = self._experiments.get_experiment_by_name(name)
        except NotFoundError:
            return None
        return None if found is None else records.experiment(found)

    @in_turn
    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; everything is checked first, then done step by step."""
        old = self.get_experiment(experiment_id)
        self._check_change(old, change)
        made = records.entities()
        with Guard(self._entry, "changing an experiment"):
            if change.lifecycle_stage is ACTIVE:
                self._experiments.restore_experiment(experiment_id)
            if change.name is not None and change.name != old.name:
                self._experiments.rename_experiment(experiment_id, change.name)
            for key, value in change.set_tags.items():
                self._experiments.set_experiment_tag(experiment_id, made.ExperimentTag(key, value))
            for key in change.delete_tags:
                self._delete_tag(experiment_id, key)
            if change.lifecycle_stage is DELETED:
                self._experiments.delete_experiment(experiment_id)
        return self.get_experiment(experiment_id)

    def _all_experiments(self, view: ViewType) -> list[Experiment]:
        search = getattr(self._experiments, "search_experiments", None)
        before_1_28: Callable[[int], Iterable[records.TheirExperiment]] | None
        before_1_28 = getattr(self._experiments, "list_experiments", None)
        with Guard(self._entry, "search_experiments"):
            if search is None and before_1_28 is not None:
                return [records.experiment(each) for each in before_1_28(records.VIEWS[view])]
            found = everything(
                lambda token: self._experiments.search_experiments(
                    view_type=records.VIEWS[view], max_results=PAGE, page_token=token
                )
            )
            return [records.experiment(each) for each in found]

    def _writable_experiment(self, experiment_id: str) -> Experiment:
        found = self.get_experiment(experiment_id)
        self._refuse_deleted(f"experiment '{experiment_id}'", found.lifecycle_stage)
        return found

    def _delete_tag(self, experiment_id: str, key: str) -> None:
        delete = getattr(self._experiments, "delete_experiment_tag", None)
        if delete is None:
            raise UnsupportedError(f"{self._entry} cannot delete tags of experiments")
        delete(experiment_id, key)

    def _check_change(self, old: Experiment, change: ExperimentChange) -> None:
        if change.lifecycle_stage == old.lifecycle_stage:
            raise NotFoundError(f"experiment '{old.experiment_id}' is '{old.lifecycle_stage}' already")
        if change.lifecycle_stage is None:
            self._refuse_deleted(f"experiment '{old.experiment_id}'", old.lifecycle_stage)
        if change.name is not None and change.name != old.name:
            self._refuse_taken(change.name)
        for key in change.delete_tags:
            if key not in old.tags:
                raise NotFoundError(f"no tag {key!r} in experiment '{old.experiment_id}'")

    def _refuse_taken(self, name: str) -> None:
        found = self.get_experiment_by_name(name)
        if found is not None:
            hint = " and is deleted: restore it, or" if found.lifecycle_stage is DELETED else ":"
            raise AlreadyExistsError(f"experiment {name!r} already exists{hint} choose another name")

    def _refuse_deleted(self, what: str, stage: LifecycleStage) -> None:
        if stage == DELETED:
            raise InvalidStateError(f"{what} must be in the 'active' state, it is 'deleted': restore it first")
