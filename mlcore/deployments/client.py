"""The client of a deployment target, with the methods and answers of MLflow's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, overload

from attrs import asdict

from mlcore.deployments.predictions import PredictionsResponse, payload
from mlcore.deployments.target import find_deployments_target
from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore.interfaces.deployer import (
    BatchPrediction,
    Deployer,
    Deployment,
    DeploymentEndpoint,
    PlannedAction,
    SupportsBatchPlan,
    SupportsBatchPredict,
    SupportsEndpoints,
    SupportsExplain,
    SupportsPlan,
    SupportsRunLocal,
)

if TYPE_CHECKING:
    from mlcore.plugins import Plugins

Config = Mapping[str, object]
_TARGET = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-_]*)(:.*)?$", re.DOTALL)


def target_name(target_uri: str) -> str:
    """Return who is responsible for a target: `sagemaker` for `sagemaker:/eu-west-1` and for `sagemaker`.

    Raises InvalidParameterError: the text names no target.
    """
    found = _TARGET.match(target_uri)
    if found is None:
        raise InvalidParameterError(
            f"{target_uri!r} is no deployment target: expected a name such as 'sagemaker', or 'sagemaker:/eu-west-1'"
        )
    return found[1]


def open_deployer(target_uri: str, plugins: Plugins | None = None) -> Deployer:
    """Return the deployer for a target. Raises PluginNotFoundError: no installed plugin knows it."""
    from mlcore.hookspecs import HookSpecs
    from mlcore.plugins import current

    return (plugins or current()).first(HookSpecs.deployer, name=target_name(target_uri), target_uri=target_uri)


def to_dictionary(found: Deployment) -> dict[str, object]:
    """Return a deployment as MLflow's clients do: one flat dict with `name`, `flavor` and what the target tells."""
    return {
        **found.detail,
        "name": found.name,
        "flavor": found.flavor,
        "state": found.state,
        "model_uri": found.model_uri,
    }


def endpoint_dictionary(found: DeploymentEndpoint) -> dict[str, object]:
    """Return an endpoint as MLflow's clients do: one flat dict with `name` and what the target tells."""
    return {**found.detail, "name": found.name, "state": found.state}


def batch_dictionary(found: BatchPrediction) -> dict[str, object]:
    """Return a batch prediction as a flat dict, with what the target tells."""
    own = asdict(found)
    return {**own.pop("detail"), **own}


