"""End the runs that are still open when their process exits, as what the exit shows them to be."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from types import FrameType

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.tracking import active, signals
from mlcore.tracking.endings import UNKNOWN, Ending, ending_of, ending_of_code
from mlcore.tracking.exit_codes import ExitCodes
from mlcore.tracking.frame_ends import code_of_raise, has_returned, outermost

logger: logging.Logger = logging.getLogger(__name__)


def end_open_runs(end: Ending) -> None:
    """End every open run, the innermost first; one that cannot be ended is reported.

    An attended one goes on without this process, or will show as lost: how its own process ends is not known here.
    """
    for run in reversed([run for run in active.open_runs.all() if not run.is_attended]):
        try:
            run.end_as(_watched.threads.get(run.run_id, end))
        except MlcoreError as failed:
            logger.warning("run %s could not be ended when the process exited: %s", run.run_id, failed)


def watch() -> None:
    """See to it that runs which this process leaves open are ended; called when one starts."""
    _watched.begin()
    signals.watch()


def unwatch() -> None:
    """Put everything back as it was, when no run is open any more."""
    if not active.open_runs.all():
        _watched.stop()
        signals.unwatch()


class _Watched:
    """What is known of the way in which this process goes; a forked child is another one."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.main: FrameType | None = None
        self.codes: ExitCodes = ExitCodes()
        self.threads: dict[str, Ending] = {}  # of runs whose own thread died, by id
        self._hook: object = None

    def begin(self) -> None:
        self.main = outermost(threading.main_thread().ident)
        self.codes.start()
        if self._hook is None:
            self._chain()
        if self.pid == os.getpid():
            return
        first, self.pid = self.pid is None, os.getpid()
        if first:
            atexit.register(_at_exit)
        process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
        if process and util and process.parent_process() is not None:
            # children of multiprocessing leave by os._exit, past atexit
            util.Finalize(None, _at_child_exit, exitpriority=1)

    def stop(self) -> None:
        self.codes.stop()
        self.main = None
        self.threads.clear()
        if self._hook is not None and threading.excepthook is self._hook:
            threading.excepthook = self._theirs
            self._hook = None

    def _chain(self) -> None:
        """Notice threads that die of an exception; a run that such a thread has left open failed with it."""
        theirs = threading.excepthook

        def hook(died: threading.ExceptHookArgs, /) -> None:
            if died.thread is not None and died.exc_value is not None:
                for run in active.open_runs.all():
                    if run.started_by[0] == died.thread.ident:
                        self.threads[run.run_id] = ending_of(died.exc_value)
            theirs(died)

        self._theirs = theirs
        self._hook = threading.excepthook = hook


_watched = _Watched()
active.open_runs.when_ended(unwatch)


def ending_of_process() -> Ending:
    """Return how this process is being left; to be asked at its exit."""
    # A session for people is not ended by what an earlier input raised.
    main = _watched.main
    if hasattr(sys, "ps1") or (main is not None and has_returned(main)):
        return Ending(RunStatus.FINISHED)
    trace = getattr(sys, "last_traceback", None)
    if trace is not None and (main is None or trace.tb_frame is main):
        # set by the interpreter for what nobody has caught
        return ending_of(sys.last_value)
    return _ending_by_code(main)


def _ending_by_code(main: FrameType | None) -> Ending:
    is_known, code = _watched.codes.last()
    if not _watched.codes.is_exact and main is not None:
        is_raised, raised = code_of_raise(main)
        if is_raised:
            return ending_of_code(raised)
    if is_known:
        return ending_of_code(code)
    # No embedding program has frames, so that nothing shows a fault. Of a program that did not reach its end the least
    # false is to say so.
    return Ending(RunStatus.FINISHED) if main is None else Ending(RunStatus.FAILED, exit_code=UNKNOWN)


def _at_exit() -> None:
    end_open_runs(ending_of_process())


def _at_child_exit() -> None:
    end_open_runs(ending_of(sys.exc_info()[1]))
