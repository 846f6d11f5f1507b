"""Ask an endpoint: at once, or through S3 when it answers later."""

from __future__ import annotations

import uuid

from mlcore.errors import InvalidParameterError, NotFoundError, UnsupportedError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from mlcore_deploy_sagemaker.steps import describe_config
from mlcore_deploy_sagemaker.waiting import Clock, find_endpoint

_ASYNC_TIMEOUT_S = 900.0
_ASYNC_POLL_S = 1.0


def invoke(call: Caller, name: str, body: bytes, content_type: str, clock: Clock) -> tuple[bytes, str]:
    """Return body and content type of the answer. Raises NotFoundError: there is no such deployment."""
    try:
        answer = call.read(
            "sagemaker-runtime", "invoke_endpoint", EndpointName=name, Body=body, ContentType=content_type
        )
    except NotFoundError as err:
        raise NotFoundError(f"no deployment {name!r} to ask: {err.message}") from err
    except InvalidParameterError:
        place = _async_place(call, name)
        if place is None:
            raise
        return _invoke_later(call, name, place, body, content_type, clock)
    return answer["Body"].read(), str(answer.get("ContentType") or "application/json")


def explain(call: Caller, name: str, body: bytes, content_type: str) -> tuple[bytes, str]:
    """Return body and content type of an explanation by Clarify."""
    found = find_endpoint(call, name)
    if found is None:
        raise NotFoundError(f"no deployment {name!r} to ask")
    config = describe_config(call, found["EndpointConfigName"]) or {}
    if not config.get("ExplainerConfig"):
        raise UnsupportedError(
            f"deployment {name!r} was made without explanations: update it with explainer_config, see ExplainerConfig "
            "in the reference of SageMaker"
        )
    answer = call.read(
        "sagemaker-runtime",
        "invoke_endpoint",
        EndpointName=name,
        Body=body,
        ContentType=content_type,
        EnableExplanations="`true`",
    )
    return answer["Body"].read(), str(answer.get("ContentType") or "application/json")


def _async_place(call: Caller, name: str) -> str | None:
    """Return the S3 URL below which an asynchronous endpoint answers; None when it is none."""
    found = find_endpoint(call, name)
    config = describe_config(call, found["EndpointConfigName"]) if found else None
    place = ((config or {}).get("AsyncInferenceConfig") or {}).get("OutputConfig", {}).get("S3OutputPath")
    return str(place).rstrip("/") if place else None


def _invoke_later(
    call: Caller, name: str, place: str, body: bytes, content_type: str, clock: Clock
) -> tuple[bytes, str]:
    bucket, key = _split(f"{place}/requests/{uuid.uuid4().hex}")
    call.change("s3", "put_object", Bucket=bucket, Key=key, Body=body, ContentType=content_type)
    try:
        told = call.change(
            "sagemaker-runtime",
            "invoke_endpoint_async",
            EndpointName=name,
            InputLocation=f"s3://{bucket}/{key}",
            ContentType=content_type,
        )
        return _collect(call, name, told["OutputLocation"], told.get("FailureLocation"), clock)
    finally:
        call.remove("s3", "delete_object", Bucket=bucket, Key=key)


def _collect(call: Caller, name: str, place: str, failure: str | None, clock: Clock) -> tuple[bytes, str]:
    end = clock.now() + _ASYNC_TIMEOUT_S
    while True:
        found = _get(call, place)
        if found is not None:
            return found
        failed = _get(call, failure) if failure else None
        if failed is not None:
            raise DeploymentFailedError(
                f"deployment {name!r} failed to answer: {failed[0].decode(errors='replace')[:500]}"
            )
        if clock.now() >= end:
            raise DeploymentTimeoutError(
                f"deployment {name!r} has not answered after {_ASYNC_TIMEOUT_S:g} s; the answer will be at {place!r}"
            )
        clock.sleep(_ASYNC_POLL_S)


def _get(call: Caller, url: str) -> tuple[bytes, str] | None:
    bucket, key = _split(url)
    found = call.find("s3", "get_object", Bucket=bucket, Key=key)
    return None if found is None else (found["Body"].read(), str(found.get("ContentType") or "application/json"))


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key
