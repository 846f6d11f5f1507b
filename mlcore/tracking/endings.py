"""How a run ended: what an exception, an exit code or a signal mean for it, and what is kept of them."""

from __future__ import annotations

import logging
import signal
import sys
from traceback import TracebackException
from typing import TYPE_CHECKING

from attrs import frozen

from mlcore.entities import RunStatus
from mlcore.errors import InvalidParameterError, MlcoreError
from mlcore.tracking import tags

if TYPE_CHECKING:
    from mlcore.tracking.run_handle import RunHandle

TRACEBACK = "mlcore/error/traceback.txt"  # among the artifacts of a run that was left by an exception
UNKNOWN = "unknown"  # an exit code that nobody could see

_MOST_CHARACTERS = 1_000_000  # of a traceback; of a longer one the middle is left out
_BY_SIGNAL = 128  # shells add it to a signal's number, and so do handlers that exit by themselves
# Exceptions by which others stop what runs; each counts only if its library is there.
_STOPS = (("asyncio", "CancelledError"), ("trio", "Cancelled"))

logger: logging.Logger = logging.getLogger(__name__)


@frozen(eq=False)
class Ending:
    """The end of a run.

    error: what left it, if anything did.
    message: what `sys.exit` was given to say.
    exit_code: with which the process was left, as text; empty when it is not by an exit code.
    signal: the name of the signal that ended the process; empty when none did.
    """

    status: RunStatus
    error: BaseException | None = None
    message: str = ""
    exit_code: str = ""
    signal: str = ""


def ending(status: RunStatus | str) -> RunStatus:
    """Return the status with which a run ends. Raises InvalidParameterError: not one of these."""
    if isinstance(status, str) and status in RunStatus.__members__ and RunStatus(status).is_terminated():
        return RunStatus(status)
    ends = [s.value for s in RunStatus if s.is_terminated()]
    raise InvalidParameterError(f"invalid run status {status!r} at the end of a run: expected one of {', '.join(ends)}")


def ending_of(error: BaseException | None) -> Ending:
    """Return how a run ended that was left by *error*.

    None and `sys.exit(0)` mean FINISHED; Ctrl-C, a cancelled task, a closed generator and the exit code of a signal
    KILLED; anything else FAILED.
    """
    if error is None:
        return Ending(RunStatus.FINISHED)
    if isinstance(error, SystemExit):
        return ending_of_code(error.code)
    stopped = isinstance(error, (KeyboardInterrupt, GeneratorExit, *_stops()))
    return Ending(RunStatus.KILLED if stopped else RunStatus.FAILED, error)


def ending_of_code(code: object) -> Ending:
    """Return how a run ended whose process was left by `sys.exit(code)`."""
    if code is None or (isinstance(code, int) and code == 0):
        return Ending(RunStatus.FINISHED)
    if not isinstance(code, int):  # the interpreter prints it and exits with 1
        return Ending(RunStatus.FAILED, message=_text_of(code), exit_code="1")
    by = code - _BY_SIGNAL
    if by in set(signal.Signals):
        return Ending(RunStatus.KILLED, exit_code=str(int(code)), signal=signal.Signals(by).name)
    return Ending(RunStatus.FAILED, exit_code=str(int(code)))


def keep(run: RunHandle, end: Ending) -> None:
    """Keep with *run* what ended it: as tags, and the traceback as an artifact; what cannot be kept is reported.

    Nothing of this raises, as what ended the run is what the caller must see.
    """
    told = end.error and TracebackException.from_exception(end.error)
    found = {
        tags.ERROR_TYPE: _name(type(end.error)) if end.error is not None else "",
        tags.ERROR_MESSAGE: str(told) if told else end.message,
        tags.EXIT_CODE: end.exit_code,
        tags.SIGNAL: end.signal,
    }
    try:
        said = {key: _clean(value) for key, value in found.items() if value}
        if said:
            run.set_tags(said)
        if told:
            run.log_text(_shortened(_clean("".join(told.format()))), TRACEBACK)
    except (MlcoreError, OSError) as failed:
        logger.warning("why run %s ended could not be kept: %s", run.run_id, failed)


def _stops() -> tuple[type[BaseException], ...]:
    found = ((sys.modules.get(module), name) for module, name in _STOPS)
    return tuple(getattr(module, name) for module, name in found if module is not None and hasattr(module, name))


def _name(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text_of(code: object) -> str:
    # the text of an object of the user's, whose __str__ may fail, as an exception's argument
    return str(TracebackException(SystemExit, SystemExit(code), None))


def _clean(text: str) -> str:
    """Return *text* as every store takes it."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def _shortened(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    half = _MOST_CHARACTERS // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
