"""A run, put together from its journals: the same whatever the order in which they are read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import define, field

from mlcore.entities import (
    Batch,
    DatasetInput,
    InputsUse,
    LifecycleStage,
    Metric,
    ModelOutput,
    NewRun,
    Note,
    Recorded,
    RunChange,
    RunCreation,
    RunStatus,
    TagRemoval,
)
from mlcore.tracking.tags import RUN_NAME
from mlcore_store_file.clock import Stamp
from mlcore_store_file.following import REPLAYED

NEVER: Stamp = (-1, "", -1)
MODELS = "models"  # a note: logged models that the run read and made
StageEvent = tuple[Stamp, str]


@define
class Curve:
    """What is kept of a metric at hand: the latest point and the extremes."""

    last: Metric
    least: float | None = None
    greatest: float | None = None

    def add(self, point: Metric) -> None:
        """Take a point in."""
        value = point.value
        if recency(point) > recency(self.last):
            self.last = point
        if not math.isnan(value):
            self.least = value if self.least is None or value < self.least else self.least
            self.greatest = value if self.greatest is None or value > self.greatest else self.greatest


@define
class RunState:
    """All that is known of a run but for the points of its curves."""

    created: Stamp = NEVER
    new: NewRun | None = None
    name: tuple[Stamp, str] = (NEVER, "")
    name_removed: Stamp = NEVER
    changed: Stamp = NEVER
    status: tuple[Stamp, RunStatus] = (NEVER, RunStatus.RUNNING)
    end_time: tuple[Stamp, int | None] = (NEVER, None)
    stages: list[StageEvent] = field(factory=list)
    params: dict[str, tuple[Stamp, str]] = field(factory=dict)
    refused: dict[str, dict[Stamp, str]] = field(factory=dict)
    tags: dict[str, tuple[Stamp, str | None]] = field(factory=dict)
    curves: dict[str, Curve] = field(factory=dict)
    inputs: dict[tuple[str, str], tuple[tuple[Stamp, int], DatasetInput]] = field(factory=dict)
    model_inputs: dict[str, tuple[Stamp, int]] = field(factory=dict)
    outputs: dict[ModelOutput, tuple[Stamp, int]] = field(factory=dict)
    positions: dict[str, int] = field(factory=dict)
    rejected: dict[str, dict[int, tuple[str, str]]] = field(factory=dict)
    greatest_at: int = 0

    def take(self, news: Sequence[tuple[Stamp, Recorded]]) -> None:
        """Take in what was recorded."""
        for stamp, recorded in news:
            self.greatest_at = max(self.greatest_at, stamp[0])
            match recorded:
                case Batch():
                    self._batch(stamp, recorded)
                case RunChange():
                    self._change(stamp, recorded)
                case RunCreation():
                    self._creation(stamp, recorded.new)
                case TagRemoval():
                    self._remove_tag(stamp, recorded.key)
                case InputsUse():
                    for number, used in enumerate(recorded.inputs):
                        at = (stamp, number)
                        key = (used.dataset.name, used.dataset.digest)
                        if key not in self.inputs or at < self.inputs[key][0]:
                            self.inputs[key] = (at, used)
                case Note():
                    self._note(stamp, recorded)

    def stage(self, of_experiment: Sequence[StageEvent]) -> LifecycleStage:
        """Return the lifecycle stage, given what happened to the experiment."""
        if not of_experiment and not self.stages:
            return LifecycleStage.ACTIVE
        events = [(stamp, stage, True) for stamp, stage in of_experiment if stamp > self.created]
        events += [(stamp, stage, False) for stamp, stage in self.stages]
        stage, binned = LifecycleStage.ACTIVE, False
        for _, found, is_experiment in sorted(events):
            if not is_experiment:
                stage = LifecycleStage(found)
            elif found == LifecycleStage.DELETED:
                binned = binned or stage is LifecycleStage.ACTIVE
                stage = LifecycleStage.DELETED
            elif binned:
                stage, binned = LifecycleStage.ACTIVE, False
        return stage

    def shown_tags(self) -> dict[str, str]:
        """Return the tags that are set, the run's name among them."""
        shown = {key: value for key, (_, value) in self.tags.items() if value is not None}
        if max(self.name[0], self.changed) > self.name_removed:
            shown[RUN_NAME] = self.name[1]
        return shown

    def recover(self, run_id: str) -> None:
        """Make up how a run began whose journals are damaged there, so that the rest of it can be seen."""
        self.new = NewRun("0", run_id, run_id, "", 0)
        self.name = (NEVER, run_id)

    def _creation(self, stamp: Stamp, new: NewRun) -> None:
        if self.created == NEVER or stamp < self.created:
            self.created, self.new = stamp, new
        self._rename(stamp, new.run_name)
        for key, value in new.tags.items():
            if key != RUN_NAME:
                self._tag(stamp, key, value)

    def _change(self, stamp: Stamp, change: RunChange) -> None:
        self.changed = max(self.changed, stamp)
        if change.status is not None and stamp > self.status[0]:
            self.status = (stamp, change.status)
        is_end_known = change.end_time is not None or change.status is RunStatus.RUNNING  # what runs again has no end
        if is_end_known and stamp > self.end_time[0]:
            self.end_time = (stamp, change.end_time)
        if change.run_name is not None:
            self._rename(stamp, change.run_name)
        if change.lifecycle_stage is not None:
            self.stages.append((stamp, change.lifecycle_stage.value))

    def _batch(self, stamp: Stamp, batch: Batch) -> None:
        curves = self.curves
        for point in batch.metrics:
            known = curves.get(point.key)
            if known is not None:
                known.add(point)
                continue
            value = point.value
            bound = value if value == value else None
            curves[point.key] = Curve(point, bound, bound)
        for param in batch.params:
            self._param(stamp, param.key, param.value)
        for tag in batch.tags:
            if tag.key == RUN_NAME:
                self._rename(stamp, tag.value)
            else:
                self._tag(stamp, tag.key, tag.value)

    def _param(self, stamp: Stamp, key: str, value: str) -> None:
        """Keep the value that was recorded first; another one that a second process recorded is not forgotten."""
        known = self.params.get(key)
        if known is None:
            self.params[key] = (stamp, value)
        elif known[1] == value:
            self.params[key] = min(known, (stamp, value))
        else:
            first, later = sorted((known, (stamp, value)))
            self.params[key] = first
            self.refused.setdefault(key, {})[later[0]] = later[1]

    def _tag(self, stamp: Stamp, key: str, value: str | None) -> None:
        known = self.tags.get(key)
        if known is None or stamp >= known[0]:  # of several in one entry the last counts
            self.tags[key] = (stamp, value)

    def _rename(self, stamp: Stamp, name: str) -> None:
        if stamp >= self.name[0]:
            self.name = (stamp, name)

    def _remove_tag(self, stamp: Stamp, key: str) -> None:
        if key == RUN_NAME:
            self.name_removed = max(self.name_removed, stamp)
        else:
            self._tag(stamp, key, None)

    def _note(self, stamp: Stamp, note: Note) -> None:
        data = note.data
        if note.name == REPLAYED:
            writer = str(data.get("writer"))
            self.positions[writer] = max(self.positions.get(writer, -1), _int(data.get("upto")))
            refused = data.get("refused")
            for at, (kind, text) in refused.items() if isinstance(refused, dict) else ():
                self.rejected.setdefault(writer, {})[int(at)] = (str(kind), str(text))
        elif note.name == MODELS:
            inputs, outputs = data.get("inputs"), data.get("outputs")
            for number, model_id in enumerate(inputs if isinstance(inputs, list) else ()):
                at = (stamp, number)
                self.model_inputs[str(model_id)] = min(at, self.model_inputs.get(str(model_id), at))
            for number, (model_id, step) in enumerate(outputs if isinstance(outputs, list) else ()):
                at, output = (stamp, number), ModelOutput(str(model_id), int(step))
                self.outputs[output] = min(at, self.outputs.get(output, at))


def recency(point: Metric) -> tuple[int, int, bool, float]:
    """Return what decides which of several points is the latest; any number counts more than NaN."""
    known = not math.isnan(point.value)
    return point.step, point.timestamp, known, point.value if known else 0.0


def _int(given: object) -> int:
    return given if isinstance(given, int) else -1
