"""Every error that mlcore raises, with a stable code for programs and an HTTP status for servers.

The codes are those of the MLflow REST protocol, so a client of either product understands them.
"""

from __future__ import annotations

from typing import ClassVar


class MlcoreError(Exception):
    """The root of all errors raised by mlcore.

    code: stable name for programs, an error code of the MLflow REST protocol.
    status: the HTTP status a server answers with.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    @property
    def message(self) -> str:
        """The text for people."""
        return str(self.args[0]) if self.args else type(self).__name__

    @property
    def error_code(self) -> str:
        """The code under the name that MLflow's exceptions use."""
        return self.code

    def get_http_status_code(self) -> int:
        """Return the HTTP status, under the name that MLflow's exceptions use."""
        return self.status

    def serialize_as_json(self) -> str:
        """Return the body of the protocol's error answer: code and message as a JSON object."""
        import json  # here: the program's start loads this module, and does without json

        return json.dumps({"error_code": self.code, "message": self.message})


class BadRequestError(MlcoreError, ValueError):
    """The request as a whole makes no sense."""

    code = "BAD_REQUEST"
    status = 400


class InvalidParameterError(MlcoreError, ValueError):
    """A value is not acceptable; the message names it and says what would be."""

    code = "INVALID_PARAMETER_VALUE"
    status = 400


class FilterError(InvalidParameterError):
    """A search filter or order does not parse; `text` and `column` say where."""

    def __init__(self, message: str, text: str = "", column: int = 0) -> None:
        """Point at *column* (0-based) of *text*; the message shows both."""
        if text:
            # One line of at most 120 characters around the place, so that the caret stands under it.
            start = max(0, column - 80)
            line = "".join(char if char.isprintable() else " " for char in text[start : start + 120])
            before, after = "..." * (start > 0), "..." * (start + 120 < len(text))
            caret = " " * (len(before) + column - start) + "^"
            message = f"{message}, at column {column + 1}\n  {before}{line}{after}\n  {caret}"
        super().__init__(message)
        self.text = text
        self.column = column


class ParamConflictError(InvalidParameterError):
    """A param was logged again with another value."""


class InvalidStateError(InvalidParameterError):
    """The object is in a state that does not allow the operation, such as a deleted run."""


class SignatureError(InvalidParameterError):
    """Data does not fit a model's signature."""


class ModelFormatError(InvalidParameterError):
    """An MLmodel file, or what it refers to, cannot be read; the message holds the path into the document."""


class ProjectError(InvalidParameterError):
    """A project cannot be run as asked: its file, a parameter, its source or its environment; nothing was started."""


class ExecutionError(MlcoreError):
    """A project's command ended with a failure; its run says how."""


class ProofError(InvalidParameterError):
    """A model does not work with its recorded requirements alone; the message names what is missing."""


class NotFoundError(MlcoreError, LookupError):
    """The experiment, run, model or tag does not exist."""

    code = "RESOURCE_DOES_NOT_EXIST"
    status = 404


class ArtifactNotFoundError(NotFoundError):
    """There is no artifact at the path."""


class AlreadyExistsError(MlcoreError, ValueError):
    """The name is taken, by an active or by a deleted object."""

    code = "RESOURCE_ALREADY_EXISTS"
    status = 400


class ConflictError(MlcoreError):
    """Somebody else changed the object first."""

    code = "RESOURCE_CONFLICT"
    status = 409


class UnauthenticatedError(MlcoreError):
    """No credentials, or wrong ones."""

    code = "UNAUTHENTICATED"
    status = 401


class PermissionDeniedError(MlcoreError):
    """The principal may not do this."""

    code = "PERMISSION_DENIED"
    status = 403


class UntrustedModelError(PermissionDeniedError):
    """Loading the model would run code that it brings, and nobody said that it is trusted."""


class UnverifiedModelError(PermissionDeniedError):
    """A valid signature of the model is demanded, and it has none."""


class EndpointNotFoundError(MlcoreError, LookupError):
    """The server does not know the route."""

    code = "ENDPOINT_NOT_FOUND"
    status = 404


class LimitExceededError(MlcoreError):
    """Too many requests for now; try again later."""

    code = "REQUEST_LIMIT_EXCEEDED"
    status = 429


class TooLargeError(MlcoreError):
    """The server, or a proxy before it, does not take so much in one request: send less, or try again when it does."""

    code = "INVALID_PARAMETER_VALUE"
    status = 400


class UnsupportedError(MlcoreError):
    """The plugin or server does not have this ability."""

    code = "NOT_IMPLEMENTED"
    status = 501


class StoreUnavailableError(MlcoreError):
    """The store exists but does not answer; retrying may help."""

    code = "TEMPORARILY_UNAVAILABLE"
    status = 503


class CorruptStoreError(MlcoreError):
    """Stored data cannot be read back; the file was left as it is."""

    code = "DATA_LOSS"
    status = 500


class ChecksumError(CorruptStoreError):
    """A file's content does not fit its recorded checksum."""


class ArtifactWriteError(MlcoreError):
    """An artifact could not be stored; nothing of it is visible."""


class SettingsError(InvalidParameterError):
    """A setting has a value that cannot be used; the message names its origin."""


class PluginError(MlcoreError):
    """A plugin that was asked for failed; the message names distribution, version and entry point."""


class PluginNotFoundError(PluginError, LookupError):
    """No installed plugin answers to the key."""

    code = "INVALID_PARAMETER_VALUE"
    status = 400


class PluginConflictError(PluginError):
    """Two distributions offer the same key and no setting prefers one."""


class PluginVersionError(PluginError):
    """The plugin was made for another version of the kernel."""


class MissingDependencyError(MlcoreError, ImportError):
    """A library that the operation needs is not installed; the message holds the pip line."""


_BY_CODE: dict[str, type[MlcoreError]] = {
    cls.code: cls
    for cls in (
        MlcoreError,
        BadRequestError,
        InvalidParameterError,
        NotFoundError,
        AlreadyExistsError,
        ConflictError,
        UnauthenticatedError,
        PermissionDeniedError,
        EndpointNotFoundError,
        LimitExceededError,
        UnsupportedError,
        StoreUnavailableError,
        CorruptStoreError,
    )
}


def from_code(code: str, message: str) -> MlcoreError:
    """Make the error that stands for an error *code* of the REST protocol.

    Unknown codes become a plain `MlcoreError` whose message keeps the code.
    """
    cls = _BY_CODE.get(code)
    return cls(message) if cls else MlcoreError(f"{code}: {message}")


class HookDeprecationWarning(DeprecationWarning):
    """A plugin implements a hook, or names an argument of one, that is to go.

    since, removed_in: versions of mlcore; empty when only the text is known.
    """

    def __init__(self, text: str, since: str = "", removed_in: str = "") -> None:
        """Keep the text that people read, and the versions that programs compare."""
        super().__init__(text)
        self.since = since
        self.removed_in = removed_in


def deprecated(what: str, *, since: str, removed_in: str, instead: str) -> HookDeprecationWarning:
    """Make the warning for `warn_on_impl` and `warn_on_impl_args` of a hook's specification.

    what: `hook 'old_name'` or `argument 'color' of hook 'flavor'`. instead: what to do, as a command.
    removed_in: at least two minor versions after *since*.
    """
    text = f"{what} is deprecated since mlcore {since} and will be removed in mlcore {removed_in}: {instead}"
    return HookDeprecationWarning(text, since, removed_in)
