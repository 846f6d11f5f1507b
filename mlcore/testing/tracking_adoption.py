"""The part of the contract suite of tracking stores that is about experiments of other stores.

Its tests are skipped for a store that is no `SupportsAdoption`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import pytest

from mlcore.entities import Experiment, ExperimentQuery, LifecycleStage, ViewType
from mlcore.errors import AlreadyExistsError, InvalidStateError
from mlcore.interfaces import SupportsAdoption, TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.threads import race
from mlcore.testing.tracking_samples import RESTORE, new_run

_OLD = Experiment(
    "123456789012345678",
    "öld",
    "s3://elsewhere/x",
    LifecycleStage.ACTIVE,
    1_400_000_000_123,
    1_500_000_000_456,
    {"team": "ß", "empty": ""},
)


def _adopting(store: TrackingStore) -> SupportsAdoption:
    if not isinstance(store, SupportsAdoption):
        pytest.skip("the store takes over no experiments")
    return store


class AdoptionContract(PluginModuleContract):
    """What is expected of `adopt_experiment`."""

    def test_an_adopted_experiment_is_what_it_was(self, store: TrackingStore) -> None:
        made = _adopting(store).adopt_experiment(_OLD)

        assert made == _OLD
        assert store.get_experiment(_OLD.experiment_id) == _OLD
        assert store.get_experiment_by_name("öld") == _OLD
        run = store.create_run(new_run(_OLD.experiment_id))
        assert run.info.artifact_uri.startswith("s3://elsewhere/x/")

    def test_a_deleted_experiment_stays_deleted_until_it_is_restored(self, store: TrackingStore) -> None:
        gone = Experiment("7", "gone", "s3://x", LifecycleStage.DELETED, 1, 2)

        made = _adopting(store).adopt_experiment(gone)

        assert made == gone
        assert store.search_experiments(ExperimentQuery(view=ViewType.DELETED_ONLY)).items == (gone,)
        with pytest.raises(InvalidStateError):
            store.create_run(new_run("7"))
        assert store.update_experiment("7", RESTORE).lifecycle_stage == LifecycleStage.ACTIVE

    def test_an_adopted_experiment_without_a_place_gets_one(self, store: TrackingStore) -> None:
        made = _adopting(store).adopt_experiment(Experiment("5", "new", ""))

        assert made.artifact_location != ""
        assert made.creation_time is not None
        assert made.last_update_time is not None
        assert made == store.get_experiment("5")

    def test_adopting_again_changes_nothing(self, store: TrackingStore) -> None:
        adopting = _adopting(store)
        adopting.adopt_experiment(_OLD)

        again = adopting.adopt_experiment(
            Experiment(_OLD.experiment_id, _OLD.name, "s3://other", LifecycleStage.DELETED, 7, 8, {"other": "1"})
        )

        assert again == _OLD == store.get_experiment(_OLD.experiment_id)

    def test_an_id_or_a_name_of_another_experiment_is_refused(self, store: TrackingStore) -> None:
        adopting = _adopting(store)
        mine = store.create_experiment("mine", artifact_location=None, tags={})

        for clash in (Experiment(mine.experiment_id, "theirs", ""), Experiment("9876", "mine", "")):
            with pytest.raises(AlreadyExistsError, match="mine"):
                adopting.adopt_experiment(clash)

        assert [each.name for each in store.search_experiments(ExperimentQuery()).items].count("theirs") == 0
        assert store.get_experiment(mine.experiment_id) == mine

    def test_own_ids_never_meet_adopted_ones(self, store: TrackingStore) -> None:
        adopting = _adopting(store)
        first = store.create_experiment("first", artifact_location=None, tags={})
        taken = [str(int(first.experiment_id) + ahead) for ahead in (1, 2, 9)]
        for number in taken:
            adopting.adopt_experiment(Experiment(number, f"adopted {number}", ""))

        made = race(12, lambda n: store.create_experiment(f"own {n}", artifact_location=None, tags={}))

        ids = [each.experiment_id for each in made if isinstance(each, Experiment)]
        assert len(set(ids)) == 12
        assert set(ids).isdisjoint(taken)

    def test_of_many_that_adopt_one_experiment_all_get_it(self, store: TrackingStore) -> None:
        adopting = _adopting(store)

        assert race(8, lambda _: adopting.adopt_experiment(_OLD)) == [_OLD] * 8
