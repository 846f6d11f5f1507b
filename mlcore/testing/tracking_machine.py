"""A state machine that does anything to a tracking store, in any order, and compares it with one in memory."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math
from collections.abc import Callable
from uuid import uuid4

from attrs import evolve
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mlcore.entities import (
    Batch,
    ExperimentChange,
    LifecycleStage,
    Metric,
    NewRun,
    Param,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.errors import MlcoreError
from mlcore.interfaces import TrackingStore
from mlcore.testing.memory_tracking import MemoryTrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_oracle import shown

MACHINE_SETTINGS = settings(
    max_examples=30,
    derandomize=True,  # a suite says the same today and tomorrow
    stateful_step_count=20,
    phases=(Phase.explicit, Phase.generate),  # the first counterexample is short enough, and shrinking it takes minutes
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
_RUNS = st.integers(0, 3)
_KEYS = st.sampled_from(("a", "b"))
_VALUES = st.sampled_from((0.0, 1.0, -1.0, math.nan, math.inf))
_POINTS = st.builds(Metric, _KEYS, _VALUES, st.integers(0, 2), st.integers(-1, 2))
BATCHES = st.builds(
    Batch,
    metrics=st.lists(_POINTS, max_size=3).map(tuple),
    # a key comes once: the kernel lets no other batch through to a store
    params=st.lists(st.builds(Param, _KEYS, st.sampled_from("12")), max_size=2, unique_by=lambda one: one.key).map(
        tuple
    ),
    tags=st.lists(st.builds(RunTag, _KEYS, st.sampled_from("12")), max_size=2).map(tuple),
)


class TrackingMachine(RuleBasedStateMachine):
    """The same calls to the store under test and to the one in memory have the same outcome."""

    def __init__(self, store: TrackingStore) -> None:
        """Use an experiment of its own in *store*."""
        super().__init__()
        self.model: MemoryTrackingStore = MemoryTrackingStore()
        self.tested: TrackingStore = store
        self.there: str = store.create_experiment(uuid4().hex, artifact_location="mem:/y", tags={}).experiment_id
        self.here: str = self.model.create_experiment("e", artifact_location="mem:/y", tags={}).experiment_id
        self.ids: list[str] = [f"{number}{uuid4().hex[1:]}" for number in range(4)]

    def both(self, call: Callable[[TrackingStore, str], object]) -> None:
        """Make *call* to both; they fail alike or succeed alike."""
        assert _outcome(call, self.tested, self.there) == _outcome(call, self.model, self.here)

    @rule(run=_RUNS, time_ms=st.integers(0, 2))
    def create_run(self, run: int, time_ms: int) -> None:
        """Create a run, or one that is there."""
        self.both(lambda store, where: store.create_run(NewRun(where, self.ids[run], "n", "u", time_ms)))

    @rule(run=_RUNS, batch=BATCHES)
    def log_batch(self, run: int, batch: Batch) -> None:
        """Log what may clash with what is there."""
        self.both(lambda store, _: store.log_batch(self.ids[run], batch))

    @rule(run=_RUNS, key=_KEYS)
    def delete_tag(self, run: int, key: str) -> None:
        """Delete a tag, there or not."""
        self.both(lambda store, _: store.delete_tag(self.ids[run], key))

    @rule(run=_RUNS, status=st.sampled_from(RunStatus), end=st.none() | st.integers(0, 2))
    def end_run(self, run: int, status: RunStatus, end: int | None) -> None:
        """Set status and end time."""
        self.both(lambda store, _: store.update_run(self.ids[run], RunChange(status=status, end_time=end)))

    @rule(run=_RUNS, stage=st.sampled_from(LifecycleStage))
    def delete_or_restore_run(self, run: int, stage: LifecycleStage) -> None:
        """Move a run to the bin or back."""
        self.both(lambda store, _: store.update_run(self.ids[run], RunChange(lifecycle_stage=stage)))

    @rule(stage=st.sampled_from(LifecycleStage))
    def delete_or_restore_experiment(self, stage: LifecycleStage) -> None:
        """Move the experiment to the bin or back."""
        self.both(lambda store, where: store.update_experiment(where, ExperimentChange(lifecycle_stage=stage)))

    @rule()
    def close(self) -> None:
        """Close the store under test, which opens again by itself."""
        self.tested.close()

    @invariant()
    def both_hold_the_same_runs(self) -> None:
        """Compare what searches find."""
        for view in ViewType:
            there = self.tested.search_runs(RunQuery((self.there,), view=view)).items
            here = self.model.search_runs(RunQuery((self.here,), view=view)).items
            assert [_known(run) for run in there] == [_known(run) for run in here]

    @invariant()
    def both_hold_the_same_points(self) -> None:
        """Compare the curves."""
        for run_id in self.ids:
            self.both(lambda store, _, run_id=run_id: _history(store, run_id))  # type: ignore[misc]  # bound now


def _outcome(call: Callable[[TrackingStore, str], object], store: TrackingStore, where: str) -> object:
    try:
        answer = call(store, where)
    except MlcoreError as error:
        return type(error)
    return answer if isinstance(answer, str) else None


def _history(store: TrackingStore, run_id: str) -> str:
    return shown(
        [
            sorted(map(repr, store.get_metric_history(run_id, key, max_results=99, page_token=None).items))
            for key in "ab"
        ]
    )


def _known(run: Run) -> str:
    """Everything of a run but for the id of its experiment, as text; dicts have no order."""
    data = run.data
    info = evolve(run.info, experiment_id="")
    return shown((info, data.latest, sorted(data.params.items()), sorted(data.tags.items()), run.inputs))


class MachineContract(PluginModuleContract):
    """What is expected of any series of calls."""

    def test_any_series_of_calls_has_the_outcome_that_it_has_in_memory(self, store: TrackingStore) -> None:
        class Machine(TrackingMachine):
            def __init__(self) -> None:
                super().__init__(store)

        run_state_machine_as_test(Machine, settings=MACHINE_SETTINGS)
