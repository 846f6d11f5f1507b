"""Broken endpoints and batch predictions, each caught by the test that is about its fault."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.errors import NotFoundError
from mlcore.interfaces import BatchPrediction, Deployment, DeploymentEndpoint
from mlcore.testing import DeployerContract, MemoryDeployer, MemoryTarget
from mlcore.testing.proof import caught_by

Config = Mapping[str, object]


class EndpointsShareEverything(MemoryTarget):
    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        super().at_endpoint(endpoint)
        return self


class EndpointForgetsDeployments(MemoryTarget):
    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        self.endpoints[endpoint] = MemoryDeployer()
        return self.endpoints[endpoint]

    def predict_at(self, endpoint: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        return self.predict("first", body, content_type)


class ReplacesAll(MemoryDeployer):
    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        kept = self.deployed[name]
        self.deployed.clear()
        self.deployed[name] = kept
        return super().update(name, model_uri, flavor, config)


class DeletesAll(MemoryDeployer):
    def delete(self, name: str, config: Config) -> None:
        self.deployed.clear()


class UpdateReplacesTheOthers(MemoryTarget):
    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        return self.endpoints.setdefault(endpoint, ReplacesAll())


class DeletionTakesTheOthers(MemoryTarget):
    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        return self.endpoints.setdefault(endpoint, DeletesAll())


class EndpointLeavesDeployments(MemoryTarget):
    def delete_endpoint(self, name: str) -> None:
        self.endpoints.pop(name, None)


class UnknownEndpointIsEmpty(MemoryTarget):
    def get_endpoint(self, name: str) -> DeploymentEndpoint:
        return DeploymentEndpoint(name, "ready")


class TakesAnyEndpointName(MemoryTarget):
    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        return self.endpoints.setdefault(endpoint, MemoryDeployer())


class BatchRunsEachTime(MemoryTarget):
    runs = 0

    def batch_predict(
        self, name: str, model_uri: str, flavor: str | None, input_uri: str, output_uri: str, config: Config
    ) -> BatchPrediction:
        self.runs += 1
        done = super().batch_predict(f"{name}-{self.runs}", model_uri, flavor, input_uri, output_uri, config)
        self.batches[name] = done
        return done


class BatchReplaces(MemoryTarget):
    def batch_predict(
        self, name: str, model_uri: str, flavor: str | None, input_uri: str, output_uri: str, config: Config
    ) -> BatchPrediction:
        self.batches.pop(name, None)
        return super().batch_predict(name, model_uri, flavor, input_uri, output_uri, config)


class BatchesByArrival(MemoryTarget):
    def list_batches(self) -> tuple[BatchPrediction, ...]:
        return tuple(self.batches.values())


class StopsLoudly(MemoryTarget):
    def stop_batch(self, name: str) -> None:
        raise NotFoundError(f"batch prediction {name!r} does not run")


class NamelessBatchError(MemoryTarget):
    def get_batch(self, name: str) -> BatchPrediction:
        if name not in self.batches:
            raise NotFoundError("no such batch prediction")
        return super().get_batch(name)


_FAULTS: list[tuple[type[MemoryTarget], str]] = [
    (EndpointsShareEverything, "test_deleting_an_endpoint_deletes_its_deployments"),
    (EndpointForgetsDeployments, "test_each_deployment_of_an_endpoint_can_be_asked_and_so_can_the_endpoint"),
    (UpdateReplacesTheOthers, "test_updating_a_deployment_leaves_the_others_in_its_endpoint"),
    (DeletionTakesTheOthers, "test_deleting_a_deployment_leaves_the_others_in_its_endpoint"),
    (EndpointLeavesDeployments, "test_deleting_an_endpoint_deletes_its_deployments"),
    (UnknownEndpointIsEmpty, "test_an_unknown_endpoint_is_named_in_the_error"),
    (TakesAnyEndpointName, "test_names_of_endpoints_that_the_target_refuses_are_told"),
    (BatchRunsEachTime, "test_the_same_batch_prediction_started_twice_runs_once"),
    (BatchReplaces, "test_the_name_of_a_batch_prediction_is_not_used_for_another_model"),
    (BatchesByArrival, "test_batch_predictions_are_listed_by_name"),
    (StopsLoudly, "test_stopping_a_batch_prediction_that_has_ended_or_never_was_does_nothing"),
    (NamelessBatchError, "test_an_unknown_batch_prediction_is_named_in_the_error"),
]

for _broken, _test in _FAULTS:
    _proof = caught_by(DeployerContract, _test, deployer=_broken)
    _proof.__test__ = True  # type: ignore[attr-defined]  # pytest reads it
    globals()[f"Test{_broken.__name__}"] = _proof
