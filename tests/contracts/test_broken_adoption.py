"""Stores that take over wrongly what others have, each caught by the test that is about its fault."""

from __future__ import annotations

from attrs import evolve

from mlcore.entities import Experiment, LifecycleStage, ModelVersion, RegisteredModel
from mlcore.testing import MemoryRegistryStore, MemoryTrackingStore, RegistryStoreContract, TrackingStoreContract
from mlcore.testing.proof import caught_by


class NewIds(MemoryTrackingStore):
    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        tags = dict(experiment.tags)
        return self.create_experiment(experiment.name, artifact_location=experiment.artifact_location, tags=tags)


class NewTimes(MemoryTrackingStore):
    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        return super().adopt_experiment(evolve(experiment, last_update_time=None))


class AllActive(MemoryTrackingStore):
    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        return super().adopt_experiment(evolve(experiment, lifecycle_stage=LifecycleStage.ACTIVE))


class TakesTheLast(MemoryTrackingStore):
    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        self.experiments.pop(experiment.experiment_id, None)
        return super().adopt_experiment(experiment)


class CountsItsOwn(MemoryTrackingStore):
    """Counts on from the experiments that it made itself."""

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        with self._lock:
            own = {number: each for number, each in self.experiments.items() if not each.name.startswith("adopted")}
            others = {number: each for number, each in self.experiments.items() if number not in own}
            self.experiments = own
            made = super().create_experiment(name, artifact_location=artifact_location, tags=tags)
            self.experiments = {**others, **self.experiments}
            return made


class PlaceIsNowhere(MemoryTrackingStore):
    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        found = super().adopt_experiment(experiment)
        return evolve(found, artifact_location=experiment.artifact_location)


class Renumbers(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        line = self._line(version.name)
        return super().adopt_version(evolve(version, version=str(line.count + 1)))


class CountsVersionsThere(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        found = super().adopt_version(version)
        self.lines[version.name].count = len(self.lines[version.name].versions)
        return found


class LatestByArrival(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        found = super().adopt_version(version)
        line = self.lines[version.name]
        line.versions[version.version] = line.versions.pop(version.version)
        return found


class StealsAliases(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        super().adopt_version(version)
        self.lines[version.name].aliases.update(dict.fromkeys(version.aliases, version.version))
        return self.get_version(version.name, version.version)


class TouchesTheModel(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        found = super().adopt_version(version)
        line = self.lines[version.name]
        line.model = evolve(line.model, last_updated_timestamp=1)
        return found


class KeepsTheLastModel(MemoryRegistryStore):
    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        found = super().adopt_model(model)
        self.lines[model.name].model = evolve(found, description=model.description, latest_versions=(), aliases={})
        return self.get_model(model.name)


class MakesMissingModels(MemoryRegistryStore):
    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        if version.name not in self.lines:
            self.create_model(version.name, description="", tags={})
        return super().adopt_version(version)


_EXPERIMENTS: list[tuple[type[MemoryTrackingStore], str]] = [
    (NewIds, "test_an_adopted_experiment_is_what_it_was"),
    (NewTimes, "test_an_adopted_experiment_is_what_it_was"),
    (AllActive, "test_a_deleted_experiment_stays_deleted_until_it_is_restored"),
    (TakesTheLast, "test_adopting_again_changes_nothing"),
    (TakesTheLast, "test_an_id_or_a_name_of_another_experiment_is_refused"),
    (CountsItsOwn, "test_own_ids_never_meet_adopted_ones"),
    (NewIds, "test_of_many_that_adopt_one_experiment_all_get_it"),
    (PlaceIsNowhere, "test_an_adopted_experiment_without_a_place_gets_one"),
]
_MODELS: list[tuple[type[MemoryRegistryStore], str]] = [
    (Renumbers, "test_an_adopted_version_is_what_it_was"),
    (TouchesTheModel, "test_an_adopted_version_is_what_it_was"),
    (CountsVersionsThere, "test_numbers_keep_their_gaps_and_new_ones_come_after_the_greatest"),
    (LatestByArrival, "test_the_latest_version_of_a_stage_has_the_greatest_number_whatever_came_last"),
    (KeepsTheLastModel, "test_adopting_again_changes_nothing"),
    (StealsAliases, "test_an_alias_that_is_taken_stays_where_it_is"),
    (MakesMissingModels, "test_a_version_of_an_unknown_model_is_not_found"),
]

for _broken, _test in _EXPERIMENTS:
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        TrackingStoreContract, _test, store=_broken
    )
for _faulty, _test in _MODELS:
    globals()[f"Test{_faulty.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        RegistryStoreContract, _test, registry=_faulty
    )
