"""The part of the contract suite of tracking stores that is about experiments."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import pytest

from mlcore.entities import (
    ExperimentChange,
    LifecycleStage,
)
from mlcore.errors import (
    AlreadyExistsError,
    InvalidStateError,
    NotFoundError,
)
from mlcore.interfaces import TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_samples import DEFAULT, DELETE, DELETE_RUN, RESTORE, in_threads, new_run


class ExperimentContract(PluginModuleContract):
    """What is expected of experiments."""

    def test_the_default_experiment_is_there_from_the_start(self, store: TrackingStore) -> None:
        found = store.get_experiment(DEFAULT)

        assert (found.experiment_id, found.name, found.lifecycle_stage) == (DEFAULT, "Default", LifecycleStage.ACTIVE)
        assert found.artifact_location.partition(":")[2]

    def test_a_created_experiment_is_read_back_by_id_and_by_name(self, store: TrackingStore) -> None:
        created = store.create_experiment("iris", artifact_location=None, tags={"team": "a", "Ünï": "ß\n"})

        assert store.get_experiment(created.experiment_id) == created
        assert store.get_experiment_by_name("iris") == created
        assert created.tags == {"team": "a", "Ünï": "ß\n"}
        assert created.creation_time == created.last_update_time

    def test_a_given_artifact_location_is_kept_and_runs_go_below_it(self, store: TrackingStore) -> None:
        created = store.create_experiment("s3", artifact_location="s3://bucket/a b", tags={})

        run = store.create_run(new_run(created.experiment_id))

        assert created.artifact_location == "s3://bucket/a b"
        assert run.info.artifact_uri == f"s3://bucket/a b/{run.info.run_id}/artifacts"

    def test_an_experiment_name_is_taken_once(self, store: TrackingStore) -> None:
        store.create_experiment("iris", artifact_location=None, tags={})

        with pytest.raises(AlreadyExistsError, match="'iris' already exists"):
            store.create_experiment("iris", artifact_location=None, tags={})

    def test_the_name_of_a_deleted_experiment_stays_taken(self, store: TrackingStore) -> None:
        old = store.create_experiment("iris", artifact_location=None, tags={})
        store.update_experiment(old.experiment_id, DELETE)

        with pytest.raises(AlreadyExistsError, match=r"deleted.*restore"):
            store.create_experiment("iris", artifact_location=None, tags={})

    def test_of_many_racing_creators_of_one_name_exactly_one_succeeds(self, store: TrackingStore) -> None:
        found = in_threads(8, lambda _: store.create_experiment("race", artifact_location=None, tags={}))

        assert sum(not isinstance(each, Exception) for each in found) == 1
        assert sum(isinstance(each, AlreadyExistsError) for each in found) == 7

    @pytest.mark.parametrize("experiment_id", ["999", "abc", "00", "-1", "1.0", "9" * 40])
    def test_an_unknown_experiment_id_is_not_found(self, store: TrackingStore, experiment_id: str) -> None:
        with pytest.raises(NotFoundError, match=f"no experiment with id='{experiment_id}'"):
            store.get_experiment(experiment_id)

    def test_an_unknown_experiment_name_gives_none(self, store: TrackingStore) -> None:
        assert store.get_experiment_by_name("nope") is None

    def test_renaming_an_experiment_keeps_its_id_and_runs(self, store: TrackingStore) -> None:
        old = store.create_experiment("old", artifact_location=None, tags={})
        run = store.create_run(new_run(old.experiment_id))

        renamed = store.update_experiment(old.experiment_id, ExperimentChange(name="new"))

        assert (renamed.experiment_id, renamed.name) == (old.experiment_id, "new")
        assert store.get_experiment_by_name("old") is None
        assert store.get_run(run.info.run_id).info.experiment_id == old.experiment_id

    def test_renaming_to_a_taken_name_is_refused(self, store: TrackingStore) -> None:
        one = store.create_experiment("one", artifact_location=None, tags={})
        store.create_experiment("two", artifact_location=None, tags={})

        with pytest.raises(AlreadyExistsError, match="'two' already exists"):
            store.update_experiment(one.experiment_id, ExperimentChange(name="two"))

    def test_experiment_tags_are_set_overwritten_and_deleted(self, store: TrackingStore) -> None:
        store.update_experiment(DEFAULT, ExperimentChange(set_tags={"a": "1", "b": "2"}))

        found = store.update_experiment(DEFAULT, ExperimentChange(set_tags={"a": "3"}, delete_tags=("b",)))

        assert found.tags == {"a": "3"}
        assert store.get_experiment(DEFAULT).tags == {"a": "3"}

    def test_deleting_a_missing_experiment_tag_is_not_found_and_changes_nothing(self, store: TrackingStore) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            store.update_experiment(DEFAULT, ExperimentChange(name="x", set_tags={"a": "1"}, delete_tags=("nope",)))

        assert store.get_experiment(DEFAULT).name == "Default"
        assert store.get_experiment(DEFAULT).tags == {}

    def test_a_deleted_experiment_takes_its_runs_along_and_brings_them_back(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.update_experiment(DEFAULT, DELETE)
        deleted = store.get_run(run_id).info.lifecycle_stage
        store.update_experiment(DEFAULT, RESTORE)

        assert deleted is LifecycleStage.DELETED
        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.ACTIVE

    def test_a_run_that_was_deleted_before_its_experiment_stays_deleted(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_run(run_id, DELETE_RUN)

        store.update_experiment(DEFAULT, DELETE)
        store.update_experiment(DEFAULT, RESTORE)

        assert store.get_run(run_id).info.lifecycle_stage is LifecycleStage.DELETED

    def test_a_deleted_experiment_takes_no_runs_tags_or_names(self, store: TrackingStore) -> None:
        store.update_experiment(DEFAULT, DELETE)

        with pytest.raises(InvalidStateError, match=r"'0' must be in the 'active' state.*restore it first"):
            store.create_run(new_run())
        with pytest.raises(InvalidStateError, match="'active' state"):
            store.update_experiment(DEFAULT, ExperimentChange(name="x"))
        with pytest.raises(InvalidStateError, match="'active' state"):
            store.update_experiment(DEFAULT, ExperimentChange(set_tags={"a": "1"}))

    def test_deleting_a_deleted_experiment_and_restoring_an_active_one_are_not_found(
        self, store: TrackingStore
    ) -> None:
        with pytest.raises(NotFoundError, match="'active' already"):
            store.update_experiment(DEFAULT, RESTORE)

        store.update_experiment(DEFAULT, DELETE)

        with pytest.raises(NotFoundError, match="'deleted' already"):
            store.update_experiment(DEFAULT, DELETE)
