"""Experiments: named groups of runs with a place for their artifacts."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from mlcore.entities.lifecycle import LifecycleStage


@frozen
class ExperimentTag:
    """A note on an experiment."""

    key: str
    value: str


@frozen
class Experiment:
    """A named group of runs.

    experiment_id: opaque to callers; stores of mlcore write decimal numbers, `0` is the default experiment.
    creation_time, last_update_time: ms since the epoch, UTC; None when a foreign store does not know.
    """

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE
    creation_time: int | None = None
    last_update_time: int | None = None
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class ExperimentChange:
    """What to change of an experiment; None and empty mean: leave as it is."""

    name: str | None = None
    lifecycle_stage: LifecycleStage | None = None
    set_tags: Mapping[str, str] = field(factory=dict)
    delete_tags: tuple[str, ...] = ()
