"""A deployment target in memory that has endpoints and batch predictions: a fake for tests of those abilities."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.interfaces import BatchPrediction, DeploymentEndpoint
from mlcore.testing.memory_deployer import MemoryDeployer
from mlcore.uris import local_path


class MemoryTarget(MemoryDeployer):
    """A MemoryDeployer with endpoints, each of which holds deployments of its own, and with batch predictions."""

    def __init__(self) -> None:
        """Start with an empty target."""
        super().__init__()
        self.endpoints: dict[str, MemoryDeployer] = {}
        self.batches: dict[str, BatchPrediction] = {}

    def at_endpoint(self, endpoint: str) -> MemoryDeployer:
        """Return the deployer of one endpoint, which is there from now on."""
        _check(endpoint)
        return self.endpoints.setdefault(endpoint, MemoryDeployer())

    def create_endpoint(self, name: str, config: Mapping[str, object]) -> DeploymentEndpoint:
        """Make an endpoint, or find it."""
        del config
        self.at_endpoint(name)
        return self.get_endpoint(name)

    def update_endpoint(self, name: str, config: Mapping[str, object]) -> DeploymentEndpoint:
        """Change nothing: its endpoints have no configuration."""
        del config
        return self.get_endpoint(name)

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint with its deployments."""
        found = self.endpoints.pop(name, None)
        if found is not None:
            found.deployed.clear()

    def list_endpoints(self) -> tuple[DeploymentEndpoint, ...]:
        """Return all endpoints, by name."""
        return tuple(DeploymentEndpoint(name, "ready") for name in sorted(self.endpoints))

    def get_endpoint(self, name: str) -> DeploymentEndpoint:
        """Return one endpoint. Raises NotFoundError: no such endpoint."""
        if name not in self.endpoints:
            raise NotFoundError(f"no endpoint {name!r} in memory (known: {', '.join(self.endpoints) or 'none'})")
        return DeploymentEndpoint(name, "ready")

    def predict_at(self, endpoint: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Ask the first deployment of an endpoint."""
        self.get_endpoint(endpoint)
        inside = self.endpoints[endpoint]
        if not inside.deployed:
            raise NotFoundError(f"endpoint {endpoint!r} has no deployment that could answer")
        return inside.predict(min(inside.deployed), body, content_type)

    def batch_predict(
        self,
        name: str,
        model_uri: str,
        flavor: str | None,
        input_uri: str,
        output_uri: str,
        config: Mapping[str, object],
    ) -> BatchPrediction:
        """Predict for each file of a folder of this machine; write `FILE.out` for each."""
        _check(name)
        wanted = BatchPrediction(name, "succeeded", model_uri, input_uri, output_uri)
        if name in self.batches:
            if self.batches[name] != wanted:
                raise AlreadyExistsError(f"batch prediction {name!r} exists for another model or place")
            return wanted
        inside = MemoryDeployer()
        inside.create(name, model_uri, flavor, config)
        output = local_path(output_uri)
        output.mkdir(parents=True, exist_ok=True)
        for file in sorted(local_path(input_uri).iterdir()):
            answer, _ = inside.predict(name, file.read_bytes(), "application/json")
            (output / f"{file.name}.out").write_bytes(answer)
        self.batches[name] = wanted
        return wanted

    def get_batch(self, name: str) -> BatchPrediction:
        """Return a batch prediction. Raises NotFoundError: there is none of that name."""
        if name not in self.batches:
            raise NotFoundError(f"no batch prediction {name!r} in memory")
        return self.batches[name]

    def list_batches(self) -> tuple[BatchPrediction, ...]:
        """Return all batch predictions, by name."""
        return tuple(self.batches[name] for name in sorted(self.batches))

    def stop_batch(self, name: str) -> None:
        """Do nothing: they end before anybody could stop them."""


def _check(name: str) -> None:
    if not name or len(name) > 63 or not name.replace("-", "").isalnum():
        raise InvalidParameterError(f"invalid name {name!r}: expected 1 to 63 letters, digits, hyphens")
