"""The part of the store that keeps runs."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from mlcore.entities import (
    Batch,
    DatasetInput,
    InputsUse,
    LifecycleStage,
    NewRun,
    Note,
    Param,
    Recorded,
    Run,
    RunChange,
    RunCreation,
    RunData,
    RunInfo,
    RunInputs,
    TagRemoval,
)
from mlcore.entities.logged_model import ModelOutput
from mlcore.errors import AlreadyExistsError, NotFoundError, ParamConflictError
from mlcore.tracking.tags import REFUSED
from mlcore.uris import join
from mlcore_store_file.clock import Stamp
from mlcore_store_file.experiment_state import ExperimentState
from mlcore_store_file.experiments import Experiments, deleted
from mlcore_store_file.following import Tail
from mlcore_store_file.part import Place
from mlcore_store_file.run_state import MODELS, RunState, StageEvent
from mlcore_store_file.writers import StoreJournal

_MOST_KEPT = 512


class Runs:
    """Read and record runs."""

    def __init__(self, place: Place, experiments: Experiments) -> None:
        """Use the store at *place*."""
        self._place = place
        self._experiments = experiments
        self._kept: OrderedDict[Path, tuple[Tail, RunState]] = OrderedDict()

    def read(self, folder: Path, *, keep: bool = True) -> tuple[Tail, RunState] | None:
        """Return what the journals in a run's folder say now; None when it is no run's.

        keep: whether it is likely to be asked for again; what somebody still writes is kept in any case.
        """
        found = self._kept.get(folder)
        tail, state = found or (Tail(folder, self._place.faults), RunState())
        try:
            state.take(tail.news())
        except (FileNotFoundError, NotADirectoryError):
            self._kept.pop(folder, None)
            return None
        if state.new is None and tail.is_damaged and tail.subject:
            state.recover(tail.subject)
        if found is None and (keep or not all(settled for _, settled in tail.sizes.values())):
            self._kept[folder] = (tail, state)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        elif found is not None:
            self._kept.move_to_end(folder)
        self._place.clock.seen(state.greatest_at)
        return tail, state

    def state(self, run_id: str) -> RunState:
        """Return what is known of a run. Raises NotFoundError."""
        found = self.read(self._place.layout.run(run_id))
        if found is None or found[1].new is None:
            raise NotFoundError(f"run with id='{run_id}' not found")
        return found[1]

    def get(self, run_id: str) -> Run:
        """Return a run, deleted or not."""
        with self._place.lock:
            state = self.state(run_id)
            return self.shown(state, self.experiment_of(state))

    def experiment_of(self, state: RunState) -> ExperimentState | None:
        """Return the experiment of a run."""
        return self._experiments.state(state.new.experiment_id) if state.new else None

    def shown(self, state: RunState, experiment: ExperimentState | None) -> Run:
        """Return a run of an experiment as it is shown."""
        latest = tuple(state.curves[key].last for key in sorted(state.curves))
        params = {key: value for key, (_, value) in sorted(state.params.items(), key=lambda each: each[1][0])}
        inputs = tuple(used for _, used in sorted(state.inputs.values(), key=_first))
        models = tuple(sorted(state.model_inputs, key=state.model_inputs.__getitem__))
        outputs: tuple[ModelOutput, ...] = tuple(sorted(state.outputs, key=state.outputs.__getitem__))
        return Run(
            self.info(state, experiment), RunData(latest, params, shown_tags(state)), RunInputs(inputs, models), outputs
        )

    def info(self, state: RunState, experiment: ExperimentState | None) -> RunInfo:
        """Return who, when, where and how it ended."""
        new = state.new
        if new is None:
            raise NotFoundError("a journal of a run that does not say how it began")
        return RunInfo(
            run_id=new.run_id,
            experiment_id=new.experiment_id,
            run_name=state.name[1],
            user_id=new.user_id,
            status=state.status[1],
            start_time=new.start_time,
            end_time=state.end_time[1],
            artifact_uri=run_uri(self._experiments.location(new.experiment_id, experiment), new.run_id),
            lifecycle_stage=state.stage(stage_events(experiment)),
        )

    def create(self, new: NewRun) -> Run:
        """Create a run; a second call with the same id and experiment returns it as it is."""
        folder = self._place.layout.run(new.run_id)
        with self._place.lock:
            found = self.read(folder)
            known = found[1].new if found else None
            if known is None:
                self._experiments.active(new.experiment_id)
                self._record(folder, new.run_id, RunCreation(new), self._place.clock.after())
                return self.get(new.run_id)
            if known.experiment_id != new.experiment_id:
                if self._experiments.state(new.experiment_id) is None:
                    raise NotFoundError(f"no experiment with id='{new.experiment_id}'")
                raise AlreadyExistsError(f"run '{new.run_id}' already exists in experiment '{known.experiment_id}'")
            return self.get(new.run_id)

    def change(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage."""
        folder = self._place.layout.run(run_id)
        with self._place.lock:
            state = self.state(run_id)
            only_stage = change == RunChange(lifecycle_stage=change.lifecycle_stage)
            if not only_stage and change.lifecycle_stage is not LifecycleStage.ACTIVE:
                self._refuse_deleted(run_id, state)
            self._record(folder, run_id, change, self._place.clock.after())
            if change.status is not None and change.status.is_terminated():
                self.journal(run_id).settle()
            state = self.state(run_id)
            return self.info(state, self.experiment_of(state))

    def log(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags: all, or nothing."""
        folder = self._place.layout.run(run_id)
        with self._place.lock:
            state = self.writable(run_id)
            check_params(state, batch.params)
            if batch != Batch():
                self._record(folder, run_id, batch, self._time(folder, state))

    def remove_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        folder = self._place.layout.run(run_id)
        with self._place.lock:
            state = self.writable(run_id)
            if key not in state.shown_tags():
                raise NotFoundError(f"no tag with name {key!r} in run with id='{run_id}'")
            self._record(folder, run_id, TagRemoval(key), self._time(folder, state))

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read."""
        folder = self._place.layout.run(run_id)
        with self._place.lock:
            state = self.writable(run_id)
            if inputs:
                self._record(folder, run_id, InputsUse(inputs), self._time(folder, state))

    def link_models(self, run_id: str, inputs: Sequence[str], outputs: Sequence[ModelOutput]) -> None:
        """Record logged models that the run read and made."""
        folder = self._place.layout.run(run_id)
        made = [[each.model_id, each.step] for each in outputs]
        with self._place.lock:
            state = self.writable(run_id)
            if inputs or outputs:
                note = Note(MODELS, {"inputs": list(inputs), "outputs": made})
                self._record(folder, run_id, note, self._time(folder, state))

    def writable(self, run_id: str) -> RunState:
        """Return a run that is not deleted. Raises NotFoundError, InvalidStateError."""
        state = self.state(run_id)
        self._refuse_deleted(run_id, state)
        return state

    def journal(self, run_id: str) -> StoreJournal:
        """Return this process's journal of a run that is there."""
        folder = self._place.layout.run(run_id)
        known = self._place.writers.known(folder)
        if known is not None:
            return known
        with self._place.lock:
            state = self.state(run_id)
            return self._place.writers.journal(folder, run_id, max(state.greatest_at + 1, self._place.clock.now()))

    def _record(self, folder: Path, run_id: str, recorded: Recorded, at: int) -> None:
        self._place.append(self._place.writers.journal(folder, run_id, at), recorded, at)

    def _time(self, folder: Path, state: RunState) -> int:
        """Return the time for what comes after everything that is known of the run."""
        journal = self._place.writers.known(folder)
        if journal is None or journal.at < state.greatest_at:  # another writer recorded something later
            return self._place.clock.after()
        return self._place.clock.now()

    def is_deleted(self, state: RunState) -> bool:
        """Whether a run is in the bin, by itself or with its experiment."""
        return state.stage(stage_events(self.experiment_of(state))) is LifecycleStage.DELETED

    def _refuse_deleted(self, run_id: str, state: RunState) -> None:
        if self.is_deleted(state):
            raise deleted(f"run '{run_id}'")


def check_params(state: RunState, params: tuple[Param, ...]) -> None:
    """Refuse params that have another value. Raises ParamConflictError."""
    given: dict[str, str] = {}
    for param in params:
        known = state.params.get(param.key)
        old = given.setdefault(param.key, known[1] if known else param.value)
        if old != param.value:
            raise ParamConflictError(f"param {param.key!r} has the value {old!r} already, got {param.value!r}")


def shown_tags(state: RunState) -> dict[str, str]:
    """Return a run's tags, with what two processes recorded differently."""
    tags = state.shown_tags()
    lost = [
        {"param": key, "kept": state.params[key][1], "refused": value}
        for key, others in sorted(state.refused.items())
        for value in sorted(set(others.values()) - {state.params[key][1]})
    ]
    if lost and REFUSED not in tags:
        tags[REFUSED] = json.dumps(lost, ensure_ascii=False)
    return tags


def stage_events(experiment: ExperimentState | None) -> Sequence[StageEvent]:
    """Return when an experiment was deleted and restored."""
    return experiment.stages if experiment else ()


def run_uri(location: str, run_id: str) -> str:
    """Return where a run's artifacts are."""
    return join(location, run_id, "artifacts")


def _first(each: tuple[tuple[Stamp, int], DatasetInput]) -> tuple[Stamp, int]:
    return each[0]