class DeployClient:
    """Deployments at one target.

    endpoint: where a method takes it, the deployment is one of those in that endpoint; UnsupportedError is raised by
    targets whose deployments are in none. Texts are names throughout.
    """

    def __init__(self, target_uri: str, deployer: Deployer) -> None:
        """Work with *deployer*, which was opened for *target_uri*."""
        self.target_uri = target_uri
        self.deployer = deployer

    def create_deployment(
        self,
        name: str,
        model_uri: str,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> dict[str, object]:
        """Deploy a model; doing it again with the same arguments changes nothing.

        Raises AlreadyExistsError: the name is in use for another model.
        """
        return to_dictionary(self._at(endpoint).create(name, model_uri, flavor, config or {}))

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> dict[str, object]:
        """Replace model or configuration; on failure the old deployment goes on serving."""
        return to_dictionary(self._at(endpoint).update(name, model_uri, flavor, config or {}))

    def delete_deployment(self, name: str, config: Config | None = None, endpoint: str | None = None) -> None:
        """Remove a deployment; nothing happens when it is not there."""
        self._at(endpoint).delete(name, config or {})

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, object]]:
        """Return all deployments at the target, or those in an endpoint, by name."""
        return [to_dictionary(found) for found in self._at(endpoint).list()]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, object]:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        return to_dictionary(self._at(endpoint).get(name))

    def predict(
        self, deployment_name: str | None = None, inputs: object = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Return the predictions for *inputs*, a data frame, array, list or dict.

        endpoint: without a deployment_name, the endpoint chooses the deployment that answers.
        """
        answer, _ = self.predict_bytes(deployment_name, *payload(inputs), endpoint=endpoint)
        return PredictionsResponse.from_json(answer)

    def predict_bytes(
        self, deployment_name: str | None, body: bytes, content_type: str, endpoint: str | None = None
    ) -> tuple[bytes, str]:
        """Send a scoring request as it is; return body and content type of the answer."""
        if endpoint is not None and not deployment_name:
            return self._endpoints(endpoint).predict_at(endpoint, body, content_type)
        return self._at(endpoint).predict(_named(deployment_name), body, content_type)

    def explain(
        self, deployment_name: str | None = None, df: object = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Return the explanation of the predictions for *df*. Raises UnsupportedError: the target has none."""
        answer, _ = self.explain_bytes(deployment_name, *payload(df), endpoint=endpoint)
        return PredictionsResponse.from_json(answer)

    def explain_bytes(
        self, deployment_name: str | None, body: bytes, content_type: str, endpoint: str | None = None
    ) -> tuple[bytes, str]:
        """Send a request as it is; return body and content type of the explanation."""
        deployer = self._at(endpoint)
        if not isinstance(deployer, SupportsExplain):
            raise UnsupportedError(f"the target {self.target_uri!r} does not explain predictions")
        return deployer.explain(_named(deployment_name), body, content_type)

    def create_endpoint(self, name: str, config: Config | None = None) -> dict[str, object]:
        """Make an endpoint; doing it again with the same config changes nothing."""
        return endpoint_dictionary(self._endpoints(name).create_endpoint(name, config or {}))

    def update_endpoint(self, endpoint: str, config: Config | None = None) -> dict[str, object]:
        """Change what all deployments of an endpoint share. Raises NotFoundError: no such endpoint."""
        return endpoint_dictionary(self._endpoints(endpoint).update_endpoint(endpoint, config or {}))

    def delete_endpoint(self, endpoint: str) -> None:
        """Remove an endpoint with its deployments; nothing happens when it is not there."""
        self._endpoints(endpoint).delete_endpoint(endpoint)

    def list_endpoints(self) -> list[dict[str, object]]:
        """Return all endpoints at the target, by name."""
        return [endpoint_dictionary(found) for found in self._endpoints(None).list_endpoints()]

    def get_endpoint(self, endpoint: str) -> dict[str, object]:
        """Return one endpoint. Raises NotFoundError: no such endpoint."""
        return endpoint_dictionary(self._endpoints(endpoint).get_endpoint(endpoint))

    def batch_predict(
        self,
        name: str,
        model_uri: str,
        input_uri: str,
        output_uri: str,
        flavor: str | None = None,
        config: Config | None = None,
    ) -> dict[str, object]:
        """Predict for the files below *input_uri* and write below *output_uri*, without a deployment.

        The same job started twice runs once. Raises AlreadyExistsError: the name is in use for another model or input.
        """
        started = self._batches().batch_predict(name, model_uri, flavor, input_uri, output_uri, config or {})
        return batch_dictionary(started)

    def plan_batch_predict(
        self,
        name: str,
        model_uri: str,
        input_uri: str,
        output_uri: str,
        flavor: str | None = None,
        config: Config | None = None,
    ) -> list[dict[str, object]]:
        """Return the calls that `batch_predict` would make, in order; nothing is changed."""
        if not isinstance(self.deployer, SupportsBatchPlan):
            raise UnsupportedError(
                f"the target {self.target_uri!r} cannot tell the calls of a batch prediction in advance"
            )
        planned = self.deployer.plan_batch_predict(name, model_uri, flavor, input_uri, output_uri, config or {})
        return [asdict(call) for call in planned]

    def get_batch(self, name: str) -> dict[str, object]:
        """Return a batch prediction. Raises NotFoundError: there is none of that name."""
        return batch_dictionary(self._batches().get_batch(name))

    def list_batches(self) -> list[dict[str, object]]:
        """Return the batch predictions that the target knows, by name."""
        return [batch_dictionary(found) for found in self._batches().list_batches()]

    def stop_batch(self, name: str) -> None:
        """Stop a batch prediction; nothing happens when it has ended or is not there."""
        self._batches().stop_batch(name)

    def run_local(self, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> None:
        """Serve a model on this machine as the target would, until interrupted."""
        if not isinstance(self.deployer, SupportsRunLocal):
            raise UnsupportedError(
                f"the target {self.target_uri!r} cannot run locally: serve the model with `mlcore models serve`"
            )
        self.deployer.run_local(name, model_uri, flavor, config or {})

    def plan(
        self,
        action: PlannedAction,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> list[dict[str, object]]:
        """Return the calls that `create`, `update` or `delete` would make, in order; nothing is changed."""
        deployer = self._at(endpoint)
        if not isinstance(deployer, SupportsPlan):
            raise UnsupportedError(f"the target {self.target_uri!r} cannot tell its calls in advance")
        if action not in ("create", "update", "delete"):
            raise InvalidParameterError(f"cannot plan {action!r}: expected 'create', 'update' or 'delete'")
        if action == "create" and model_uri is None:
            raise InvalidParameterError("planning 'create' needs a model_uri")
        return [asdict(call) for call in deployer.plan(action, name, model_uri, flavor, config or {})]

    def _at(self, endpoint: str | None) -> Deployer:
        return self.deployer if endpoint is None else self._endpoints(endpoint).at_endpoint(endpoint)

    def _endpoints(self, endpoint: str | None) -> SupportsEndpoints:
        if not isinstance(self.deployer, SupportsEndpoints):
            hint = f"; leave out endpoint={endpoint!r}" if endpoint else ""
            raise UnsupportedError(f"the target {self.target_uri!r} has no endpoints apart from deployments{hint}")
        return self.deployer

    def _batches(self) -> SupportsBatchPredict:
        if not isinstance(self.deployer, SupportsBatchPredict):
            raise UnsupportedError(
                f"the target {self.target_uri!r} has no batch predictions: send files with `predict`, or use a batch engine"
            )
        return self.deployer


def _named(name: str | None) -> str:
    if not name:
        raise InvalidParameterError("name the deployment: deployment_name is missing")
    return name


@overload
def get_deploy_client(target_uri: str, *, plugins: Plugins | None = None) -> DeployClient: ...
@overload
def get_deploy_client(target_uri: None = None, *, plugins: Plugins | None = None) -> DeployClient | None: ...
def get_deploy_client(target_uri: str | None = None, *, plugins: Plugins | None = None) -> DeployClient | None:
    """Return the client of a target; None when none is named and none was set.

    target_uri: such as `sagemaker:/eu-west-1`; what `set_deployments_target` or the setting says when not given.
    Raises PluginNotFoundError: no installed plugin knows the target.
    """
    uri = target_uri or find_deployments_target()
    return None if uri is None else DeployClient(uri, open_deployer(uri, plugins))


def run_local(target: str, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> None:
    """Serve a model on this machine as *target* would, until interrupted."""
    get_deploy_client(target).run_local(name, model_uri, flavor, config)
