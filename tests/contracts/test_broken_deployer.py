"""Broken deployers, each caught by the test that is about its fault."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from attrs import evolve

from mlcore.errors import AlreadyExistsError, MlcoreError, NotFoundError
from mlcore.interfaces import Deployment
from mlcore.testing import DeployerContract, MemoryDeployer
from mlcore.testing.memory_flavor import LinearModel
from mlcore.testing.proof import caught_by

Config = Mapping[str, object]


class CreateIsNotIdempotent(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        if name in self.deployed:
            raise AlreadyExistsError(f"deployment {name!r} exists")
        return super().create(name, model_uri, flavor, config)


class CreateReplaces(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        self.deployed.pop(name, None)
        return super().create(name, model_uri, flavor, config)


class LosesTheRace(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        free = name not in self.deployed
        time.sleep(0.02)
        if free:
            return self._put(Deployment(name, "ready", model_uri, flavor))
        return super().create(name, model_uri, flavor, config)


class LeavesTheHalf(MemoryDeployer):
    def _put(self, wanted: Deployment) -> Deployment:
        half = (evolve(wanted, state="failed"), LinearModel(0.0))
        self.deployed[wanted.name] = half
        return super()._put(wanted)


class UpdateTakesTheOldAway(MemoryDeployer):
    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        old = self.get(name)
        self.deployed.pop(name)
        return self._put(evolve(old, model_uri=model_uri or old.model_uri))


class UpdateForgetsTheModel(MemoryDeployer):
    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        found = super().update(name, model_uri, flavor, config)
        self.deployed[name] = (evolve(found, model_uri=model_uri), self.deployed[name][1])
        return found


class QuotaIsAnyError(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        try:
            return super().create(name, model_uri, flavor, config)
        except MlcoreError as error:
            raise MlcoreError(f"deployment {name!r} failed") from error


class InterruptedIsInTheWay(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        try:
            return super().create(name, model_uri, flavor, config)
        except KeyboardInterrupt:
            self.stuck = name
            raise

    def delete(self, name: str, config: Config) -> None:
        if getattr(self, "stuck", None) == name:
            raise MlcoreError(f"deployment {name!r} is being created")
        super().delete(name, config)


class DeleteMissesLoudly(MemoryDeployer):
    def delete(self, name: str, config: Config) -> None:
        self.get(name)
        super().delete(name, config)


class TakesAnyName(MemoryDeployer):
    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        return self._put(Deployment(name, "ready", model_uri, flavor))


class ListsByArrival(MemoryDeployer):
    def list(self) -> tuple[Deployment, ...]:
        return tuple(found for found, _ in self.deployed.values())


class NamelessError(MemoryDeployer):
    def get(self, name: str) -> Deployment:
        if name not in self.deployed:
            raise NotFoundError("no such deployment")
        return super().get(name)


_FAULTS: list[tuple[type[MemoryDeployer], str]] = [
    (CreateIsNotIdempotent, "test_creating_the_same_again_makes_nothing_more"),
    (CreateReplaces, "test_a_name_in_use_for_another_model_is_refused"),
    (LosesTheRace, "test_of_two_models_racing_for_a_name_one_wins_and_the_other_is_told"),
    (LeavesTheHalf, "test_a_creation_that_fails_half_way_leaves_nothing_and_can_be_repeated"),
    (LeavesTheHalf, "test_an_exhausted_quota_is_an_error_of_its_own_and_leaves_nothing"),
    (UpdateTakesTheOldAway, "test_an_update_that_fails_leaves_the_old_deployment_serving"),
    (UpdateForgetsTheModel, "test_an_update_without_a_model_keeps_it"),
    (QuotaIsAnyError, "test_an_exhausted_quota_is_an_error_of_its_own_and_leaves_nothing"),
    (InterruptedIsInTheWay, "test_an_interrupted_wait_leaves_nothing_that_is_in_the_way"),
    (DeleteMissesLoudly, "test_deleting_what_is_not_there_does_nothing"),
    (DeleteMissesLoudly, "test_racing_deletions_do_no_harm"),
    (TakesAnyName, "test_names_that_the_target_refuses_are_told_before_anything_is_made"),
    (ListsByArrival, "test_deployments_are_listed_by_name"),
    (NamelessError, "test_an_unknown_deployment_is_named_in_the_error"),
]


class FaultyDeployerContract(DeployerContract):
    """The suite with the deployer as the source of its own faults."""

    __test__ = False

    @pytest.fixture
    def faults(self, deployer: MemoryDeployer) -> MemoryDeployer:
        return deployer


for _broken, _test in _FAULTS:
    _proof = caught_by(FaultyDeployerContract, _test, deployer=_broken)
    _proof.__test__ = True  # type: ignore[attr-defined]  # pytest reads it
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:20]}"] = _proof
