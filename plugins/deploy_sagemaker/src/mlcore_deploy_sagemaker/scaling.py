"""Automatic scaling of a variant: as many instances as its requests need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlcore.errors import InvalidParameterError
from mlcore_deploy_sagemaker.calls import Caller

SERVICE = "application-autoscaling"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_KEYS = ("min_capacity", "max_capacity", "target_value", "metric", "scale_in_cooldown", "scale_out_cooldown")


def check_scaling(config: Mapping[str, object] | None) -> None:
    """Raise InvalidParameterError when an autoscaling table cannot be used."""
    if config is None:
        return
    unknown = sorted(set(config) - set(_KEYS))
    missing = [key for key in ("min_capacity", "max_capacity") if key not in config]
    if unknown or missing:
        raise InvalidParameterError(
            f"invalid autoscaling: {'unknown ' + repr(unknown) if unknown else 'missing ' + repr(missing)} "
            f"(known: {', '.join(_KEYS)})"
        )
    if int(str(config["min_capacity"])) > int(str(config["max_capacity"])):
        raise InvalidParameterError(
            f"invalid autoscaling: min_capacity {config['min_capacity']!r} is above max_capacity {config['max_capacity']!r}"
        )


def _target(endpoint: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": _DIMENSION,
    }


def scale(call: Caller, endpoint: str, variants: Sequence[Mapping[str, Any]], config: Mapping[str, object]) -> None:
    """Let every variant scale between its bounds; doing it again replaces the bounds."""
    for variant in variants:
        target = _target(endpoint, str(variant["VariantName"]))
        bounds = {"MinCapacity": int(str(config["min_capacity"])), "MaxCapacity": int(str(config["max_capacity"]))}
        call.change(SERVICE, "register_scalable_target", **target, **bounds)
        metric = str(config.get("metric", "SageMakerVariantInvocationsPerInstance"))
        policy: dict[str, object] = {
            "TargetValue": float(str(config.get("target_value", 70))),
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            "ScaleInCooldown": int(str(config.get("scale_in_cooldown", 300))),
            "ScaleOutCooldown": int(str(config.get("scale_out_cooldown", 60))),
        }
        call.change(
            SERVICE,
            "put_scaling_policy",
            **target,
            PolicyName=f"mlcore-{endpoint}",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=policy,
        )


def unscale(call: Caller, endpoint: str, variants: Sequence[Mapping[str, Any]]) -> None:
    """Remove the scaling of variants, where there is any: it outlives its endpoint otherwise."""
    wanted = {_target(endpoint, str(variant["VariantName"]))["ResourceId"] for variant in variants}
    found = call.read(SERVICE, "describe_scalable_targets", ServiceNamespace="sagemaker", ResourceIds=sorted(wanted))
    for target in found.get("ScalableTargets", []):
        if target["ResourceId"] in wanted:
            call.remove(SERVICE, "deregister_scalable_target", **_target(endpoint, target["ResourceId"].split("/")[-1]))
