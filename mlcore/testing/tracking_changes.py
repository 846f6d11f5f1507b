"""The part of the contract suite of tracking stores that is about what changes leave alone, also in many threads."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import time
from collections.abc import Callable

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    ExperimentChange,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    Param,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.errors import NotFoundError
from mlcore.interfaces import TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.threads import race
from mlcore.testing.tracking_samples import DEFAULT, DELETE, DELETE_RUN, RESTORE, RESTORE_RUN, new_run

_RACERS = 16
_STEPS = 3
_CLOCKS_MS = 60_000  # clocks of servers differ by less than any timezone


class ChangesContract(PluginModuleContract):
    """What is expected of changes."""

    def test_setting_an_experiment_tag_leaves_the_others_and_tells_the_time(self, store: TrackingStore) -> None:
        store.update_experiment(DEFAULT, ExperimentChange(set_tags={"a": "1"}))

        found = store.update_experiment(DEFAULT, ExperimentChange(set_tags={"b": "2"}))

        assert found.tags == {"a": "1", "b": "2"}
        assert found.last_update_time is not None
        assert abs(found.last_update_time - time.time() * 1000) < _CLOCKS_MS

    def test_an_experiment_can_be_given_the_name_that_it_has(self, store: TrackingStore) -> None:
        found = store.update_experiment(DEFAULT, ExperimentChange(name="Default", set_tags={"a": "1"}))

        assert (found.name, found.tags) == ("Default", {"a": "1"})

    def test_a_deleted_run_can_be_restored_and_changed_at_once(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_run(run_id, DELETE_RUN)

        info = store.update_run(run_id, RunChange(run_name="back", lifecycle_stage=LifecycleStage.ACTIVE))

        assert (info.run_name, info.lifecycle_stage) == ("back", LifecycleStage.ACTIVE)

    def test_deleting_an_experiment_leaves_the_runs_of_others(self, store: TrackingStore) -> None:
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id
        run_id = store.create_run(new_run(other)).info.run_id

        store.update_experiment(DEFAULT, DELETE)

        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.ACTIVE

    def test_a_run_deleted_after_its_experiment_came_back_stays_deleted_the_next_time(
        self, store: TrackingStore
    ) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_experiment(DEFAULT, DELETE)
        store.update_experiment(DEFAULT, RESTORE)
        store.update_run(run_id, DELETE_RUN)

        store.update_experiment(DEFAULT, DELETE)
        store.update_experiment(DEFAULT, RESTORE)

        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED

    def test_a_run_restored_by_itself_stays_active_when_its_experiment_is_restored(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_experiment(DEFAULT, DELETE)
        store.update_run(run_id, RESTORE_RUN)

        store.update_experiment(DEFAULT, RESTORE)

        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.ACTIVE

    def test_what_was_given_and_what_was_told_belongs_to_the_caller(self, store: TrackingStore) -> None:
        given = {"k": "v"}
        made = store.create_experiment("mine", artifact_location=None, tags=given).experiment_id
        run_id = store.create_run(new_run(made, k="v")).info.run_id
        store.log_batch(run_id, Batch(params=(Param("p", "1"),)))

        given["k"] = "changed"
        told = store.get_run(run_id).data
        for mapping in (told.params, told.tags):
            if isinstance(mapping, dict):
                mapping.clear()

        run = store.get_run(run_id)
        assert store.get_experiment(made).tags == {"k": "v"}
        assert (run.data.params, run.data.tags["k"]) == ({"p": "1"}, "v")


class RacingChangesContract(PluginModuleContract):
    """What is expected when many threads change and read the same at one moment."""

    def test_no_change_is_lost_when_many_change_one_experiment(self, store: TrackingStore) -> None:
        found = race(_RACERS, lambda n: store.update_experiment(DEFAULT, ExperimentChange(set_tags={f"t{n}": "v"})))

        assert [each for each in found if isinstance(each, Exception)] == []
        assert store.get_experiment(DEFAULT).tags == {f"t{n}": "v" for n in range(_RACERS)}

    def test_no_change_is_lost_when_many_change_one_run(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        changes = [RunChange(status=RunStatus.FAILED), RunChange(end_time=7), RunChange(run_name="other")]

        found = race(_RACERS, lambda n: store.update_run(run_id, changes[n % 3]))

        info = store.get_run(run_id).info
        assert [each for each in found if isinstance(each, Exception)] == []
        assert (info.status, info.end_time, info.run_name) == (RunStatus.FAILED, 7, "other")

    def test_of_many_racing_deletions_of_a_tag_one_succeeds(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run(t="1")).info.run_id

        found = race(_RACERS, lambda _: store.delete_tag(run_id, "t"))

        assert found.count(None) == 1
        assert sum(isinstance(each, NotFoundError) for each in found) == _RACERS - 1

    def test_readers_and_writers_do_not_disturb_each_other(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        reads: list[Callable[[], object]] = [
            lambda: store.get_run(run_id),
            lambda: store.search_runs(RunQuery((DEFAULT,), view=ViewType.ALL)),
            lambda: store.search_experiments(ExperimentQuery()),
            lambda: store.get_experiment_by_name("not there"),
            lambda: store.get_metric_history(run_id, "m0", max_results=100, page_token=None),
        ]

        def work(number: int) -> None:
            for step in range(_STEPS):
                if number % 2:
                    for read in reads:
                        read()
                    continue
                name = f"{number}-{step}"
                tags = (RunTag(name, "v"),)
                store.log_batch(run_id, Batch((Metric(f"m{number}", 1.0, step, step),), (Param(name, "v"),), tags))
                store.log_inputs(run_id, (DatasetInput(Dataset(name, "1")),))
                store.create_run(new_run())
                store.create_experiment(name, artifact_location=None, tags={})

        found = race(_RACERS, work)

        run = store.get_run(run_id)
        assert found == [None] * _RACERS
        written = _RACERS // 2 * _STEPS
        assert (len(run.data.params), len(run.inputs.dataset_inputs)) == (written, written)
        assert sum(each.name[0].isdigit() for each in store.search_experiments(ExperimentQuery()).items) == written
