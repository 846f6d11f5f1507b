"""The steps that several operations share, each with what undoes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import field, frozen

from mlcore.errors import AlreadyExistsError, MlcoreError
from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.place import ensure_bucket
from mlcore_deploy_sagemaker.resources import Request, Wanted, is_ours
from mlcore_deploy_sagemaker.waiting import logger


@frozen
class Undo:
    """What was made so far, and how it goes away again."""

    actions: list[tuple[str, Callable[[], object]]] = field(factory=list)

    def add(self, what: str, action: Callable[[], object]) -> None:
        """Remember a step that was done."""
        self.actions.append((what, action))

    def run(self, err: BaseException) -> None:
        """Undo all steps, the last one first; what stays behind is told in a note of *err*."""
        while self.actions:
            what, action = self.actions.pop()
            try:
                action()
            except MlcoreError as problem:
                err.add_note(f"{what} stays behind: {problem.message}")
                logger.warning("%s stays behind: %s", what, problem.message)


def put_archive(call: Caller, wanted: Wanted, undo: Undo) -> None:
    """Put the archive into S3, unless the same is there already."""
    if wanted.archive is None or wanted.place is None:
        return
    ensure_bucket(call, wanted.place)
    where = {"Bucket": wanted.place.bucket, "Key": wanted.key}
    found = call.find("s3", "head_object", **where)
    if found is not None and found["ContentLength"] == wanted.archive.path.stat().st_size:
        return
    logger.info("deployment %r: uploading %s", wanted.name, wanted.url)
    call.upload(wanted.archive.path, wanted.place.bucket, wanted.key)
    undo.add(wanted.url, lambda: call.change("s3", "delete_object", **where))


def put_model(call: Caller, request: Request, undo: Undo) -> None:
    """Make the model; one of the same name has the same content."""
    name = request["ModelName"]
    _make(call, "model", name, lambda: call.change("sagemaker", "create_model", **request), undo)


def put_config(call: Caller, request: Request, undo: Undo) -> None:
    """Make the endpoint configuration; one of the same name has the same content."""
    name = request["EndpointConfigName"]
    _make(call, "endpoint_config", name, lambda: call.change("sagemaker", "create_endpoint_config", **request), undo)


def _make(call: Caller, kind: str, name: str, make: Callable[[], object], undo: Undo) -> None:
    try:
        make()
    except AlreadyExistsError:
        return  # an earlier attempt or a competitor made it
    key = "ModelName" if kind == "model" else "EndpointConfigName"
    undo.add(f"{kind} {name}", lambda: call.remove("sagemaker", f"delete_{kind}", **{key: name}))


def describe_config(call: Caller, name: str) -> Mapping[str, Any] | None:
    """Describe an endpoint configuration; None when there is none."""
    return call.find("sagemaker", "describe_endpoint_config", EndpointConfigName=name)


def describe_model(call: Caller, name: str) -> Mapping[str, Any] | None:
    """Describe a model; None when there is none."""
    return call.find("sagemaker", "describe_model", ModelName=name)


def sweep(call: Caller, name: str, config: Mapping[str, Any] | None, kept_models: Iterable[str] = ()) -> None:
    """Remove a configuration that is out of use, its models and their archives, as far as they are this deployment's.

    kept_models: names of models that are still in use, with their archives.
    """
    if config is None:
        return
    kept = set(kept_models)
    described = {
        variant["ModelName"]: describe_model(call, variant["ModelName"]) for variant in config["ProductionVariants"]
    }
    ours = {model: found for model, found in described.items() if found and is_ours(name, found)}
    if ours:
        call.remove("sagemaker", "delete_endpoint_config", EndpointConfigName=config["EndpointConfigName"])
    kept_urls = {_url(found) for found in (describe_model(call, model) for model in kept) if found}
    for model, found in ours.items():
        if model in kept:
            continue
        call.remove("sagemaker", "delete_model", ModelName=model)
        if _url(found) not in kept_urls:
            bucket, _, key = _url(found).removeprefix("s3://").partition("/")
            call.change("s3", "delete_object", Bucket=bucket, Key=key)


def _url(model: Mapping[str, Any]) -> str:
    return str(model["PrimaryContainer"].get("ModelDataUrl", ""))
