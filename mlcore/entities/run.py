"""Runs: one execution of training code with everything recorded about it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import asdict, field, fields, frozen

from mlcore.entities.dataset import RunInputs
from mlcore.entities.lifecycle import LifecycleStage, RunStatus
from mlcore.entities.liveness import RunState, state
from mlcore.entities.logged_model import ModelOutput
from mlcore.entities.metric import Metric


@frozen
class RunInfo:
    """Who, when, where and how it ended.

    start_time, end_time: ms since the epoch, UTC; end_time is None while the run goes on.
    """

    run_id: str
    experiment_id: str
    run_name: str
    user_id: str
    status: RunStatus
    start_time: int
    end_time: int | None
    artifact_uri: str
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE

    @property
    def duration(self) -> int | None:
        """How long the run took, in ms; None while it goes on."""
        return None if self.end_time is None else self.end_time - self.start_time

    @property
    def run_uuid(self) -> str:
        """The run id under the name of MLflow's first releases."""
        return self.run_id


@frozen
class RunData:
    """What was recorded: the latest point of each metric, all params, all tags.

    latest: one point per key, the greatest (step, timestamp, value), sorted by key.
    """

    latest: tuple[Metric, ...] = ()
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each metric."""
        return {point.key: point.value for point in self.latest}


@frozen
class Run:
    """A run as a store returns it."""

    info: RunInfo
    data: RunData = field(factory=RunData)
    inputs: RunInputs = field(factory=RunInputs)
    outputs: tuple[ModelOutput, ...] = ()

    @property
    def state(self) -> RunState:
        """What the run is doing now: its status, or LOST when its process has given no heartbeat for too long."""
        return state(self.info.status, self.data.tags, time.time_ns() // 1_000_000)

    def to_dictionary(self) -> dict[str, object]:
        """Return plain dicts in MLflow's layout: info, data and inputs."""
        info = {a.name: _plain(getattr(self.info, a.name)) for a in fields(RunInfo)}
        data = {"metrics": self.data.metrics, "params": dict(self.data.params), "tags": dict(self.data.tags)}
        return {"info": info, "data": data, "inputs": asdict(self.inputs)}


@frozen
class NewRun:
    """A run to be created.

    run_id: chosen by the caller, so that a retried creation makes one run only; 32 lower-case hex digits by custom.
    start_time: ms since the epoch, UTC.
    tags: `mlflow.runName` is kept equal to run_name by the store.
    """

    experiment_id: str
    run_id: str
    run_name: str
    user_id: str
    start_time: int
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class RunChange:
    """What to change of a run; None means: leave as it is.

    A run whose status becomes RUNNING has no end any more: without an end_time of its own the change removes it.
    """

    status: RunStatus | None = None
    end_time: int | None = None
    run_name: str | None = None
    lifecycle_stage: LifecycleStage | None = None


def _plain(value: object) -> object:
    return value.value if isinstance(value, (RunStatus, LifecycleStage)) else value
