"""Which run is active: a stack in a ContextVar, and what threads, tasks and children make of it.

- An asyncio task, and `contextvars.copy_context().run`, see the stack as it was when they began; what they push is
  their own.
- A new thread begins with an empty stack. As long as exactly one run of the process is open, the thread's calls
  go to that run, so that code which logs from worker threads does not split one run into many. When several are
  open, nobody can know which is meant: the call fails and says what to do.
- A forked child sees its parent's runs and may log to them, but never ends them. A spawned child starts empty.
"""

from __future__ import annotations

import itertools
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

from mlcore.errors import InvalidStateError

if TYPE_CHECKING:
    from mlcore.tracking.run_handle import ActiveRun

_stack: ContextVar[tuple[ActiveRun, ...]] = ContextVar("mlcore_active_runs", default=())


class OpenRuns:
    """The runs that this process has started and not ended, whatever context they were started in."""

    def __init__(self) -> None:
        """Begin with none."""
        self._runs: dict[str, ActiveRun] = {}
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def add(self, run: ActiveRun) -> None:
        """Count *run* as open."""
        with self._lock:
            self._drop_inherited()
            self._runs[run.info.run_id] = run

    def discard(self, run: ActiveRun) -> None:
        """Count *run* as ended."""
        with self._lock:
            self._runs.pop(run.info.run_id, None)

    def all(self) -> tuple[ActiveRun, ...]:
        """Return the open runs, the oldest first; a forked child owns none of its parent's."""
        with self._lock:
            self._drop_inherited()
            return tuple(self._runs.values())

    def _drop_inherited(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._runs = {}

    def reset_lock(self) -> None:
        """Make the lock usable in a forked child; another thread may have held it."""
        self._lock = threading.Lock()


open_runs: OpenRuns = OpenRuns()
os.register_at_fork(after_in_child=open_runs.reset_lock)


def stack() -> tuple[ActiveRun, ...]:
    """Return the runs that are active in this context, the innermost last."""
    return _stack.get()


def push(run: ActiveRun) -> None:
    """Make *run* the innermost active run of this context."""
    _stack.set((*_stack.get(), run))
    open_runs.add(run)


def remove(run: ActiveRun) -> None:
    """Take *run* out of this context's stack, wherever it stands in it."""
    _stack.set(tuple(r for r in _stack.get() if r is not run))
    open_runs.discard(run)


def innermost() -> ActiveRun | None:
    """Return the run that a fluent call means; None when there is none.

    Raises InvalidStateError: this thread has no run of its own and the process has several open.
    """
    mine = _stack.get()
    for run in reversed(mine):
        if not run.is_ended:
            return run
    if threading.current_thread() is threading.main_thread():
        return None
    others = open_runs.all()
    roots = [r for r in others if not r.is_ended]
    if len(roots) > 1 and not _is_chain(roots):
        raise InvalidStateError(
            f"this thread has no active run and {len(roots)} runs are open ({', '.join(r.info.run_id for r in roots[:5])}): "
            "log through the run's own handle (run.log_metric), or start the thread with contextvars.copy_context().run"
        )
    return roots[-1] if roots else None


def _is_chain(runs: list[ActiveRun]) -> bool:
    """Whether each run is nested in the one before: then the innermost is meant."""
    return all(child.parent_run_id == parent.info.run_id for parent, child in itertools.pairwise(runs))
