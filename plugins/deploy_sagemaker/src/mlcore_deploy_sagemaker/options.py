"""The keys of a deployment's config, read from texts or from values of their own type."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from attrs import field, frozen

from mlcore.errors import InvalidParameterError

_IN_TARGET = ("region_name", "assume_role_arn")  # which MLflow takes in both places
MODES = ("replace", "add")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a text")
    return value


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "1", "yes", "false", "0", "no"):
        return value.strip().lower() in ("true", "1", "yes")
    raise TypeError("true or false")


def _count(value: object) -> int:
    number = int(value) if isinstance(value, str) and value.strip().isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise TypeError("a whole number, 0 or more")
    return number


def _number(value: object) -> float:
    try:
        number = float(value) if isinstance(value, (str, int, float)) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise TypeError("a number, 0 or more")
    return number


def _table(value: object) -> dict[str, object]:
    parsed = value
    if isinstance(value, str):
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = None
    if not isinstance(parsed, Mapping):
        raise TypeError('a table, as JSON text such as {"Key": "value"}')
    return {str(key): item for key, item in parsed.items()}


def _texts(value: object) -> dict[str, str]:
    return {key: item if isinstance(item, str) else json.dumps(item) for key, item in _table(value).items()}


def _mode(value: object) -> str:
    if value not in MODES:
        raise TypeError("'replace' or 'add'")
    return str(value)


def _option(parse: Callable[[object], object], about: str, default: object = None) -> Any:
    # Any: an attrs field stands where the annotation's own type is expected
    return field(default=default, metadata={"parse": parse, "about": about})


@frozen(kw_only=True)
class Options:
    """What can be chosen for a deployment; None leaves it to the default, or in an update as it was."""

    image_url: str | None = _option(_text, "URI of the serving image")
    execution_role_arn: str | None = _option(_text, "role that the endpoint runs as")
    bucket: str | None = _option(_text, "S3 bucket of model archives; made when it is not given")
    prefix: str | None = _option(_text, "start of the archives' keys")
    instance_type: str | None = _option(_text, "such as ml.m5.large")
    instance_count: int | None = _option(_count, "instances at the start")
    variant_name: str | None = _option(_text, "name of the production variant")
    variant_weight: float | None = _option(_number, "share of the traffic; 1, or 0 when a variant is added")
    mode: str = _option(_mode, "in an update: replace all variants, or add one", "replace")
    env: Mapping[str, str] | None = _option(_texts, "environment of the container")
    tags: Mapping[str, str] | None = _option(_texts, "tags of everything that is made")
    vpc_config: Mapping[str, object] | None = _option(_table, "VpcConfig of the model")
    data_capture_config: Mapping[str, object] | None = _option(_table, "DataCaptureConfig of the endpoint")
    async_inference_config: Mapping[str, object] | None = _option(_table, "AsyncInferenceConfig: answers go to S3")
    serverless_config: Mapping[str, object] | None = _option(_table, "ServerlessConfig, instead of instances")
    explainer_config: Mapping[str, object] | None = _option(_table, "ExplainerConfig: Clarify explains predictions")
    autoscaling: Mapping[str, object] | None = _option(_table, "min_capacity, max_capacity, target_value, cooldowns")
    kms_key_id: str | None = _option(_text, "key of the instances' disks")
    startup_timeout_seconds: int | None = _option(_count, "until the container must answer /ping")
    trust: bool | None = _option(_flag, "the container may run code that the model brings")
    archive: bool = _option(_flag, "keep what an update or deletion leaves without use", False)
    synchronous: bool = _option(_flag, "wait until it is done", True)
    timeout_seconds: float = _option(_number, "how long to wait", 1200.0)
    poll_seconds: float = _option(_number, "between two looks while waiting", 10.0)
    port: int = _option(_count, "of run-local", 5000)
    docker: bool = _option(_flag, "run-local starts the image with docker", False)

    @classmethod
    def read(cls, config: Mapping[str, object]) -> Options:
        """Check and convert a config. Raises InvalidParameterError: names every fault."""
        known = attrs.fields_dict(cls)
        chosen: dict[str, Any] = {}
        faults = []
        for key, value in config.items():
            if key in _IN_TARGET:
                faults.append(f"{key!r} belongs into the target: sagemaker:/REGION, or sagemaker:/REGION/ROLE_ARN")
                continue
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f", did you mean {near[0]!r}?" if near else f" (known: {', '.join(known)})"
                faults.append(f"unknown key {key!r}{hint}")
                continue
            try:
                chosen[key] = None if value is None else known[key].metadata["parse"](value)
            except TypeError as err:
                faults.append(f"{key!r} is {value!r}, expected {err}")
        if faults:
            raise InvalidParameterError("invalid config of a SageMaker deployment: " + "; ".join(faults))
        return cls(**{key: value for key, value in chosen.items() if value is not None})._checked()

    def _checked(self) -> Options:
        instances = [
            key for key in ("instance_type", "instance_count", "autoscaling") if getattr(self, key) is not None
        ]
        if self.serverless_config is not None and instances:
            raise InvalidParameterError(
                f"serverless_config and {instances[0]!r} exclude each other: a serverless endpoint has no instances"
            )
        if self.serverless_config is not None and self.async_inference_config is not None:
            raise InvalidParameterError("serverless_config and async_inference_config exclude each other")
        return self
