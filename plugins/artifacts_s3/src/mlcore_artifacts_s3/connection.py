"""Make boto3 clients from settings, and call them with what every request to the bucket needs."""

from __future__ import annotations

import base64
import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol, cast

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.httpsession import get_cert_path
from botocore.session import Session

from mlcore_artifacts_s3.faults import Doing, told
from mlcore_artifacts_s3.settings import S3Settings
from mlcore_artifacts_s3.signing import Credentials

# Asking whether keys are still good takes as long as signing with them; they are renewed minutes before their end.
_FRESH_SECONDS = 1.0
_CUSTOMER_KEY = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")


class _Shape(Protocol):
    members: Mapping[str, _Shape]
    serialization: Mapping[str, str]


class Connection:
    """A bucket at a storage, through boto3: settings, credentials, retries, redirects to the right region."""

    def __init__(self, bucket: str, settings: S3Settings) -> None:
        """Connect at the first use; the process that forks gets connections of its own."""
        self.bucket = bucket
        self.settings = settings
        self._lock = threading.Lock()
        self._made: tuple[int, Session, object] | None = None
        self._fresh: tuple[float, Credentials] | None = None
        self._headers: dict[str, dict[str, str] | None] = {}
        self._common: dict[str, object] = {"Bucket": bucket, **_common(settings)}
        self._upload: dict[str, object] = {**settings.extra_args, **_encryption(settings)}

    def call(self, operation: str, verb: str, key: str, **parameters: object) -> Mapping[str, object]:
        """Do one operation, such as `head_object`; the parameters that all requests need are added.

        verb, key: for errors.
        Raises the errors of `faults.told`.
        """
        with told(Doing(verb, self.bucket, key)):
            return self.raw(operation, **parameters)

    def raw(self, operation: str, **parameters: object) -> Mapping[str, object]:
        """Do the same with boto3's errors."""
        method = cast("Callable[..., Mapping[str, object]]", getattr(self.client(), operation))
        return method(**self.parameters(operation, parameters))

    def parameters(self, operation: str, given: Mapping[str, object]) -> dict[str, object]:
        """Return *given* with those common parameters that the operation knows."""
        known = self._shape(operation).members
        common = {name: value for name, value in self._common.items() if name in known}
        if operation in ("put_object", "create_multipart_upload"):
            common.update(self._upload)
        return {**common, **given}

    def headers(self, operation: str, given: Mapping[str, object]) -> dict[str, str] | None:
        """Return the same parameters as HTTP headers, names in lower case; None when one is no header."""
        if operation not in self._headers:
            self._headers[operation] = self._as_headers(operation, {})
        always = self._headers[operation]
        if always is None:
            return None
        if set(given) <= {"Metadata"} and "Metadata" not in self._upload:
            # The parameters of small files; looking all up again takes as long as sending one.
            named = given.get("Metadata")
            metadata = named.items() if isinstance(named, Mapping) else ()
            return {**always, **{f"x-amz-meta-{name}".lower(): str(value) for name, value in metadata}}
        return self._as_headers(operation, given)

    def _as_headers(self, operation: str, given: Mapping[str, object]) -> dict[str, str] | None:
        members = self._shape(operation).members
        headers: dict[str, str] = {}
        for name, value in self.parameters(operation, given).items():
            where = members[name].serialization if name in members else {}
            if name == "Bucket":
                continue
            if where.get("location") == "headers" and isinstance(value, Mapping):
                headers.update((f"{where['name']}{inner}".lower(), str(text)) for inner, text in value.items())
            elif where.get("location") == "header" and isinstance(value, str | bytes):
                headers[where["name"].lower()] = _header_value(name, value)
            else:
                return None
        if self.settings.sse_customer_key and "SSECustomerKeyMD5" in members:
            digest = hashlib.md5(self.settings.sse_customer_key, usedforsecurity=False).digest()
            headers["x-amz-server-side-encryption-customer-key-md5"] = base64.b64encode(digest).decode()
        return headers

    def presigned(self, operation: str, given: Mapping[str, object], expires_s: int) -> str:
        """Return a URL that allows one operation for so many seconds."""
        sign = cast("Callable[..., str]", getattr(self.client(), "generate_presigned_url"))  # noqa: B009  # untyped
        with told(Doing("presign", self.bucket, str(given.get("Key", "")))):
            return sign(operation, Params=self.parameters(operation, given), ExpiresIn=expires_s)

    def credentials(self) -> Credentials | None:
        """Return the key pair of now, refreshed when it is about to expire; None when requests are not signed."""
        if self.settings.unsigned:
            return None
        now, fresh = time.monotonic(), self._fresh
        if fresh is not None and now < fresh[0]:
            return fresh[1]
        self.client()
        found = self._made[1].get_credentials() if self._made else None
        if found is None:
            return None
        with told(Doing("sign requests to", self.bucket, "")):
            frozen = found.get_frozen_credentials()
        credentials = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
        self._fresh = (now + _FRESH_SECONDS, credentials)
        return credentials

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        meta = getattr(self.client(), "meta")  # noqa: B009  # untyped
        return str(meta.region_name or "us-east-1")

    def authorities(self) -> str | None:
        """Return the file of certificates to trust; None when any is."""
        if self.settings.ignore_tls:
            return None
        self.client()
        chosen = self._made[1].get_config_variable("ca_bundle") if self._made else None
        return self.settings.ca_bundle or (str(chosen) if chosen else str(get_cert_path(True)))

    def client(self) -> object:
        """Return this process's boto3 client."""
        made = self._made
        if made is None or made[0] != os.getpid():
            with self._lock, told(Doing("open", self.bucket, "")):
                session = _session(self.settings)
                self._made = made = (os.getpid(), session, _client(session, self.settings))
        return made[2]

    def close(self) -> None:
        """Let go of the connections; a later call connects again."""
        made, self._made = self._made, None
        self._fresh = None
        if made is not None and made[0] == os.getpid():
            cast("Callable[[], None]", getattr(made[2], "close"))()  # noqa: B009  # untyped

    def _shape(self, operation: str) -> _Shape:
        meta = getattr(self.client(), "meta")  # noqa: B009  # untyped
        name = meta.method_to_api_mapping[operation]
        return cast("_Shape", meta.service_model.operation_model(name).input_shape)


