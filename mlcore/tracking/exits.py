"""End the runs that are still open when their process exits."""

from __future__ import annotations

import atexit
import logging
import os
import sys

from mlcore.errors import MlcoreError
from mlcore.tracking import active
from mlcore.tracking.run_handle import status_of

logger: logging.Logger = logging.getLogger(__name__)


def end_open_runs(error: BaseException | None) -> None:
    """End every open run, the innermost first, as left by *error*; one that cannot be ended is reported."""
    for run in reversed(active.open_runs.all()):
        try:
            run.end(status_of(error))
        except MlcoreError as failed:
            logger.warning("run %s could not be ended when the process exited: %s", run.run_id, failed)


def watch() -> None:
    """See to it that runs which this process leaves open are ended; called when one starts."""
    if _watched.pid == os.getpid():
        return
    first, _watched.pid = _watched.pid is None, os.getpid()
    if first:
        atexit.register(_at_exit)
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process and util and process.parent_process() is not None:
        # children of multiprocessing leave by os._exit, past atexit
        util.Finalize(None, _at_child_exit, exitpriority=1)


class _Watched:
    """The process that is watched; a forked child is another one."""

    pid: int | None = None


_watched = _Watched()


def _at_exit() -> None:
    # Set by the interpreter for what nobody has caught. In a session for people it may be the error of any earlier
    # input, which did not end anything.
    end_open_runs(None if hasattr(sys, "ps1") else getattr(sys, "last_value", None))


def _at_child_exit() -> None:
    end_open_runs(sys.exc_info()[1])
