"""The requests about artifacts of runs, and of the artifact proxy."""

from __future__ import annotations

from attrs import frozen

from mlcore.wire.messages import optional, required


@frozen
class ListArtifacts:
    """`GET artifacts/list`."""

    run_id: str = required(alias="run_uuid")
    path: str = optional("")
    page_token: str = optional("")


@frozen
class GetArtifact:
    """`GET /get-artifact` and `POST upload-artifact`."""

    run_id: str = required(alias="run_uuid")
    path: str = required()


@frozen
class GetVersionArtifact:
    """`GET /model-versions/get-artifact`."""

    name: str = required()
    version: str = required()
    path: str = required()


@frozen
class PresignUpload:
    """`POST artifacts/presigned-upload-url`; exactly one of run_id and model_id. expiration: s."""

    path: str = required()
    run_id: str = optional("")
    model_id: str = optional("")
    expiration: int = optional(900)


@frozen
class PresignDownload:
    """`POST artifacts/presigned-download-url`. expiration: s, 1 to 604,800."""

    run_id: str = required()
    path: str = required()
    expiration: int = optional(300)


@frozen
class ProxyList:
    """`GET mlflow-artifacts/artifacts`."""

    path: str = optional("")


@frozen
class ProxyPath:
    """A request about one file of the artifact proxy."""

    artifact_path: str = required()


@frozen
class CreateUpload:
    """`POST mlflow-artifacts/mpu/create/{artifact_path}`; path is the file's name in that directory."""

    artifact_path: str = optional("")
    path: str = required()
    num_parts: int = required()


@frozen
class UploadedPart:
    """A part of a multipart upload that the storage has."""

    part_number: int = required()
    etag: str = required()
    url: str = optional("")


@frozen
class CompleteUpload:
    """`POST mlflow-artifacts/mpu/complete/{artifact_path}`."""

    artifact_path: str = optional("")
    path: str = required()
    upload_id: str = required()
    parts: tuple[UploadedPart, ...] = optional(())


@frozen
class AbortUpload:
    """`POST mlflow-artifacts/mpu/abort/{artifact_path}`."""

    artifact_path: str = optional("")
    path: str = required()
    upload_id: str = required()
