"""Deliver in bounded time what is left when the process exits."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable


class _Watched:
    """The process that is watched; a forked child is another one."""

    pid: int | None = None


def watch(at_exit: Callable[[], None]) -> None:
    """Call *at_exit* when this process exits; what is registered later, such as the end of open runs, comes before."""
    if _Watched.pid == os.getpid():
        return
    first, _Watched.pid = _Watched.pid is None, os.getpid()
    if first:
        atexit.register(at_exit)
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process and util and process.parent_process() is not None:
        # children of multiprocessing leave by os._exit, past atexit; after the end of open runs, which has priority 1
        util.Finalize(None, at_exit, exitpriority=0)
