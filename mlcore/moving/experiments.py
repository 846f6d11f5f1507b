"""Experiments: find the counterpart by name, or make it; open deleted ones for as long as something is written."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from attrs import define, evolve, field

from mlcore.entities import Experiment, ExperimentChange, ExperimentQuery, LifecycleStage, ViewType
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.interfaces import SupportsAdoption, TrackingStore
from mlcore.moving.sides import Job
from mlcore.uris import scheme

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_PAGE = 1000


@define(eq=False)
class Pair:
    """An experiment and its counterpart in the target.

    is_new: the counterpart was made by this copy.
    """

    job: Job
    source: Experiment
    target: Experiment
    is_new: bool
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def both_deleted(self) -> bool:
        """Whether it is deleted on both sides, its runs with it."""
        return DELETED == self.source.lifecycle_stage == self.target.lifecycle_stage

    def open(self) -> None:
        """Restore the counterpart for a while, if it is deleted on both sides: what is deleted takes nothing."""
        with self._lock:
            if self.both_deleted:
                self._move(ACTIVE)

    def close(self) -> None:
        """Delete the counterpart if the experiment is deleted at the source; its runs go with it."""
        if self.source.lifecycle_stage == DELETED and self.target.lifecycle_stage == ACTIVE:
            self._move(DELETED)

    def _move(self, stage: LifecycleStage) -> None:
        change = ExperimentChange(lifecycle_stage=stage)
        store = self.job.target.store
        self.job.write(lambda: store.update_experiment(self.target.experiment_id, change))
        self.target = evolve(self.target, lifecycle_stage=stage)


def all_experiments(store: TrackingStore) -> list[Experiment]:
    """Return the experiments of a store, deleted ones too, the oldest first."""
    found: list[Experiment] = []
    token: str | None = None
    while True:
        page = store.search_experiments(ExperimentQuery(view=ViewType.ALL, max_results=_PAGE, page_token=token))
        found += page.items
        token = page.next_token
        if token is None:
            return sorted(
                found, key=lambda each: (each.creation_time or 0, len(each.experiment_id), each.experiment_id)
            )


def chosen(job: Job) -> Iterator[Experiment]:
    """Yield the experiments that are to be copied. Raises NotFoundError: one that was named is not there."""
    wanted = set(job.choice.experiments)
    if job.choice.run_ids and not wanted:
        wanted = {job.source.store.get_run(run_id).info.experiment_id for run_id in job.choice.run_ids}
    there = all_experiments(job.source.store)
    if not wanted:
        yield from there
        return
    unknown = wanted - {each.experiment_id for each in there} - {each.name for each in there}
    if unknown:
        names = ", ".join(repr(each.name) for each in there[:10])
        raise NotFoundError(f"no experiment {min(unknown)!r} in {job.source.shown!r}; there are {names or 'none'}")
    ids = {each.experiment_id for each in there}
    for each in there:
        # A name that is the id of another experiment means that one.
        if each.experiment_id in wanted or (each.name in wanted and each.name not in ids):
            yield each


def pair(job: Job, source: Experiment) -> Pair:
    """Find the counterpart of an experiment, or make it, and bring its tags up to date.

    The same name is the same experiment; a new one keeps its id where the target can, unless another has it.
    """
    found = job.target.store.get_experiment_by_name(source.name)
    made = Pair(job, source, found or _make(job, source), is_new=found is None)
    if made.target.experiment_id != source.experiment_id:
        job.tally.renumber("experiment", source.name, source.experiment_id, made.target.experiment_id)
    tags = {key: value for key, value in source.tags.items() if made.target.tags.get(key) != value}
    if found is not None and tags:
        _set_tags(made, tags)
    return made


def _set_tags(made: Pair, tags: dict[str, str]) -> None:
    job = made.job
    made.open()
    if made.target.lifecycle_stage == DELETED:
        return  # told with its runs
    change = ExperimentChange(set_tags=tags)
    job.write(lambda: job.target.store.update_experiment(made.target.experiment_id, change))
    job.tally.add(values=len(tags))


def _make(job: Job, source: Experiment) -> Experiment:
    stays = not job.choice.artifacts and scheme(source.artifact_location) != "mlflow-artifacts"
    location = source.artifact_location if stays else ""
    wanted = evolve(source, artifact_location=location, lifecycle_stage=ACTIVE)
    made = job.write(lambda: _create(job.target.store, wanted)) or wanted
    job.tally.add(experiments=1)
    if not job.choice.dry_run and (made.creation_time, made.last_update_time) != (
        source.creation_time,
        source.last_update_time,
    ):
        job.tally.lack("times of experiments", repr(source.name))
    return made


def _create(store: TrackingStore, wanted: Experiment) -> Experiment:
    if isinstance(store, SupportsAdoption):
        try:
            return store.adopt_experiment(wanted)
        except (AlreadyExistsError, InvalidParameterError):
            pass  # another experiment has the id, or the target has ids of another form
    location = wanted.artifact_location or None
    return store.create_experiment(wanted.name, artifact_location=location, tags=dict(wanted.tags))
