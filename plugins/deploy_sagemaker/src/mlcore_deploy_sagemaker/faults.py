"""AWS's errors as the kernel's, each with what was asked, of whom, and what to check."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from mlcore.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidParameterError,
    LimitExceededError,
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    StoreUnavailableError,
    UnauthenticatedError,
)


class DeploymentFailedError(MlcoreError):
    """The target tried, and could not bring the deployment up."""


class DeploymentTimeoutError(MlcoreError):
    """The target has not finished in the time that was allowed; it goes on."""

    code = "DEADLINE_EXCEEDED"
    status = 504


_KINDS: tuple[tuple[type[MlcoreError], str, str], ...] = (
    (
        LimitExceededError,
        "ResourceLimitExceeded ThrottlingException Throttling TooManyRequestsException LimitExceededException "
        "ServiceQuotaExceededException RequestLimitExceeded SlowDown",
        "choose another instance_type or fewer instances, or ask AWS for a higher quota",
    ),
    (
        PermissionDeniedError,
        "AccessDeniedException AccessDenied UnauthorizedOperation Forbidden 403",
        "check the caller's policies, and that it may pass the execution role",
    ),
    (
        UnauthenticatedError,
        "UnrecognizedClientException InvalidSignatureException ExpiredTokenException ExpiredToken InvalidClientTokenId "
        "SignatureDoesNotMatch InvalidAccessKeyId IncompleteSignature MissingAuthenticationToken RequestTimeTooSkewed",
        "check the credentials, and the clock of this machine",
    ),
    (ConflictError, "ResourceInUse ResourceInUseException ConflictException ConcurrentModificationException", ""),
    (NotFoundError, "NoSuchBucket NoSuchKey 404 ResourceNotFound ResourceNotFoundException NotFound NoSuchEntity", ""),
    (
        StoreUnavailableError,
        "ServiceUnavailable ServiceUnavailableException InternalFailure InternalServerException InternalServerError "
        "ModelNotReadyException 500 502 503",
        "try again; doing it again changes nothing twice",
    ),
    (AlreadyExistsError, "BucketAlreadyExists", "choose another bucket"),
    (DeploymentFailedError, "ModelError", "look at the log of the endpoint in CloudWatch"),
)


def translated(err: ClientError | BotoCoreError, subject: str, asked: str) -> MlcoreError:
    """Return the kernel's error for one of botocore.

    subject: what it was for, such as `deployment 'a'`. asked: service and operation, such as `sagemaker:CreateModel`.
    """
    if isinstance(err, ClientError):
        told = err.response.get("Error", {})
        kind, hint = _kind(str(told.get("Code", "")), str(told.get("Message", "")))
        text = f"{subject}: {asked} failed with {told.get('Code')}: {told.get('Message')}"
    else:
        kind, hint = _local_kind(err)
        text = f"{subject}: {asked} failed: {err}"
    return kind(f"{text}; {hint}" if hint else text)


def _kind(code: str, message: str) -> tuple[type[MlcoreError], str]:
    if code in ("ValidationException", "ValidationError"):
        lower = message.lower()
        if "already exist" in lower:
            return AlreadyExistsError, ""
        if any(words in lower for words in ("could not find", "not found", "does not exist")):
            return NotFoundError, ""
        return InvalidParameterError, ""
    for kind, codes, hint in _KINDS:
        if code in codes.split():
            return kind, hint
    return MlcoreError, ""


def _local_kind(err: BotoCoreError) -> tuple[type[MlcoreError], str]:
    if isinstance(err, (NoCredentialsError, PartialCredentialsError)):
        return UnauthenticatedError, "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if isinstance(err, (ParamValidationError, NoRegionError)):
        return InvalidParameterError, "name the region as sagemaker:/REGION" if isinstance(err, NoRegionError) else ""
    if isinstance(err, (ConnectionError, HTTPClientError)):
        return StoreUnavailableError, "check the network, the region and AWS_ENDPOINT_URL"
    return MlcoreError, ""
