"""Say what went wrong in a bucket, on which key, during which operation, and what to check; never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen
from botocore import exceptions as boto

from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    InvalidParameterError,
    LimitExceededError,
    MissingDependencyError,
    MlcoreError,
    PermissionDeniedError,
    SettingsError,
    StoreUnavailableError,
    UnauthenticatedError,
    UnsupportedError,
)


@frozen
class Doing:
    """An operation in a bucket, for errors: `Doing("write", "bucket", "prefix/file")`."""

    verb: str
    bucket: str
    key: str

    def __str__(self) -> str:
        return f"cannot {self.verb} 's3://{self.bucket}/{self.key}'"


class UploadGoneError(StoreUnavailableError):
    """The storage no longer knows an upload in parts, or some of its parts."""


_CREDENTIALS = (
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile (AWS_PROFILE or MLCORE_S3_PROFILE) or the "
    "machine's role; for a public bucket set MLCORE_S3_UNSIGNED=true"
)
_CLOCK = "the clocks differ: set this machine's clock (it must be right to 15 minutes)"
_BUCKET = "check the bucket's name, and MLCORE_S3_ENDPOINT_URL if it is not at Amazon; the bucket is not created here"
_DENIED = (
    "check that the policy allows s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and "
    "s3:AbortMultipartUpload here, the encryption key's policy, and MLCORE_S3_REQUEST_PAYER where the requester pays"
)
_REGION = "set AWS_REGION or MLCORE_S3_REGION to the bucket's region"

_CODES: dict[str, tuple[type[MlcoreError], str]] = {
    "NoSuchBucket": (StoreUnavailableError, f"there is no such bucket; {_BUCKET}"),
    "AccessDenied": (PermissionDeniedError, f"access is denied; {_DENIED}"),
    "AllAccessDisabled": (PermissionDeniedError, f"access is disabled; {_DENIED}"),
    "403": (PermissionDeniedError, f"access is denied; {_DENIED}"),
    "InvalidAccessKeyId": (UnauthenticatedError, f"the access key is not known there; {_CREDENTIALS}"),
    "SignatureDoesNotMatch": (
        UnauthenticatedError,
        f"the signature does not match: the secret key is wrong, or a proxy changes requests; {_CREDENTIALS}",
    ),
    "ExpiredToken": (UnauthenticatedError, "the session's credentials have expired; log in again (aws sso login)"),
    "InvalidToken": (UnauthenticatedError, f"the session token is not accepted; {_CREDENTIALS}"),
    "TokenRefreshRequired": (UnauthenticatedError, "the session's credentials must be refreshed; log in again"),
    "RequestTimeTooSkewed": (UnauthenticatedError, _CLOCK),
    "RequestExpired": (UnauthenticatedError, _CLOCK),
    "PermanentRedirect": (StoreUnavailableError, f"the bucket is in another region; {_REGION}"),
    "AuthorizationHeaderMalformed": (StoreUnavailableError, f"the bucket is in another region; {_REGION}"),
    "301": (StoreUnavailableError, f"the bucket is in another region; {_REGION}"),
    "SlowDown": (LimitExceededError, "the storage asks to send less; try again later"),
    "503": (StoreUnavailableError, "the storage is overloaded; try again later"),
    "NoSuchUpload": (UploadGoneError, "the upload in parts was dropped meanwhile; upload it again"),
    "InvalidPart": (UploadGoneError, "parts of the upload are gone; upload it again"),
    "PreconditionFailed": (StoreUnavailableError, "the object was replaced meanwhile; try again"),
    "412": (StoreUnavailableError, "the object was replaced meanwhile; try again"),
    "InvalidObjectState": (ArtifactNotFoundError, "the object is archived; restore it first"),
    "QuotaExceeded": (ArtifactWriteError, "the quota of the bucket or user is used up"),
    "EntityTooLarge": (ArtifactWriteError, "the file is larger than the storage takes"),
    "NotImplemented": (UnsupportedError, "the storage does not have this ability; check the encryption settings"),
}
_MISSING = ("NoSuchKey", "404", "NotFound")


def code_of(err: boto.ClientError) -> str:
    """Return the storage's word for the error, such as `NoSuchKey`; answers without a body give the HTTP status."""
    error: object = err.response.get("Error")
    return str(error.get("Code", "")) if isinstance(error, Mapping) else ""


def is_missing(err: boto.ClientError) -> bool:
    """Whether the error says that there is no such object."""
    return code_of(err) in _MISSING


@contextmanager
def told(doing: Doing) -> Iterator[None]:
    """Turn the errors of boto3 inside the block into ours."""
    try:
        yield
    except boto.ClientError as err:
        raise _from_answer(doing, err) from err
    except boto.NoCredentialsError as err:
        raise UnauthenticatedError(f"{doing}: there are no credentials; {_CREDENTIALS}") from err
    except boto.ProfileNotFound as err:
        raise SettingsError(f"{doing}: {err}; check AWS_PROFILE, MLCORE_S3_PROFILE and ~/.aws/config") from err
    except (boto.PartialCredentialsError, boto.CredentialRetrievalError, boto.TokenRetrievalError) as err:
        # What a credential process prints may hold secrets, so only the kind of the fault is told.
        kind = type(err).__name__
        raise UnauthenticatedError(f"{doing}: the credentials are incomplete ({kind}); {_CREDENTIALS}") from None
    except boto.SSLError as err:
        raise StoreUnavailableError(
            f"{doing}: the server's certificate is not trusted; set MLCORE_S3_CA_BUNDLE to the file of its authority"
        ) from err
    except (boto.HTTPClientError, boto.ConnectionError, OSError) as err:
        why = "the server does not answer" if isinstance(err, boto.EndpointConnectionError) else type(err).__name__
        raise StoreUnavailableError(
            f"{doing}: {why}; check the network, MLCORE_S3_ENDPOINT_URL and the region, then try again"
        ) from err
    except boto.ParamValidationError as err:
        raise InvalidParameterError(
            f"{doing}: the request is not acceptable; check the bucket's name and MLCORE_S3_EXTRA_ARGS"
        ) from err
    except boto.MissingDependencyException as err:
        raise MissingDependencyError(f"{doing}: {err}; to have it: pip install 'boto3[crt]'") from err
    except boto.BotoCoreError as err:
        raise StoreUnavailableError(f"{doing}: {type(err).__name__}; check the AWS configuration") from err


def _from_answer(doing: Doing, err: boto.ClientError) -> MlcoreError:
    code = code_of(err)
    if code in _MISSING:
        return ArtifactNotFoundError(f"{doing}: there is no such object")
    cls, advice = _CODES.get(code, (None, ""))
    if cls is not None:
        return cls(f"{doing}: {advice} ({code})")
    status = _status(err)
    if status >= 500:
        return StoreUnavailableError(f"{doing}: the storage failed ({code}, HTTP {status}); try again later")
    if status == 403:
        return PermissionDeniedError(f"{doing}: access is denied; {_DENIED} ({code})")
    kind = ArtifactWriteError if doing.verb == "write" else InvalidParameterError
    return kind(f"{doing}: the storage refused the request ({code}, HTTP {status}); check the MLCORE_S3_ settings")


def _status(err: boto.ClientError) -> int:
    metadata: object = err.response.get("ResponseMetadata")
    found = metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None
    return found if isinstance(found, int) else 0
