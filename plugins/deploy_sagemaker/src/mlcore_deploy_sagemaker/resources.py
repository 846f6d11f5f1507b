"""Names and requests of what a deployment is made of: model, endpoint configuration, endpoint.

The names of model and configuration end in a digest of their content. So doing something again finds what the first
attempt made, two deployers of the same thing share it, and those of different things never touch each other's.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from mlcore.errors import InvalidParameterError
from mlcore_deploy_sagemaker.archive import NAME, PYFUNC, Archive
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.place import Place

DEPLOYMENT, MODEL_URI, FLAVOR = "MLCORE_DEPLOYMENT", "MLCORE_MODEL_URI", "MLFLOW_DEPLOYMENT_FLAVOR_NAME"
TAG = "mlcore:deployment"
INSTANCE_TYPE = "ml.m5.large"
CAPTURED = ("DataCaptureConfig", "AsyncInferenceConfig", "ExplainerConfig", "KmsKeyId")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
Request = dict[str, Any]


def check_name(name: str) -> str:
    """Return *name*. Raises InvalidParameterError: SageMaker would refuse it."""
    if not _NAME.fullmatch(name):
        raise InvalidParameterError(
            f"{name!r} is no name of a SageMaker endpoint: expected 1 to 63 letters, digits and hyphens, "
            "with a letter or digit first and last"
        )
    return name


def name_prefix(name: str) -> str:
    """Return how the names of models and configurations of a deployment start."""
    return f"{name[:50].rstrip('-')}-"


@frozen
class Wanted:
    """A model to deploy.

    place: None keeps what `base`, a described model, has.
    """

    name: str
    options: Options
    archive: Archive | None = None
    place: Place | None = None

    @property
    def key(self) -> str:
        """The archive's key in the bucket."""
        digest = self.archive.digest[:16] if self.archive else ""
        return f"{(self.options.prefix or 'mlcore').strip('/')}/{self.name}/{digest}/{NAME}"

    @property
    def url(self) -> str:
        """The archive's S3 URL."""
        return f"s3://{self.place.bucket if self.place else ''}/{self.key}"

    def tags(self) -> list[dict[str, str]]:
        """Return the tags of everything that is made."""
        chosen = {TAG: self.name, **(self.options.tags or {})}
        return [{"Key": key, "Value": value} for key, value in sorted(chosen.items())]


def model_request(wanted: Wanted, base: Mapping[str, Any] | None = None) -> Request:
    """Return the arguments of CreateModel.

    base: the described model that an update keeps or replaces.
    """
    options, old = wanted.options, dict(base or {})
    container = dict(old.get("PrimaryContainer", {}))
    kept = {key: container[key] for key in ("Image", "ModelDataUrl") if key in container}
    environment = {**container.get("Environment", {}), **(options.env or {}), DEPLOYMENT: wanted.name}
    if wanted.archive and wanted.place:
        kept = {"Image": wanted.place.image, "ModelDataUrl": wanted.url}
        environment |= {MODEL_URI: wanted.archive.model_uri, FLAVOR: wanted.archive.flavor}
    if options.image_url:
        kept["Image"] = options.image_url
    if options.trust is not None:
        environment["MLCORE_TRUST_MODELS"] = "/opt/ml/model" if options.trust else ""
    request: Request = {
        "PrimaryContainer": {**kept, "Environment": environment},
        "ExecutionRoleArn": options.execution_role_arn
        or (wanted.place.role if wanted.place else old["ExecutionRoleArn"]),
    }
    vpc = options.vpc_config or old.get("VpcConfig")
    return _named(wanted, "ModelName", request | ({"VpcConfig": vpc} if vpc else {}))


def variant_request(wanted: Wanted, model_name: str, old: Mapping[str, Any] | None = None) -> Request:
    """Return a production variant; what is not chosen comes from *old*, or is the default."""
    options, before = wanted.options, dict(old or {})
    weight = options.variant_weight
    request: Request = {
        "VariantName": options.variant_name or before.get("VariantName") or "main",
        "ModelName": model_name,
        "InitialVariantWeight": before.get("InitialVariantWeight", 1.0) if weight is None else weight,
    }
    chosen_instances = options.instance_type or options.instance_count
    serverless = options.serverless_config or (None if chosen_instances else before.get("ServerlessConfig"))
    if serverless:
        request["ServerlessConfig"] = _numbers(serverless)
    else:
        request["InstanceType"] = options.instance_type or before.get("InstanceType") or INSTANCE_TYPE
        count = options.instance_count
        request["InitialInstanceCount"] = before.get("InitialInstanceCount", 1) if count is None else count
    timeout = options.startup_timeout_seconds or before.get("ContainerStartupHealthCheckTimeoutInSeconds")
    if timeout:
        request["ContainerStartupHealthCheckTimeoutInSeconds"] = timeout
    return request


def added_variants(wanted: Wanted, model_name: str, old: Sequence[Mapping[str, Any]]) -> list[Request]:
    """Return *old* variants and one more, which gets no traffic unless a weight is chosen."""
    options = wanted.options
    name = options.variant_name or f"{wanted.name[:50]}-{model_name[-12:]}"
    if any(variant["VariantName"] == name for variant in old):
        raise InvalidParameterError(
            f"deployment {wanted.name!r} has a variant {name!r} already: choose another variant_name, or mode=replace"
        )
    weight = 0.0 if options.variant_weight is None else options.variant_weight
    chosen = evolve(wanted, options=evolve(options, variant_name=name, variant_weight=weight))
    return [*map(dict, old), variant_request(chosen, model_name)]


def config_request(wanted: Wanted, variants: Sequence[Request], base: Mapping[str, Any] | None = None) -> Request:
    """Return the arguments of CreateEndpointConfig.

    base: the described configuration that an update replaces; what is not chosen is taken from it.
    """
    options = wanted.options
    chosen = {
        "DataCaptureConfig": options.data_capture_config,
        "AsyncInferenceConfig": options.async_inference_config,
        "ExplainerConfig": options.explainer_config,
        "KmsKeyId": options.kms_key_id,
    }
    kept = {key: chosen[key] or (base or {}).get(key) for key in CAPTURED}
    request = {"ProductionVariants": list(variants), **{key: value for key, value in kept.items() if value}}
    return _named(wanted, "EndpointConfigName", request)


def _named(wanted: Wanted, key: str, request: Request) -> Request:
    """Add the name that holds the digest of *request*, and the tags, which are no part of the digest."""
    digest = hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).hexdigest()[:12]
    return {key: f"{name_prefix(wanted.name)}{digest}", **request, "Tags": wanted.tags()}


def _numbers(config: Mapping[str, object]) -> dict[str, object]:
    return {key: int(value) if isinstance(value, str) and value.isdigit() else value for key, value in config.items()}


def is_ours(name: str, model: Mapping[str, Any]) -> bool:
    """Whether a described model was made for the deployment *name*."""
    return bool(model.get("PrimaryContainer", {}).get("Environment", {}).get(DEPLOYMENT) == name)


def told_model(model: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Return URI and flavor of a described model, as far as it tells."""
    container = (model or {}).get("PrimaryContainer", {})
    environment = container.get("Environment", {})
    uri = environment.get(MODEL_URI) or container.get("ModelDataUrl")
    return uri, environment.get(FLAVOR) or (PYFUNC if MODEL_URI in environment else None)
