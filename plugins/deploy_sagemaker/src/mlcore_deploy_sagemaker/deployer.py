"""The deployer of SageMaker: every operation, made of the steps in the modules beside this one."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import BatchPrediction, Deployment, DeploymentEndpoint, PlannedCall
from mlcore.interfaces.deployer import PlannedAction
from mlcore_deploy_sagemaker import deleting, invoking, local
from mlcore_deploy_sagemaker.archive import packed
from mlcore_deploy_sagemaker.batch import BatchTransforms, Transform
from mlcore_deploy_sagemaker.calls import Caller, Clients, shown
from mlcore_deploy_sagemaker.creating import Creation
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.place import find_place
from mlcore_deploy_sagemaker.resources import Wanted, check_name, told_model
from mlcore_deploy_sagemaker.scaling import check_scaling
from mlcore_deploy_sagemaker.steps import describe_config, describe_model
from mlcore_deploy_sagemaker.target import Target
from mlcore_deploy_sagemaker.updating import Update, kept_options, look
from mlcore_deploy_sagemaker.variants import VariantDeployer
from mlcore_deploy_sagemaker.waiting import STATES, Clock, Endpoint, find_endpoint

Config = Mapping[str, object]


class SageMakerDeployer:
    """Models as endpoints of Amazon SageMaker; safe to use from many threads."""

    def __init__(self, clients: Clients, clock: Clock | None = None) -> None:
        """Work through *clients*; *clock* is for tests."""
        self._clients = clients
        self._clock = clock or Clock()
        self._jobs = BatchTransforms(clients, self._clock)

    @classmethod
    def open(cls, target_uri: str) -> SageMakerDeployer:
        """Open the region that a target names; asks nobody yet."""
        return cls(Clients(Target.parse(target_uri)))

    def create(self, name: str, model_uri: str, flavor: str | None, config: Config) -> Deployment:
        """Deploy a model as an endpoint; see `Options` for the config.

        Raises AlreadyExistsError: the name is in use for another model or config. LimitExceededError: a quota.
        DeploymentFailedError: it did not come up; nothing of it is left. DeploymentTimeoutError: SageMaker goes on.
        """
        call = self._caller(name)
        self._create(call, name, model_uri, flavor, _options(config))
        return self.get(name)

    def _create(self, call: Caller, name: str, model_uri: str, flavor: str | None, options: Options) -> None:
        with packed(model_uri, flavor) as archive:
            wanted = Wanted(name, options, archive, find_place(call, options))
            Creation(call, wanted, self._clock).run()

    def update(self, name: str, model_uri: str | None, flavor: str | None, config: Config) -> Deployment:
        """Replace model or configuration, or add a variant; on failure the old one goes on serving.

        Raises NotFoundError: no such deployment. DeploymentFailedError: the new one did not come up.
        """
        self._update(self._caller(name), name, model_uri, flavor, _options(config))
        return self.get(name)

    def _update(self, call: Caller, name: str, model_uri: str | None, flavor: str | None, options: Options) -> None:
        before = look(call, Wanted(name, options), self._clock)
        if model_uri is None:
            Update(call, Wanted(name, options), self._clock, before).run()
            return
        with packed(model_uri, flavor) as archive:
            place = find_place(call, kept_options(options, before))
            Update(call, Wanted(name, options, archive, place), self._clock, before).run()

    def delete(self, name: str, config: Config) -> None:
        """Remove an endpoint, with model, configuration and archive unless `archive` is set."""
        deleting.delete(self._caller(name), name, _options(config), self._clock)

    def list(self) -> tuple[Deployment, ...]:
        """Return all endpoints of the region, by name, those that others made included."""
        call = Caller(self._clients, "list of deployments")
        found: builtins.list[Deployment] = []
        arguments: dict[str, object] = {"SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 100}
        while True:
            page = call.read("sagemaker", "list_endpoints", **arguments)
            described = [find_endpoint(call, each["EndpointName"]) for each in page["Endpoints"]]
            found += [_deployment(call, each) for each in described if each is not None]
            if not page.get("NextToken"):
                return tuple(sorted(found, key=lambda each: each.name))
            arguments["NextToken"] = page["NextToken"]

    def get(self, name: str) -> Deployment:
        """Return one endpoint. Raises NotFoundError: there is none of that name."""
        call = self._caller(name)
        found = find_endpoint(call, name)
        if found is None:
            raise NotFoundError(f"no deployment {name!r} in region {self._clients.region}")
        return _deployment(call, found)

    def predict(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a scoring request; an asynchronous endpoint is asked through S3."""
        return invoking.invoke(self._caller(name), name, body, content_type, self._clock)

    def explain(self, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Send a request and return Clarify's explanation. Raises UnsupportedError: the endpoint has none."""
        return invoking.explain(self._caller(name), name, body, content_type)

    def plan(
        self, action: PlannedAction, name: str, model_uri: str | None, flavor: str | None, config: Config
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that an operation would make; those that read are made, to know the rest."""
        options = _options(config)
        call = Caller(self._clients, f"deployment {check_name(name)!r}", dry=True)
        if action == "create":
            self._create(call, name, model_uri or "", flavor, options)
        elif action == "update":
            self._update(call, name, model_uri, flavor, options)
        else:
            deleting.delete(call, name, options, self._clock)
        return tuple(call.planned)

    def run_local(self, name: str, model_uri: str, flavor: str | None, config: Config) -> None:
        """Serve a model on this machine as the endpoint's container would, until interrupted."""
        local.run(check_name(name), model_uri, flavor, _options(config))

    def at_endpoint(self, endpoint: str) -> VariantDeployer:
        """Return the deployer of an endpoint's variants, which share its requests."""
        return VariantDeployer(self, self._clients, self._clock, endpoint)

    def create_endpoint(self, name: str, config: Config) -> DeploymentEndpoint:
        """Make an endpoint with the deployment that the config describes by `model_uri` and `flavor`.

        Raises InvalidParameterError: no `model_uri`; SageMaker has no endpoint without a model.
        """
        rest = {key: value for key, value in config.items() if key not in ("model_uri", "flavor")}
        uri, flavor = config.get("model_uri"), config.get("flavor")
        if not isinstance(uri, str):
            raise InvalidParameterError(
                f"endpoint {check_name(name)!r} needs a model_uri in its config: SageMaker has no endpoint without a model; "
                "or create a deployment with this endpoint, which makes both"
            )
        self.create(name, uri, None if flavor is None else str(flavor), rest)
        return self.get_endpoint(name)

    def update_endpoint(self, name: str, config: Config) -> DeploymentEndpoint:
        """Change the configuration of an endpoint and all of its variants. Raises NotFoundError: no such endpoint."""
        self.update(name, None, None, config)
        return self.get_endpoint(name)

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint with its deployments; nothing happens when it is not there."""
        self.delete(name, {})

    def list_endpoints(self) -> tuple[DeploymentEndpoint, ...]:
        """Return all endpoints of the region, by name."""
        return tuple(_endpoint(found) for found in self.list())

    def get_endpoint(self, name: str) -> DeploymentEndpoint:
        """Return one endpoint. Raises NotFoundError: there is none of that name."""
        return _endpoint(self.get(name))

    def predict_at(self, endpoint: str, body: bytes, content_type: str) -> tuple[bytes, str]:
        """Ask an endpoint; the weights of its variants say which one answers."""
        return self.predict(endpoint, body, content_type)

    def batch_predict(
        self, name: str, model_uri: str, flavor: str | None, input_uri: str, output_uri: str, config: Config
    ) -> BatchPrediction:
        """Run a transform job; the config has the keys of `Transform` besides those of `Options`.

        Raises AlreadyExistsError: another job has the name, which is never free again.
        DeploymentFailedError: the job failed. DeploymentTimeoutError: it goes on.
        """
        transform, rest = Transform.read(input_uri, output_uri, config)
        return self._jobs.start(name, model_uri, transform, rest, flavor)

    def plan_batch_predict(
        self, name: str, model_uri: str, flavor: str | None, input_uri: str, output_uri: str, config: Config
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that `batch_predict` would make."""
        transform, rest = Transform.read(input_uri, output_uri, config)
        return self._jobs.plan(name, model_uri, transform, rest, flavor)

    def get_batch(self, name: str) -> BatchPrediction:
        """Return a transform job. Raises NotFoundError: there is none of that name."""
        return self._jobs.get(name)

    def list_batches(self) -> tuple[BatchPrediction, ...]:
        """Return all transform jobs of the region, by name; they are never forgotten."""
        return self._jobs.list()

    def stop_batch(self, name: str) -> None:
        """Stop a transform job; nothing happens when it has ended or is not there."""
        self._jobs.stop(name)

    def _caller(self, name: str) -> Caller:
        return Caller(self._clients, f"deployment {check_name(name)!r}")


def _options(config: Config) -> Options:
    options = Options.read(config)
    check_scaling(options.autoscaling)
    return options


def _deployment(call: Caller, found: Endpoint) -> Deployment:
    config = describe_config(call, found["EndpointConfigName"])
    variants = (config or {}).get("ProductionVariants", [])
    # of several variants the one added last tells what is being tried; the first is what serves
    model = describe_model(call, variants[0]["ModelName"]) if variants and "ModelName" in variants[0] else None
    uri, flavor = told_model(model)
    detail: dict[str, Any] = {key: value for key, value in found.items() if key != "ResponseMetadata"}
    state = STATES.get(str(found["EndpointStatus"]), "failed")
    return Deployment(str(found["EndpointName"]), state, uri, flavor, shown(detail))


def _endpoint(found: Deployment) -> DeploymentEndpoint:
    return DeploymentEndpoint(found.name, found.state, found.detail)
