"""What failed requests mean, in mlcore's errors: where, why, and what to check; credentials are in none of them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping

from mlcore.errors import (
    EndpointNotFoundError,
    InvalidParameterError,
    InvalidStateError,
    MlcoreError,
    StoreUnavailableError,
    UnauthenticatedError,
    from_code,
)
from mlcore.remote.places import Place

CREDENTIALS = (
    "set MLCORE_TRACKING_USERNAME and MLCORE_TRACKING_PASSWORD, or MLCORE_TRACKING_TOKEN (MLFLOW_TRACKING_... work too)"
)
_SHOWN = 300
_SAME = {
    "NOT_FOUND": "RESOURCE_DOES_NOT_EXIST",
    "ALREADY_EXISTS": "RESOURCE_ALREADY_EXISTS",
    "ABORTED": "RESOURCE_CONFLICT",
    "CUSTOMER_UNAUTHORIZED": "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED": "REQUEST_LIMIT_EXCEEDED",
    "DEADLINE_EXCEEDED": "TEMPORARILY_UNAVAILABLE",
    "MALFORMED_REQUEST": "BAD_REQUEST",
}
_BY_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    413: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    501: "NOT_IMPLEMENTED",
    408: "TEMPORARILY_UNAVAILABLE",
    502: "TEMPORARILY_UNAVAILABLE",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "TEMPORARILY_UNAVAILABLE",
}


def unreachable(place: Place, err: OSError, timeout_s: float) -> StoreUnavailableError:
    """Return the error for a server that does not answer, or not to the end."""
    reason = str(err.strerror or err) or type(err).__name__
    if isinstance(err, ConnectionRefusedError):
        what = "connection refused: check that the server runs, and its host and port"
    elif isinstance(err, socket.gaierror):
        what = f"the name {place.host!r} is not known ({reason}): check it, and the network"
    elif isinstance(err, TimeoutError):
        what = f"no answer in {timeout_s:g} s: check the network, or set MLCORE_HTTP_REQUEST_TIMEOUT to more seconds"
    elif type(err).__name__ == "SSLCertVerificationError":
        what = (
            f"its certificate is not trusted ({reason}): set MLCORE_TRACKING_SERVER_CERT_PATH to a file with the "
            "certificate of its authority"
        )
    elif type(err).__name__.startswith("SSL"):
        what = f"no TLS connection ({reason}): check whether the server speaks https, and which client certificate it wants"
    else:
        what = f"the connection broke off ({reason}): try again"
    return StoreUnavailableError(f"cannot reach {place.shown}: {what}")


def answered(place: Place, path: str, status: int, headers: Mapping[str, str], body: bytes) -> MlcoreError:
    """Return the error that an answer tells of; a note says which server answered.

    path: what was asked, without query.
    """
    told = _json(headers, body)
    code = str(told.get("error_code") or "")
    message = str(told.get("message") or told.get("detail") or "").strip()
    if status in (301, 302, 303, 307, 308):
        err: MlcoreError = InvalidParameterError(_redirected(place, headers))
    elif status == 401:
        err = UnauthenticatedError(f"{place.shown} wants credentials{': ' * bool(message)}{message}; {CREDENTIALS}")
    elif not code and status == 404:
        err = EndpointNotFoundError(
            f"{place.shown} does not know {path!r}: check the path prefix of the URI, and that an MLflow or mlcore "
            "server is there"
        )
    elif code == "INVALID_STATE":
        err = InvalidStateError(message)
    else:
        code = _SAME.get(code, code) or _BY_STATUS.get(status, "INTERNAL_ERROR")
        text = message or _plain(body) or "no reason given"
        err = from_code(code, text if message else f"the server answered with status {status}: {text}")
    err.add_note(f"answered by {place.shown}{path} with status {status}")
    return err


def _redirected(place: Place, headers: Mapping[str, str]) -> str:
    from mlcore.uris import redacted

    where = redacted(headers.get("location", ""))[:_SHOWN]
    return f"{place.shown} sends its callers on to {where!r}: use that server's URI instead"


def _json(headers: Mapping[str, str], body: bytes) -> Mapping[str, object]:
    if "html" in headers.get("content-type", ""):
        return {}
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(body: bytes) -> str:
    """Return the beginning of a text; of a page only that it is one."""
    text = body[: 4 * _SHOWN].decode("utf-8", "replace").strip()
    return "an HTML page" if text.startswith("<") else " ".join(text.split())[:_SHOWN]
