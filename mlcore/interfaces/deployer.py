"""The contract of a deployer: how a model gets to a serving target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

from attrs import field, frozen

PlannedAction = Literal["create", "update", "delete"]


@frozen
class Deployment:
    """A model at a target.

    state: `creating`, `ready`, `updating`, `failed` or `deleting`.
    detail: what the target itself tells, plain JSON values.
    """

    name: str
    state: str
    model_uri: str | None = None
    flavor: str | None = None
    detail: Mapping[str, object] = field(factory=dict)


@frozen
class PlannedCall:
    """One call that a deployer would make to its target.

    service: who is called, such as `s3`. operation: in the service's own words, such as `PutObject`.
    arguments: plain JSON values; secrets masked. reads: it changes nothing, so planning made it as well.
    """

    service: str
    operation: str
    arguments: Mapping[str, object] = field(factory=dict)
    reads: bool = False


@runtime_checkable
class Deployer(Protocol):
    """Bring models to one kind of target.

    To write one, make two files: `plugin.py` with the hook `deployer`, and `deployer.py` with a class that has
    these methods.

    Values in a config may be texts, as a command line gives them, or of their own type. A deployer raises
    InvalidParameterError for a name that the target refuses and for a key that it does not know, before it changes
    anything; LimitExceededError for an exhausted quota.
    """

    def create(self, name: str, model_uri: str, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Deploy a model.

        Doing it again with the same model and config returns what is there, also when the first attempt was cut off.
        When a step fails, what the attempt made is removed.
        Raises AlreadyExistsError: the name is in use for another model or config.
        """
        ...

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Mapping[str, object]) -> Deployment:
        """Replace model or configuration; on failure the old deployment goes on serving.

        model_uri: None keeps the model. Raises NotFoundError: no such deployment.
        """
        ...

    def delete(self, name: str, config: Mapping[str, object]) -> None:
        """Remove a deployment; nothing happens when it is not there."""
        ...

    def list(self) -> tuple[Deployment, ...]:
        """Return all deployments at the target, by name."""
        ...

    def get(self, name: str) -> Deployment:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        ...

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request; return body and content type of the answer."""
        ...


@runtime_checkable
class SupportsPlan(Protocol):
    """A deployer that can tell what it would do."""

    def plan(
        self, action: PlannedAction, name: str, model_uri: str | None, flavor: str | None, config: Mapping[str, object]
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that *action* would make, in order, and change nothing."""
        ...


@runtime_checkable
class SupportsExplain(Protocol):
    """A deployer whose target can explain predictions."""

    def explain(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a request like `predict`; return body and content type of the explanation.

        Raises UnsupportedError: this deployment was made without explanations.
        """
        ...


@runtime_checkable
class SupportsRunLocal(Protocol):
    """A deployer that can serve a model on this machine as its target would."""

    def run_local(self, name: str, model_uri: str, flavor: str | None, config: Mapping[str, object]) -> None:
        """Serve until interrupted; what happens in the meantime is logged."""
        ...


@frozen
class BatchPrediction:
    """A job that predicts for whole files.

    state: `running`, `succeeded`, `failed`, `stopping` or `stopped`. reason: why it failed, in the target's words.
    detail: what the target itself tells, plain JSON values.
    """

    name: str
    state: str
    model_uri: str | None = None
    input_uri: str | None = None
    output_uri: str | None = None
    reason: str = ""
    detail: Mapping[str, object] = field(factory=dict)


@runtime_checkable
class SupportsBatchPredict(Protocol):
    """A deployer whose target predicts for whole files, without a deployment."""

    def batch_predict(
        self,
        name: str,
        model_uri: str,
        flavor: str | None,
        input_uri: str,
        output_uri: str,
        config: Mapping[str, object],
    ) -> BatchPrediction:
        """Predict for the files below *input_uri*, write below *output_uri*, and wait unless the config says otherwise.

        The same job started twice runs once. Raises AlreadyExistsError: the name is in use for another model or input;
        MlcoreError: the job failed.
        """
        ...

    def get_batch(self, name: str) -> BatchPrediction:
        """Return a job. Raises NotFoundError: there is none of that name."""
        ...

    def list_batches(self) -> tuple[BatchPrediction, ...]:
        """Return the jobs that the target knows, by name."""
        ...

    def stop_batch(self, name: str) -> None:
        """Stop a job; nothing happens when it has ended or is not there."""
        ...


@runtime_checkable
class SupportsBatchPlan(Protocol):
    """A deployer that can tell what `batch_predict` would do."""

    def plan_batch_predict(
        self,
        name: str,
        model_uri: str,
        flavor: str | None,
        input_uri: str,
        output_uri: str,
        config: Mapping[str, object],
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that `batch_predict` would make, in order, and change nothing."""
        ...


@frozen
class DeploymentEndpoint:
    """A place at a target that holds deployments and shares the requests among them.

    state: as of a deployment. detail: what the target itself tells, plain JSON values.
    """

    name: str
    state: str
    detail: Mapping[str, object] = field(factory=dict)


@runtime_checkable
class SupportsEndpoints(Protocol):
    """A deployer whose target has endpoints that hold several deployments."""

    def at_endpoint(self, endpoint: str) -> Deployer:
        """Return the deployer of the deployments in one endpoint; asks nobody yet.

        Raises InvalidParameterError: the target refuses the name.
        """
        ...

    def create_endpoint(self, name: str, config: Mapping[str, object]) -> DeploymentEndpoint:
        """Make an endpoint; doing it again with the same config changes nothing.

        Raises AlreadyExistsError: the name is in use for something else; InvalidParameterError: the target has no
        endpoint without a deployment, and the config names no `model_uri` for one.
        """
        ...

    def update_endpoint(self, name: str, config: Mapping[str, object]) -> DeploymentEndpoint:
        """Change what all deployments of an endpoint share. Raises NotFoundError: no such endpoint."""
        ...

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint with its deployments; nothing happens when it is not there."""
        ...

    def list_endpoints(self) -> tuple[DeploymentEndpoint, ...]:
        """Return all endpoints at the target, by name."""
        ...

    def get_endpoint(self, name: str) -> DeploymentEndpoint:
        """Return one endpoint. Raises NotFoundError: no such endpoint."""
        ...

    def predict_at(self, endpoint: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request to whichever deployment the endpoint chooses."""
        ...
