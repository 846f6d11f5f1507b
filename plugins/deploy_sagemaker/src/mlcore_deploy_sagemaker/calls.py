"""Every call to AWS goes through here: made, or in a plan only written down; errors in the kernel's words."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.validate import ParamValidator

from mlcore.errors import InvalidParameterError, MlcoreError, NotFoundError
from mlcore.interfaces import PlannedCall
from mlcore_deploy_sagemaker.faults import translated
from mlcore_deploy_sagemaker.target import Target

if TYPE_CHECKING:
    import boto3

_SECRET = re.compile(r"(?i)(secret|token|passw|credential|api_?key|access_?key)")


class Clients:
    """The clients of one region, each made at its first use; threads share them."""

    def __init__(self, target: Target) -> None:
        """Ask nobody yet."""
        self._target = target
        self._session: boto3.Session | None = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, service: str) -> Any:
        """Return the client of a service, such as `s3`."""
        with self._lock:
            if self._session is None:
                self._session = _session(self._target)
            if service not in self._clients:
                self._clients[service] = self._session.client(service)
            return self._clients[service]

    @property
    def region(self) -> str:
        """The region that calls go to."""
        return str(self.get("sagemaker").meta.region_name)


def _session(target: Target) -> boto3.Session:
    import boto3

    session = boto3.Session(region_name=target.region)
    if target.role is None:
        return session
    return as_role(session, target.role)


def as_role(session: boto3.Session, role: str, seconds: int = 3600) -> boto3.Session:
    """Return a session that works as *role*, with credentials that renew themselves before they expire.

    session: takes on the role. seconds: how long credentials are good for.
    """
    import boto3
    import botocore.session
    from botocore.credentials import (
        CredentialProvider,
        CredentialResolver,
        DeferredRefreshableCredentials,
        create_assume_role_refresher,
    )

    params = {"RoleArn": role, "RoleSessionName": "mlcore", "DurationSeconds": seconds}

    class AssumedRole(CredentialProvider):  # type: ignore[misc]  # botocore ships no types
        METHOD = "assume-role"

        def load(self) -> DeferredRefreshableCredentials:
            refresher = create_assume_role_refresher(session.client("sts"), params)
            return DeferredRefreshableCredentials(refresher, self.METHOD)

    inner = botocore.session.get_session()
    inner.register_component("credential_provider", CredentialResolver([AssumedRole()]))
    return boto3.Session(botocore_session=inner, region_name=session.region_name)


class Caller:
    """Calls for one purpose."""

    def __init__(self, clients: Clients, subject: str, *, dry: bool = False) -> None:
        """Call for *subject*, such as `deployment 'a'`.

        dry: only calls that read are made; all are checked and kept in `planned`.
        """
        self.clients = clients
        self.subject = subject
        self.dry = dry
        self.planned: list[PlannedCall] = []

    def read(self, service: str, method: str, **arguments: object) -> Mapping[str, Any]:
        """Make a call that changes nothing."""
        return self._call(service, method, arguments, reads=True)

    def change(self, service: str, method: str, **arguments: object) -> Mapping[str, Any]:
        """Make a call that changes something; in a plan write it down and return an empty answer."""
        return self._call(service, method, arguments, reads=False)

    def find(self, service: str, method: str, **arguments: object) -> Mapping[str, Any] | None:
        """Make a call that reads; None when there is no such thing."""
        try:
            return self.read(service, method, **arguments)
        except NotFoundError:
            return None

    def remove(self, service: str, method: str, **arguments: object) -> bool:
        """Make a call that removes something; whether it was there."""
        try:
            self.change(service, method, **arguments)
        except NotFoundError:
            return False
        return True

    def upload(self, path: Path, bucket: str, key: str) -> None:
        """Put a file into S3, in parts when it is large."""
        shown = {"Bucket": bucket, "Key": key, "Body": f"{path.stat().st_size} bytes"}
        self.planned.append(PlannedCall("s3", "PutObject", shown))
        if self.dry:
            return
        from boto3.exceptions import S3UploadFailedError

        try:
            self.clients.get("s3").upload_file(str(path), bucket, key)
        except S3UploadFailedError as err:
            cause = err.__context__
            if isinstance(cause, ClientError):
                raise translated(cause, self.subject, f"s3:PutObject of {key!r} into bucket {bucket!r}") from err
            raise MlcoreError(f"{self.subject}: upload of {key!r} into bucket {bucket!r} failed: {err}") from err
        except (ClientError, BotoCoreError) as err:
            raise translated(err, self.subject, f"s3:PutObject of {key!r} into bucket {bucket!r}") from err

    def _call(self, service: str, method: str, arguments: Mapping[str, object], *, reads: bool) -> Mapping[str, Any]:
        try:
            client = self.clients.get(service)
            operation = str(client.meta.method_to_api_mapping[method])
        except BotoCoreError as err:
            raise translated(err, self.subject, f"{service}:{method}") from err
        self.planned.append(PlannedCall(service, operation, shown(arguments), reads))
        if self.dry and not reads:
            self._check(client, operation, arguments)
            return {}
        try:
            answer: Mapping[str, Any] = getattr(client, method)(**arguments)
        except (ClientError, BotoCoreError) as err:
            raise translated(err, self.subject, f"{service}:{operation}") from err
        return answer

    def _check(self, client: Any, operation: str, arguments: Mapping[str, object]) -> None:
        shape = client.meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(dict(arguments), shape)
        if report.has_errors():
            faults = report.generate_report().replace("\n", "; ")
            raise InvalidParameterError(f"{self.subject}: {operation} would be refused: {faults}")


def shown(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return arguments as plain JSON values, without secrets."""
    return {
        key: "***" if isinstance(value, str) and _SECRET.search(key) else _plain(value)
        for key, value in arguments.items()
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return shown(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
