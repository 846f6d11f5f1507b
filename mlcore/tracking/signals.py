"""End the open runs when a signal ends the process; the process ends as it would without."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path
from types import FrameType

from mlcore.tracking import active
from mlcore.tracking.endings import Ending

_NAMES = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGBREAK", "SIGINT")
_LONGEST_S = 5.0  # who sends a signal often sends SIGKILL after some ten seconds


class _Ender:
    """The handler of a signal whose default is to end the process.

    It equals `signal.SIG_DFL`: programs that ask whether a signal has a handler, to call it from theirs, would
    otherwise take it for a user's.
    """

    def __call__(self, number: int, _: FrameType | None) -> None:
        if signal.getsignal(number) is not self:
            return  # called by a handler that came later and decides what happens; the default would do nothing here
        signal.signal(number, signal.SIG_DFL)  # the second one ends the process at once
        _end_runs(signal.Signals(number).name)
        os.kill(os.getpid(), number)

    def __eq__(self, other: object) -> bool:
        return other is self or other == signal.SIG_DFL

    def __hash__(self) -> int:
        return id(self)  # not that of SIG_DFL: getsignal, which looks values up in an enum, would hide this one


_ender = _Ender()


def watch() -> None:
    """Take the signals that would end the process unheard; only in the main thread, where Python allows it."""
    if threading.current_thread() is not threading.main_thread():
        return
    free = [number for number in _numbers() if _is_default(number)]
    outside = _caught_outside() if free else 0
    for number in free:
        if not outside >> (number - 1) & 1:
            signal.signal(number, _ender)


def unwatch() -> None:
    """Give back the signals that are still ours; from another thread they stay, and do what the default does."""
    if threading.current_thread() is threading.main_thread():
        for number in _numbers():
            if signal.getsignal(number) is _ender:
                signal.signal(number, signal.SIG_DFL)


def _in_child() -> None:
    # A forked child owns none of its parent's runs.
    unwatch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def _numbers() -> list[signal.Signals]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _is_default(number: int) -> bool:
    found = signal.getsignal(number)
    return found is not _ender and found == signal.SIG_DFL


def _caught_outside() -> int:
    """Return the mask of signals that have a handler, which for those without one in Python is some library's."""
    try:
        found = re.search(r"^SigCgt:\s*([0-9a-f]+)", Path("/proc/self/status").read_text("ascii", "replace"), re.M)
    except OSError:
        return 0  # nobody tells on this system
    return int(found[1], 16) if found else 0


def _end_runs(name: str) -> None:
    """End the runs as KILLED, in a bounded time.

    In a thread of its own: the main thread may have been interrupted while it held a lock that this needs.
    """
    from mlcore.entities import RunStatus
    from mlcore.tracking.exits import end_open_runs

    runs = [run for run in active.open_runs.all() if not run.is_attended]
    if not runs:
        return
    end = Ending(RunStatus.KILLED, signal=name)
    for run in reversed(runs):
        run.note_end(end)  # a copy in memory: safe from here on, should the rest not be possible
    helper = threading.Thread(target=end_open_runs, args=(end,), daemon=True)
    helper.start()
    helper.join(min(_LONGEST_S, *(run.patience_s for run in runs)))
