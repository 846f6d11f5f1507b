"""Batch transform: predictions for whole files in S3, by a job instead of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen

from mlcore.errors import AlreadyExistsError, ConflictError, InvalidParameterError, MlcoreError, NotFoundError
from mlcore.interfaces import BatchPrediction, PlannedCall
from mlcore_deploy_sagemaker.archive import packed
from mlcore_deploy_sagemaker.calls import Caller, Clients, shown
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.place import find_place
from mlcore_deploy_sagemaker.resources import (
    INSTANCE_TYPE,
    Request,
    Wanted,
    check_name,
    model_request,
    told_model,
)
from mlcore_deploy_sagemaker.steps import Undo, describe_model, put_archive, put_model
from mlcore_deploy_sagemaker.waiting import Clock, logger

STATES = {
    "InProgress": "running",
    "Completed": "succeeded",
    "Failed": "failed",
    "Stopping": "stopping",
    "Stopped": "stopped",
}
_BUSY = ("running", "stopping")
_NUMBERS = ("max_payload_mb", "max_concurrent")


@frozen(kw_only=True)
class Transform:
    """What a batch transform reads and writes.

    input_uri, output_uri: S3 prefixes. split: `Line`, `RecordIO`, `TFRecord` or `None`, how files are cut into records;
    `None` sends whole files, so that a CSV keeps its header. strategy: `MultiRecord` or `SingleRecord` in a request.
    input_filter, output_filter: JSONPath of what is sent and kept. join_source: `Input` puts each record before its
    prediction. max_payload_mb: of one request, 6 unless chosen, 100 at most.
    """

    input_uri: str
    output_uri: str
    content_type: str = "text/csv"
    accept: str = "application/json"
    data_type: str = "S3Prefix"
    compression: str = "None"
    split: str = "None"
    assemble_with: str = "None"
    strategy: str | None = None
    max_payload_mb: int | None = None
    max_concurrent: int | None = None
    input_filter: str = "$"
    output_filter: str = "$"
    join_source: str = "None"

    @classmethod
    def read(cls, input_uri: str, output_uri: str, config: Mapping[str, object]) -> tuple[Transform, dict[str, object]]:
        """Take what is about files out of a config; return it and the rest.

        Raises InvalidParameterError: a place that is not in S3, or a value of another kind.
        """
        for name, uri in (("input_uri", input_uri), ("output_uri", output_uri)):
            if not uri.startswith("s3://"):
                raise InvalidParameterError(f"{name} is {uri!r}: SageMaker reads and writes S3, as s3://BUCKET/PREFIX")
        known = set(attrs.fields_dict(cls)) - {"input_uri", "output_uri"}
        chosen: dict[str, Any] = {
            key: str(value) for key, value in config.items() if key in known and value is not None
        }
        for key in _NUMBERS:
            if key in chosen and not chosen[key].isdigit():
                raise InvalidParameterError(f"{key!r} is {chosen[key]!r}, expected a whole number")
        chosen |= {key: int(chosen[key]) for key in _NUMBERS if key in chosen}
        rest = {key: value for key, value in config.items() if key not in known}
        return cls(input_uri=input_uri, output_uri=output_uri, **chosen), rest


class BatchTransforms:
    """The transform jobs of a region."""

    def __init__(self, clients: Clients, clock: Clock | None = None) -> None:
        """Work through *clients*; *clock* is for tests."""
        self._clients = clients
        self._clock = clock or Clock()

    def start(
        self, name: str, model_uri: str, transform: Transform, config: Mapping[str, object], flavor: str | None = None
    ) -> BatchPrediction:
        """Run a model over files; the same job started twice runs once.

        config: as for endpoints; `synchronous` waits for the end.
        Raises AlreadyExistsError: another job has the name; names of jobs are never free again.
        DeploymentFailedError: the job failed. DeploymentTimeoutError: it goes on.
        """
        options = Options.read(config)
        call = self._caller(name)
        self._start(call, name, model_uri, flavor, transform, options)
        return self.wait(name, options) if options.synchronous else self.get(name)

    def plan(
        self, name: str, model_uri: str, transform: Transform, config: Mapping[str, object], flavor: str | None = None
    ) -> tuple[PlannedCall, ...]:
        """Return the calls that `start` would make."""
        call = Caller(self._clients, f"transform job {check_name(name)!r}", dry=True)
        self._start(call, name, model_uri, flavor, transform, Options.read(config))
        return tuple(call.planned)

    def get(self, name: str) -> BatchPrediction:
        """Return a job. Raises NotFoundError: there is none of that name."""
        call = self._caller(name)
        found = self._find(call, name)
        if found is None:
            raise NotFoundError(f"no transform job {name!r} in region {self._clients.region}")
        return _told(found, describe_model(call, found["ModelName"]))

    def list(self) -> tuple[BatchPrediction, ...]:
        """Return all jobs of the region, by name, without what only `get` asks for; they are never forgotten."""
        call = Caller(self._clients, "list of transform jobs")
        found: list[BatchPrediction] = []
        arguments: dict[str, object] = {"MaxResults": 100}
        while True:
            page = call.read("sagemaker", "list_transform_jobs", **arguments)
            found += [_told(each, None) for each in page["TransformJobSummaries"]]
            if not page.get("NextToken"):
                return tuple(sorted(found, key=lambda each: each.name))
            arguments["NextToken"] = page["NextToken"]

    def stop(self, name: str) -> None:
        """Stop a job; nothing happens when it has ended or is not there."""
        call = self._caller(name)
        found = self._find(call, name)
        if found is not None and found["TransformJobStatus"] == "InProgress":
            call.change("sagemaker", "stop_transform_job", TransformJobName=name)

    def wait(self, name: str, options: Options) -> BatchPrediction:
        """Wait until a job ends. Raises DeploymentFailedError, DeploymentTimeoutError."""
        start, told = self._clock.now(), ""
        while True:
            job = self.get(name)
            elapsed = self._clock.now() - start
            if job.state != told:
                logger.info("transform job %r is %s after %.0f s", name, job.state, elapsed)
                told = job.state
            if job.state == "failed":
                raise DeploymentFailedError(f"transform job {name!r} failed: {job.reason or 'no reason is given'}")
            if job.state not in _BUSY:
                return job
            if elapsed >= options.timeout_seconds:
                raise DeploymentTimeoutError(
                    f"transform job {name!r} is still {job.state} after {elapsed:.0f} s; it goes on"
                )
            self._clock.sleep(options.poll_seconds)

    def _start(
        self, call: Caller, name: str, model_uri: str, flavor: str | None, transform: Transform, options: Options
    ) -> None:
        with packed(model_uri, flavor) as archive:
            wanted = Wanted(name, options, archive, find_place(call, options))
            model = model_request(wanted)
            found = self._find(call, name)
            if found is not None:
                self._refuse_other(name, found, model["ModelName"], transform)
                return
            undo = Undo()
            try:
                put_archive(call, wanted, undo)
                put_model(call, model, undo)
                call.change("sagemaker", "create_transform_job", **_request(wanted, model["ModelName"], transform))
            except ConflictError as err:
                found = self._find(call, name)
                if found is not None and found["ModelName"] == model["ModelName"]:
                    return
                undo.run(err)
                raise AlreadyExistsError(
                    f"transform job {name!r} exists for another model: choose another name"
                ) from err
            except (MlcoreError, KeyboardInterrupt) as err:
                undo.run(err)
                raise

    @staticmethod
    def _refuse_other(name: str, found: Mapping[str, Any], model_name: str, transform: Transform) -> None:
        source = found["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        if (found["ModelName"], source) != (model_name, transform.input_uri):
            raise AlreadyExistsError(
                f"transform job {name!r} exists for another model or input: choose another name, those of jobs stay taken"
            )

    @staticmethod
    def _find(call: Caller, name: str) -> Mapping[str, Any] | None:
        return call.find("sagemaker", "describe_transform_job", TransformJobName=name)

    def _caller(self, name: str) -> Caller:
        return Caller(self._clients, f"transform job {check_name(name)!r}")


def _told(found: Mapping[str, Any], model: Mapping[str, Any] | None) -> BatchPrediction:
    """Return a described job, or the summary of one."""
    detail = {key: value for key, value in found.items() if key != "ResponseMetadata"}
    return BatchPrediction(
        str(found["TransformJobName"]),
        STATES.get(str(found["TransformJobStatus"]), "failed"),
        told_model(model)[0],
        found.get("TransformInput", {}).get("DataSource", {}).get("S3DataSource", {}).get("S3Uri"),
        found.get("TransformOutput", {}).get("S3OutputPath"),
        str(found.get("FailureReason", "")),
        shown(detail),
    )


def _request(wanted: Wanted, model_name: str, transform: Transform) -> Request:
    options = wanted.options
    resources: Request = {
        "InstanceType": options.instance_type or INSTANCE_TYPE,
        "InstanceCount": options.instance_count or 1,
    }
    request: Request = {
        "TransformJobName": wanted.name,
        "ModelName": model_name,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": transform.data_type, "S3Uri": transform.input_uri}},
            "ContentType": transform.content_type,
            "CompressionType": transform.compression,
            "SplitType": transform.split,
        },
        "TransformOutput": {
            "S3OutputPath": transform.output_uri,
            "Accept": transform.accept,
            "AssembleWith": transform.assemble_with,
        },
        "TransformResources": resources,
        "DataProcessing": {
            "InputFilter": transform.input_filter,
            "OutputFilter": transform.output_filter,
            "JoinSource": transform.join_source,
        },
        "Tags": wanted.tags(),
    }
    if options.kms_key_id:
        resources["VolumeKmsKeyId"] = options.kms_key_id
    chosen = {
        "DataCaptureConfig": options.data_capture_config,
        "BatchStrategy": transform.strategy,
        "MaxPayloadInMB": transform.max_payload_mb,
        "MaxConcurrentTransforms": transform.max_concurrent,
    }
    return request | {key: value for key, value in chosen.items() if value is not None}
