"""Errors of MLflow and of its plugins as ours, with the name of the plugin in them."""

from __future__ import annotations

import re
from types import TracebackType

from mlcore.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidStateError,
    LimitExceededError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
    PermissionDeniedError,
    PluginError,
    StoreUnavailableError,
    UnauthenticatedError,
    UnsupportedError,
    from_code,
)
from mlcore.plugin_index import PluginEntry

# codes of MLflow's exceptions that its REST protocol does not have
_CODES: dict[str, type[MlcoreError]] = {
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": AlreadyExistsError,
    "INVALID_STATE": InvalidStateError,
    "CUSTOMER_UNAUTHORIZED": UnauthenticatedError,
    "RESOURCE_EXHAUSTED": LimitExceededError,
    "DEADLINE_EXCEEDED": StoreUnavailableError,
    "ABORTED": ConflictError,
}
_STATUSES: dict[int, type[MlcoreError]] = {
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: LimitExceededError,
    501: UnsupportedError,
}
_STATUS = re.compile(r"\b(?:status|code|error)\b\D{0,12}\b([45]\d\d)\b", re.IGNORECASE)


class Guard:
    """A block in which a plugin's code runs: what it raises leaves as an error of ours, from the original.

    Errors of ours pass, and so do KeyboardInterrupt and GeneratorExit.
    """

    def __init__(self, entry: PluginEntry, doing: str) -> None:
        """Name the plugin of *entry* in errors, and what it was *doing*, such as `list_artifacts`."""
        self._entry = entry
        self._doing = doing

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise the error that stands for *err*."""
        if err is None or isinstance(err, (MlcoreError, KeyboardInterrupt, GeneratorExit)):
            return
        raise _translated(err, self._entry, self._doing) from err


def _translated(err: BaseException, entry: PluginEntry, doing: str) -> MlcoreError:
    said = f"{err} (from {entry}, in {doing})"
    code = getattr(err, "error_code", None)
    if isinstance(code, str) and code != "INTERNAL_ERROR":
        return _of_code(code, str(err), said)
    if isinstance(err, NotImplementedError):
        return UnsupportedError(f"{entry} does not support {doing}: {err}".rstrip(": "))
    if isinstance(err, FileNotFoundError):
        return NotFoundError(said)
    status = _status(err)
    if status is not None:
        return (StoreUnavailableError if status in (408, 500, 502, 503, 504) else _STATUSES.get(status, PluginError))(
            said
        )
    if isinstance(err, OSError):  # also what `requests` raises when nobody answers
        return StoreUnavailableError(said)
    return PluginError(f"{entry} failed in {doing}: {type(err).__name__}: {err}")


def _of_code(code: str, text: str, said: str) -> MlcoreError:
    if code == "INVALID_PARAMETER_VALUE" and "'active' state" in text:
        return InvalidStateError(said)
    if code == "INVALID_PARAMETER_VALUE" and "already logged with" in text:
        return ParamConflictError(said)
    known = _CODES.get(code)
    return known(said) if known else from_code(code, said)


def _status(err: BaseException) -> int | None:
    """The HTTP status that an error tells; of a bare exception its text is all there is."""
    status = getattr(getattr(err, "response", None), "status_code", None)
    if isinstance(status, int):
        return status
    found = _STATUS.search(str(err)) if type(err) in (Exception, RuntimeError, ValueError) else None
    return int(found[1]) if found else None