def _session(settings: S3Settings) -> Session:
    session = Session(profile=settings.profile)
    if settings.region:
        session.set_config_variable("region", settings.region)
    if settings.role_arn:
        extra = {"RoleSessionName": settings.role_session_name}
        if settings.external_id:
            extra["ExternalId"] = settings.external_id
        fetcher = AssumeRoleCredentialFetcher(
            session.create_client, session.get_credentials(), settings.role_arn, extra_args=extra
        )
        session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return session


def _client(session: Session, settings: S3Settings) -> object:
    style = settings.addressing_style or ("path" if settings.endpoint_url else "auto")
    config = Config(
        signature_version=UNSIGNED if settings.unsigned else "s3v4",
        s3={"addressing_style": style},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": settings.max_attempts},
        max_pool_connections=max(10, settings.parallel_files, settings.parallel_parts),
        # Old storages refuse the checksums that newer clients add to every request. Each payload's SHA-256 is in
        # the signature anyway, which every storage verifies.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    verify = False if settings.ignore_tls else settings.ca_bundle
    client = boto3.Session(botocore_session=session).client(
        "s3",
        region_name=None if session.get_config_variable("region") else "us-east-1",
        endpoint_url=settings.endpoint_url,
        verify=verify,
        config=config,
    )
    # Deleting many objects needs a checksum of the list; this is the one that every storage knows.
    client.meta.events.register("before-sign.s3.DeleteObjects", _with_md5)
    return cast("object", client)


def _with_md5(request: object, **_: object) -> None:
    headers, body = getattr(request, "headers", None), getattr(request, "data", None)
    if headers is not None and isinstance(body, bytes) and "Content-MD5" not in headers:
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        headers["Content-MD5"] = base64.b64encode(digest).decode()


def _common(settings: S3Settings) -> dict[str, object]:
    common: dict[str, object] = {}
    if settings.request_payer:
        common["RequestPayer"] = settings.request_payer
    if settings.expected_bucket_owner:
        common["ExpectedBucketOwner"] = settings.expected_bucket_owner
    if settings.sse_customer_key:
        common["SSECustomerAlgorithm"] = "AES256"
        common["SSECustomerKey"] = settings.sse_customer_key
    return common


def _encryption(settings: S3Settings) -> dict[str, object]:
    chosen = {"ServerSideEncryption": settings.sse, "SSEKMSKeyId": settings.sse_kms_key_id}
    if settings.sse_kms_key_id and not settings.sse:
        chosen["ServerSideEncryption"] = "aws:kms"
    return {name: value for name, value in chosen.items() if value}


def _header_value(name: str, value: str | bytes) -> str:
    if isinstance(value, bytes) or name == "SSECustomerKey":
        return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()
    return value
