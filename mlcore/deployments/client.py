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
    Deployer,
    Deployment,
    PlannedAction,
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


class DeployClient:
    """Deployments at one target."""

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
        self._refuse_endpoint(endpoint)
        return to_dictionary(self.deployer.create(name, model_uri, flavor, config or {}))

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Config | None = None,
        endpoint: str | None = None,
    ) -> dict[str, object]:
        """Replace model or configuration; on failure the old deployment goes on serving."""
        self._refuse_endpoint(endpoint)
        return to_dictionary(self.deployer.update(name, model_uri, flavor, config or {}))

    def delete_deployment(self, name: str, config: Config | None = None, endpoint: str | None = None) -> None:
        """Remove a deployment; nothing happens when it is not there."""
        self._refuse_endpoint(endpoint)
        self.deployer.delete(name, config or {})

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, object]]:
        """Return all deployments at the target, by name."""
        self._refuse_endpoint(endpoint)
        return [to_dictionary(found) for found in self.deployer.list()]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, object]:
        """Return one deployment. Raises NotFoundError: no such deployment."""
        self._refuse_endpoint(endpoint)
        return to_dictionary(self.deployer.get(name))

    def predict(
        self, deployment_name: str | None = None, inputs: object = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Return the predictions for *inputs*, a data frame, array, list or dict."""
        body, kind = payload(inputs)
        answer, _ = self.deployer.predict(self._named(deployment_name, endpoint), body, kind)
        return PredictionsResponse.from_json(answer)

    def explain(
        self, deployment_name: str | None = None, df: object = None, endpoint: str | None = None
    ) -> PredictionsResponse:
        """Return the explanation of the predictions for *df*. Raises UnsupportedError: the target has none."""
        name = self._named(deployment_name, endpoint)
        if not isinstance(self.deployer, SupportsExplain):
            raise UnsupportedError(f"the target {self.target_uri!r} does not explain predictions")
        answer, _ = self.deployer.explain(name, *payload(df))
        return PredictionsResponse.from_json(answer)

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
    ) -> list[dict[str, object]]:
        """Return the calls that `create`, `update` or `delete` would make, in order; nothing is changed."""
        if not isinstance(self.deployer, SupportsPlan):
            raise UnsupportedError(f"the target {self.target_uri!r} cannot tell its calls in advance")
        if action not in ("create", "update", "delete"):
            raise InvalidParameterError(f"cannot plan {action!r}: expected 'create', 'update' or 'delete'")
        if action == "create" and model_uri is None:
            raise InvalidParameterError("planning 'create' needs a model_uri")
        return [asdict(call) for call in self.deployer.plan(action, name, model_uri, flavor, config or {})]

    def _refuse_endpoint(self, endpoint: str | None) -> None:
        if endpoint is not None:
            raise UnsupportedError(
                f"the target {self.target_uri!r} has no endpoints apart from deployments; leave out endpoint={endpoint!r}"
            )

    def _named(self, name: str | None, endpoint: str | None) -> str:
        self._refuse_endpoint(endpoint)
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
