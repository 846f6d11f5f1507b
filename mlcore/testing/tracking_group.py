"""The part of the contract suite of tracking stores that is about batches of several callers at once.

Its tests are skipped for a store that is no `SupportsGroupCommit`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mlcore.entities import Batch, Metric, NewRun, Param, Run, RunTag
from mlcore.errors import InvalidStateError, MlcoreError, NotFoundError, ParamConflictError
from mlcore.interfaces import SupportsGroupCommit, TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_machine import BATCHES
from mlcore.testing.tracking_oracle import shown
from mlcore.testing.tracking_samples import DEFAULT, DELETE_RUN, in_threads, new_run

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,  # a suite says the same today and tomorrow
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow],
)
# Two runs, one that is deleted, and one that is not there.
_ITEMS = st.lists(st.tuples(st.sampled_from((0, 0, 1, 1, 2, 3)), BATCHES), max_size=8)


def _grouping(store: TrackingStore) -> SupportsGroupCommit:
    if not isinstance(store, SupportsGroupCommit):
        pytest.skip("the store records one batch at a time")
    return store


class GroupCommitContract(PluginModuleContract):
    """What is expected of `log_batches`: the outcome of one `log_batch` after the other."""

    @SETTINGS
    @given(items=_ITEMS)
    def test_batches_together_have_the_outcome_that_they_have_one_by_one(
        self, store: TrackingStore, items: list[tuple[int, Batch]]
    ) -> None:
        grouping = _grouping(store)
        together, apart = _runs(store), _runs(store)

        found = grouping.log_batches([(together[run], batch) for run, batch in items])
        expected = [_outcome(store, apart[run], batch) for run, batch in items]

        assert [_told(each, together) for each in found] == [_told(each, apart) for each in expected]
        for one, other in zip(together[:3], apart[:3], strict=True):
            assert known(store, one) == known(store, other)

    def test_a_refused_batch_leaves_nothing_and_the_others_are_kept(self, store: TrackingStore) -> None:
        grouping = _grouping(store)
        good, gone, other = (store.create_run(new_run()).info.run_id for _ in range(3))
        store.update_run(gone, DELETE_RUN)
        store.log_batch(other, Batch(params=(Param("p", "1"),)))
        point = (Metric("m", 1.0, 1),)

        found = grouping.log_batches(
            [
                (good, Batch(point)),
                ("nope", Batch(point)),
                (gone, Batch(point)),
                (other, Batch((Metric("n", 1.0, 1),), (Param("q", "1"), Param("p", "2")), (RunTag("t", "1"),))),
                (other, Batch(point)),
            ]
        )

        assert [type(each) for each in found] == [
            type(None),
            NotFoundError,
            InvalidStateError,
            ParamConflictError,
            type(None),
        ]
        assert str(found[1]).startswith("run with id='nope' not found")
        assert f"{gone}' must be in the 'active' state" in str(found[2])
        assert "'p' has the value '1' already, got '2'" in str(found[3])
        kept = store.get_run(other).data
        assert (kept.params, kept.metrics, "t" in kept.tags) == ({"p": "1"}, {"m": 1.0}, False)
        assert store.get_run(good).data.metrics == {"m": 1.0}
        assert store.get_run(gone).data.metrics == {}

    def test_of_two_batches_that_give_a_param_two_values_the_first_is_kept(self, store: TrackingStore) -> None:
        grouping = _grouping(store)
        run_id = store.create_run(new_run()).info.run_id

        found = grouping.log_batches([(run_id, Batch(params=(Param("p", value),))) for value in "112"])

        assert [type(each) for each in found] == [type(None), type(None), ParamConflictError]
        assert store.get_run(run_id).data.params == {"p": "1"}

    def test_of_several_tags_of_one_key_the_one_of_the_last_batch_wins(self, store: TrackingStore) -> None:
        grouping = _grouping(store)
        run_id = store.create_run(new_run()).info.run_id

        grouping.log_batches([(run_id, Batch(tags=(RunTag("mlflow.runName", name),))) for name in ("a", "c", "b")])

        run = store.get_run(run_id)
        assert (run.info.run_name, run.data.tags["mlflow.runName"]) == ("b", "b")

    def test_no_batches_have_no_outcomes(self, store: TrackingStore) -> None:
        assert list(_grouping(store).log_batches([])) == []

    def test_groups_of_many_threads_lose_nothing(self, store: TrackingStore) -> None:
        grouping = _grouping(store)
        runs = [store.create_run(new_run()).info.run_id for _ in range(3)]

        def work(number: int) -> None:
            for step in range(10):
                points = (Metric("same", number + step / 100, step, step), Metric(f"own{number}", 1.0, step, step))
                assert list(grouping.log_batches([(run, Batch(points)) for run in runs])) == [None] * 3

        in_threads(4, work)

        for run in runs:
            assert len(store.get_metric_history(run, "same", max_results=500, page_token=None).items) == 40
            assert store.get_run(run).data.metrics["same"] == 3.09


def _runs(store: TrackingStore) -> list[str]:
    """Make two runs and a deleted one; return their ids and one that no run has."""
    made = [store.create_run(NewRun(DEFAULT, uuid4().hex, "n", "u", 1)).info.run_id for _ in range(3)]
    store.update_run(made[2], DELETE_RUN)
    return [*made, "f" * 32]


def _outcome(store: TrackingStore, run_id: str, batch: Batch) -> MlcoreError | None:
    try:
        store.log_batch(run_id, batch)
    except MlcoreError as error:
        return error
    return None


def _told(error: MlcoreError | None, ids: list[str]) -> tuple[type, str]:
    text = str(error)
    for number, run_id in enumerate(ids):
        text = text.replace(run_id, str(number))
    return type(error), text


def known(store: TrackingStore, run_id: str) -> str:
    """Return all that the store knows of a run, but for its id."""
    run: Run = store.get_run(run_id)
    info = evolve(run.info, run_id="", artifact_uri="")
    curves = [
        sorted(map(repr, store.get_metric_history(run_id, key, max_results=99, page_token=None).items)) for key in "ab"
    ]
    return shown((info, run.data.latest, sorted(run.data.params.items()), sorted(run.data.tags.items()), curves))
