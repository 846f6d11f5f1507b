"""The contract suite of tracking stores: what the kernel relies on.

Subclass `TrackingStoreContract` in a test module and give it a fixture `store` that opens a new, empty store:

    class TestMyStore(TrackingStoreContract):
        plugin_module = "mlcore_my_store.plugin"

        @pytest.fixture
        def store_uri(self, tmp_path: Path) -> str: ...  # only where other processes can open it

        @pytest.fixture
        def store(self, store_uri: str) -> TrackingStore: ...
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from mlcore.entities import (
    Batch,
    Comparison,
    Dataset,
    DatasetInput,
    ExperimentQuery,
    Field,
    InputTag,
    LifecycleStage,
    Metric,
    NewRun,
    OrderBy,
    Param,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    InvalidStateError,
    NotFoundError,
)
from mlcore.interfaces import TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tokens import BAD_TOKENS
from mlcore.testing.tracking_adoption import AdoptionContract
from mlcore.testing.tracking_changes import ChangesContract, RacingChangesContract
from mlcore.testing.tracking_counts import CountContract, SeriesContract
from mlcore.testing.tracking_experiments import ExperimentContract
from mlcore.testing.tracking_feeds import BucketContract, ChangeCursorContract, OverviewContract
from mlcore.testing.tracking_group import GroupCommitContract
from mlcore.testing.tracking_logged import LoggedModelContract
from mlcore.testing.tracking_machine import MachineContract
from mlcore.testing.tracking_oracle import OracleContract
from mlcore.testing.tracking_processes import ForkContract, ProcessContract, RaceContract
from mlcore.testing.tracking_recording import RecordingContract
from mlcore.testing.tracking_replay import ReplayContract, ReplayProcessContract
from mlcore.testing.tracking_samples import DEFAULT, DELETE, DELETE_RUN, RESTORE_RUN, new_run
from mlcore.testing.tracking_tables import TableContract


class RunContract(PluginModuleContract):
    """What is expected of single runs."""

    def test_a_created_run_is_running_and_read_back_as_it_was_made(self, store: TrackingStore) -> None:
        new = NewRun(DEFAULT, uuid4().hex, "näme", "ada", 1_700_000_000_123, {"a": "1", "mlflow.user": "ada"})

        run = store.create_run(new)

        assert run == store.get_run(new.run_id)
        assert (run.info.run_name, run.info.user_id, run.info.start_time) == ("näme", "ada", 1_700_000_000_123)
        assert (run.info.status, run.info.end_time) == (RunStatus.RUNNING, None)
        assert run.data.tags == {"a": "1", "mlflow.user": "ada", "mlflow.runName": "näme"}

    def test_creating_the_same_run_again_returns_it_as_it_is(self, store: TrackingStore) -> None:
        new = new_run(a="1")
        store.create_run(new)
        store.log_batch(new.run_id, Batch(params=(Param("p", "1"),)))

        again = store.create_run(new)

        assert again == store.get_run(new.run_id)
        assert again.data.params == {"p": "1"}

    def test_a_run_id_of_another_experiment_is_refused(self, store: TrackingStore) -> None:
        new = new_run()
        store.create_run(new)
        other = store.create_experiment("other", artifact_location=None, tags={})

        with pytest.raises(AlreadyExistsError, match=f"run '{new.run_id}' already exists in experiment '0'"):
            store.create_run(NewRun(other.experiment_id, new.run_id, "n", "u", 1))

    def test_a_run_of_an_unknown_experiment_is_not_found(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError, match="no experiment with id='77'"):
            store.create_run(new_run("77"))

    def test_an_unknown_run_is_not_found_by_any_method(self, store: TrackingStore) -> None:
        calls: list[Callable[[], object]] = [
            lambda: store.get_run("nope"),
            lambda: store.update_run("nope", RunChange(status=RunStatus.FINISHED)),
            lambda: store.log_batch("nope", Batch(params=(Param("p", "1"),))),
            lambda: store.log_inputs("nope", ()),
            lambda: store.delete_tag("nope", "t"),
            lambda: store.get_metric_history("nope", "m", max_results=10, page_token=None),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match="run with id='nope' not found"):
                call()

    def test_a_run_is_ended_and_changed_only_in_what_is_given(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.update_run(run_id, RunChange(status=RunStatus.FAILED, end_time=5))
        info = store.update_run(run_id, RunChange(run_name="other"))

        assert (info.status, info.end_time, info.run_name) == (RunStatus.FAILED, 5, "other")
        assert store.get_run(run_id).info == info

    def test_a_run_that_runs_again_has_no_end(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_run(run_id, RunChange(status=RunStatus.FAILED, end_time=5))

        info = store.update_run(run_id, RunChange(status=RunStatus.RUNNING))

        assert (info.status, info.end_time) == (RunStatus.RUNNING, None)
        assert store.get_run(run_id).info == info

    def test_a_renamed_run_has_its_name_in_the_tag(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.update_run(run_id, RunChange(run_name="other"))

        assert store.get_run(run_id).data.tags["mlflow.runName"] == "other"

    def test_setting_the_name_tag_renames_the_run(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.log_batch(run_id, Batch(tags=(RunTag("mlflow.runName", "tagged"),)))

        assert store.get_run(run_id).info.run_name == "tagged"

    def test_a_deleted_run_is_read_but_not_written(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run(t="1")).info.run_id
        store.update_run(run_id, DELETE_RUN)

        calls: list[Callable[[], object]] = [
            lambda: store.log_batch(run_id, Batch(metrics=(Metric("m", 1.0, 1),))),
            lambda: store.log_inputs(run_id, (DatasetInput(Dataset("d", "1")),)),
            lambda: store.delete_tag(run_id, "t"),
            lambda: store.update_run(run_id, RunChange(run_name="x")),
        ]
        for call in calls:
            with pytest.raises(InvalidStateError, match=f"{run_id}' must be in the 'active' state"):
                call()
        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED

    def test_deleting_and_restoring_a_run_twice_does_nothing_more(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        stages = [
            store.update_run(run_id, change).lifecycle_stage
            for change in (RESTORE_RUN, DELETE_RUN, DELETE_RUN, RESTORE_RUN, RESTORE_RUN)
        ]

        assert stages == ["active", "deleted", "deleted", "active", "active"]


class SearchContract(PluginModuleContract):
    """What is expected of searches; filters and orders are tested against the reference evaluator elsewhere."""

    def test_runs_come_newest_first_with_everything_recorded(self, store: TrackingStore) -> None:
        made = [store.create_run(new_run(start_time=time)).info.run_id for time in (5, 7, 6)]
        for run_id in made:
            store.log_batch(run_id, Batch((Metric("m", 1.0, 1),), (Param("p", "1"),), (RunTag("t", "1"),)))
            store.log_inputs(run_id, (DatasetInput(Dataset("d", "1"), (InputTag("k", "v"),)),))

        found = store.search_runs(RunQuery((DEFAULT,)))

        assert found.items == tuple(store.get_run(made[index]) for index in (1, 2, 0))
        assert found.next_token is None

    def test_runs_are_found_in_the_given_experiments_only(self, store: TrackingStore) -> None:
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id
        third = store.create_experiment("third", artifact_location=None, tags={}).experiment_id
        made = [store.create_run(new_run(where, start_time=1)).info.run_id for where in (DEFAULT, other, third)]

        assert ids(store, RunQuery((DEFAULT, third))) == sorted([made[0], made[2]])
        assert ids(store, RunQuery((other, "999", "abc"))) == [made[1]]
        assert ids(store, RunQuery(())) == []

    @pytest.mark.parametrize(
        ("view", "expected"), [(ViewType.ACTIVE_ONLY, [0]), (ViewType.DELETED_ONLY, [1]), (ViewType.ALL, [0, 1])]
    )
    def test_the_view_chooses_between_active_and_deleted_runs(
        self, store: TrackingStore, view: ViewType, expected: list[int]
    ) -> None:
        made = [store.create_run(new_run(start_time=9 - index)).info.run_id for index in range(2)]
        store.update_run(made[1], DELETE_RUN)

        assert ids(store, RunQuery((DEFAULT,), view=view)) == [made[index] for index in expected]

    def test_a_filter_and_an_order_apply_before_the_page_is_cut(self, store: TrackingStore) -> None:
        made = [store.create_run(new_run()).info.run_id for _ in range(6)]
        for index, run_id in enumerate(made):
            store.log_batch(run_id, Batch(metrics=(Metric("m", float(index), 1),)))
        order = (OrderBy(Field("metric", "m"), ascending=False),)

        page = store.search_runs(RunQuery((DEFAULT,), Comparison(Field("metric", "m"), "<", 4.0), order, max_results=2))

        assert [run.info.run_id for run in page.items] == [made[3], made[2]]

    @pytest.mark.parametrize("field", [Field("param", "k"), Field("tag", "k"), Field("attribute", "status")])
    def test_a_field_is_compared_with_a_list_of_texts(self, store: TrackingStore, field: Field) -> None:
        made = [store.create_run(new_run()).info.run_id for _ in range(3)]
        for run_id, status in zip(made, (RunStatus.FINISHED, RunStatus.FAILED), strict=False):
            store.log_batch(run_id, Batch(params=(Param("k", status.value),), tags=(RunTag("k", status.value),)))
            store.update_run(run_id, RunChange(status=status))
        others = [made[2]] if field.entity == "attribute" else []  # only an attribute has every run

        within = ids(store, RunQuery((DEFAULT,), Comparison(field, "IN", ("FINISHED", "KILLED"))))
        without = ids(store, RunQuery((DEFAULT,), Comparison(field, "NOT IN", ("FINISHED", "KILLED"))))

        assert within == [made[0]]
        assert without == sorted([made[1], *others])

    def test_pages_follow_each_other_and_the_last_one_says_so(self, store: TrackingStore) -> None:
        made = [store.create_run(new_run(start_time=9 - index)).info.run_id for index in range(4)]

        first = store.search_runs(RunQuery((DEFAULT,), max_results=2))
        second = store.search_runs(RunQuery((DEFAULT,), max_results=2, page_token=first.next_token))

        assert [run.info.run_id for run in (*first.items, *second.items)] == made
        assert first.next_token is not None
        assert second.next_token is None

    @pytest.mark.parametrize("token", BAD_TOKENS)
    def test_a_bad_page_token_is_refused(self, store: TrackingStore, token: str) -> None:
        for search in (
            lambda: store.search_runs(RunQuery((DEFAULT,), page_token=token)),
            lambda: store.search_experiments(ExperimentQuery(page_token=token)),
        ):
            with pytest.raises(InvalidParameterError, match="invalid page token"):
                search()

    def test_experiments_are_searched_by_filter_view_and_page(self, store: TrackingStore) -> None:
        made = [store.create_experiment(name, artifact_location=None, tags={"n": name}).experiment_id for name in "abc"]
        store.update_experiment(made[1], DELETE)
        by_name = (OrderBy(Field("attribute", "name")),)
        tagged = Comparison(Field("tag", "n"), "IS NOT NULL")

        active = store.search_experiments(ExperimentQuery(tagged, by_name))
        deleted = store.search_experiments(ExperimentQuery(view=ViewType.DELETED_ONLY))
        page = store.search_experiments(ExperimentQuery(order_by=by_name, view=ViewType.ALL, max_results=3))
        rest = store.search_experiments(
            ExperimentQuery(order_by=by_name, view=ViewType.ALL, max_results=3, page_token=page.next_token)
        )

        assert [each.experiment_id for each in active.items] == [made[0], made[2]]
        assert [each.experiment_id for each in deleted.items] == [made[1]]
        assert [each.name for each in (*page.items, *rest.items)] == ["Default", "a", "b", "c"]
        assert [each.tags for each in active.items] == [{"n": "a"}, {"n": "c"}]


class TrackingStoreContract(
    ExperimentContract,
    AdoptionContract,
    RunContract,
    RecordingContract,
    GroupCommitContract,
    ReplayContract,
    LoggedModelContract,
    SeriesContract,
    CountContract,
    BucketContract,
    ChangeCursorContract,
    OverviewContract,
    TableContract,
    SearchContract,
    OracleContract,
    MachineContract,
    ChangesContract,
    RacingChangesContract,
    RaceContract,
    ForkContract,
    ProcessContract,
    ReplayProcessContract,
):
    """Everything that the kernel relies on in a tracking store; needs a fixture `store`."""

    def test_the_store_has_the_methods_of_the_contract(self, store: TrackingStore) -> None:
        assert isinstance(store, TrackingStore)


def ids(store: TrackingStore, query: RunQuery) -> list[str]:
    """Return the run ids that a search gives, in order."""
    found: tuple[Run, ...] = store.search_runs(query).items
    return [run.info.run_id for run in found]
