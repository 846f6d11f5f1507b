"""Update an endpoint: the new configuration serves, or the old one goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from mlcore.errors import ConflictError, InvalidStateError, MlcoreError, NotFoundError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.resources import (
    Request,
    Wanted,
    added_variants,
    config_request,
    is_ours,
    model_request,
    variant_request,
)
from mlcore_deploy_sagemaker.scaling import scale, unscale
from mlcore_deploy_sagemaker.steps import (
    Undo,
    describe_config,
    describe_model,
    put_archive,
    put_config,
    put_model,
    sweep,
)
from mlcore_deploy_sagemaker.waiting import BUSY, Clock, Endpoint, find_endpoint, logger, wait_while


@frozen
class Before:
    """What serves before the update."""

    config: Mapping[str, Any]
    models: Mapping[str, Mapping[str, Any]]

    @property
    def variants(self) -> list[Mapping[str, Any]]:
        """The production variants, as they were configured."""
        return list(self.config["ProductionVariants"])


def look(call: Caller, wanted: Wanted, clock: Clock) -> Before:
    """Describe what serves; wait for what is going on first.

    Raises NotFoundError: there is no such deployment. InvalidStateError: it is not one that can be updated.
    """
    name = wanted.name
    found = find_endpoint(call, name)
    if found is not None and found["EndpointStatus"] in BUSY and not call.dry:
        found = wait_while(call, name, BUSY, wanted.options, clock)
    if found is None:
        raise NotFoundError(f"no deployment {name!r} to update: create it first")
    config = describe_config(call, found["EndpointConfigName"])
    if found["EndpointStatus"] == "Failed" or config is None:
        why = found.get("FailureReason", "") if config else "its endpoint configuration was removed"
        raise InvalidStateError(f"deployment {name!r} cannot be updated: {why}; delete it and create it again")
    names = [variant["ModelName"] for variant in config["ProductionVariants"] if "ModelName" in variant]
    models = {model: described for model in names if (described := describe_model(call, model)) is not None}
    return Before(config, models)


def kept_options(options: Options, before: Before) -> Options:
    """Return *options* with image, role and bucket of what serves, where none are chosen."""
    model = next(iter(before.models.values()), None)
    if model is None:
        return options
    container = model["PrimaryContainer"]
    bucket = str(container.get("ModelDataUrl", "")).removeprefix("s3://").partition("/")[0]
    return evolve(
        options,
        image_url=options.image_url or container.get("Image"),
        execution_role_arn=options.execution_role_arn or model.get("ExecutionRoleArn"),
        bucket=options.bucket or bucket or None,
    )


@frozen
class Update:
    """One update of what `look` found.

    one_of_many: a new model replaces the variant `variant_name` alone. variants: what there shall be, made of what was.
    """

    call: Caller
    wanted: Wanted
    clock: Clock
    before: Before
    one_of_many: bool = False
    variants: Sequence[Request] | None = None

    def new_model(self) -> Request:
        """Return the arguments of CreateModel for a new model; its name stands for its content."""
        old = self.before.variants
        # another model keeps the network of its predecessor, but not the environment that was meant for that
        first = self.before.models.get(old[0].get("ModelName", "")) or {}
        return model_request(self.wanted, {"VpcConfig": first["VpcConfig"]} if first.get("VpcConfig") else {})

    def run(self) -> None:
        """Do it. Raises DeploymentFailedError: the new one did not come up; the old one serves."""
        undo = Undo()
        options = self.wanted.options
        try:
            put_archive(self.call, self.wanted, undo)
            variants, models = self._variants()
            for request in models:
                put_model(self.call, request, undo)
            config = config_request(self.wanted, variants, self.before.config)
            if config["EndpointConfigName"] == self.before.config["EndpointConfigName"]:
                self._scale(variants)
                return
            put_config(self.call, config, undo)
            unscale(self.call, self.wanted.name, self._gone(variants))
            self._switch(config["EndpointConfigName"], undo)
            self._scale(variants)
        except (MlcoreError, KeyboardInterrupt) as err:
            undo.run(err)
            raise
        if options.synchronous and not options.archive:
            sweep(self.call, self.wanted.name, self.before.config, [variant["ModelName"] for variant in variants])

    def _variants(self) -> tuple[list[Request], list[Request]]:
        """Return the new variants, and the models to make for them."""
        wanted, old = self.wanted, self.before.variants
        if self.variants is not None:
            return list(self.variants), []
        if wanted.archive is not None:
            model = self.new_model()
            if wanted.options.mode == "add":
                return added_variants(wanted, model["ModelName"], old), [model]
            if self.one_of_many:
                return [
                    variant_request(wanted, model["ModelName"], each)
                    if each["VariantName"] == wanted.options.variant_name
                    else dict(each)
                    for each in old
                ], [model]
            return [variant_request(wanted, model["ModelName"], old[0])], [model]
        variants, models = [], []
        for variant in old:
            chosen = wanted.options.variant_name in (None, variant["VariantName"])
            described = self.before.models.get(variant.get("ModelName", ""))
            if not chosen or described is None or not is_ours(wanted.name, described):
                variants.append(dict(variant))
                continue
            models.append(model_request(wanted, described))
            variants.append(variant_request(wanted, models[-1]["ModelName"], variant))
        return variants, models

    def _gone(self, variants: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return old variants that go, or whose scaling SageMaker wants removed before their instances change."""
        names = {variant["VariantName"] for variant in variants}
        return [old for old in self.before.variants if old["VariantName"] not in names]

    def _scale(self, variants: Sequence[Mapping[str, Any]]) -> None:
        if self.wanted.options.autoscaling:
            scale(self.call, self.wanted.name, variants, self.wanted.options.autoscaling)

    def _switch(self, config_name: str, undo: Undo) -> None:
        """Let the endpoint change over; go back when it cannot."""
        name, options = self.wanted.name, self.wanted.options
        now = find_endpoint(self.call, name)
        if now is not None and now["EndpointConfigName"] != self.before.config["EndpointConfigName"]:
            # what that other update has added would be gone again
            raise ConflictError(f"deployment {name!r} was updated by somebody else in the meantime: do it again")
        self.call.change("sagemaker", "update_endpoint", EndpointName=name, EndpointConfigName=config_name)
        if self.call.dry or not (options.synchronous or options.autoscaling):
            return
        try:
            found = wait_while(self.call, name, BUSY, options, self.clock)
        except (DeploymentTimeoutError, KeyboardInterrupt):
            undo.actions.clear()  # SageMaker goes on, and needs what was made
            raise
        if found is None:
            raise DeploymentFailedError(f"deployment {name!r} was deleted by somebody while it was being updated")
        if found["EndpointStatus"] == "InService" and found["EndpointConfigName"] == config_name:
            return
        reason = found.get("FailureReason", "no reason is given")
        if found["EndpointStatus"] != "InService":
            found = self._back(found)
        serves = found is not None and found["EndpointStatus"] == "InService"
        raise DeploymentFailedError(
            f"update of deployment {name!r} failed: {reason}; "
            + ("what was there before goes on serving" if serves else "the old configuration could not be restored")
        )

    def _back(self, found: Endpoint) -> Endpoint | None:
        name, old = self.wanted.name, self.before.config["EndpointConfigName"]
        logger.info("deployment %r is %s: going back to %s", name, found["EndpointStatus"], old)
        self.call.change("sagemaker", "update_endpoint", EndpointName=name, EndpointConfigName=old)
        return wait_while(self.call, name, BUSY, self.wanted.options, self.clock)
