"""Which run is active: a stack in a ContextVar, and what threads, tasks and children make of it.

- An asyncio task, and `contextvars.copy_context().run`, see the stack as it was when they began; what they push is
  their own.
- A new thread begins with an empty stack. As long as exactly one run of the process is open, the thread's calls
  go to that run, so that code which logs from worker threads does not split one run into many; of runs that one
  thread or task has nested in each other, the innermost counts. When others are open, nobody can know which is meant:
  the call fails and says what to do. A nested run that the thread starts belongs below the main thread's run.
- A forked child sees its parent's runs and may log to them, but never ends them. A spawned child starts empty.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
from collections.abc import Callable
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
        self._ended: list[Callable[[], None]] = []

    def when_ended(self, call: Callable[[], None]) -> None:
        """Let *call* be called after a run has ended."""
        self._ended.append(call)

    def add(self, run: ActiveRun) -> None:
        """Count *run* as open."""
        with self._lock:
            self._drop_inherited()
            self._runs[run.info.run_id] = run

    def discard(self, run: ActiveRun) -> None:
        """Count *run* as ended."""
        with self._lock:
            self._runs.pop(run.info.run_id, None)
        for call in self._ended:
            call()

    def all(self) -> tuple[ActiveRun, ...]:
        """Return the open runs, the oldest first; a forked child owns none of its parent's."""
        with self._lock:
            self._drop_inherited()
            return tuple(self._runs.values())

    def inherited(self) -> tuple[ActiveRun, ...]:
        """Return the runs of the parent, in a child that was just forked."""
        return tuple(self._runs.values()) if self._pid != os.getpid() else ()

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


def running() -> ActiveRun | None:
    """Return the innermost run of this context that has not ended."""
    runs = _stack.get()
    if runs and not runs[-1].is_ended:
        return runs[-1]
    return next((r for r in reversed(runs) if not r.is_ended), None)


def push(run: ActiveRun) -> None:
    """Make *run* the innermost active run of this context."""
    _stack.set((*(r for r in _stack.get() if not r.is_ended), run))
    if not run.is_joined:
        open_runs.add(run)


def remove(run: ActiveRun) -> None:
    """Take *run* out of this context's stack, wherever it stands in it."""
    _stack.set(tuple(r for r in _stack.get() if r is not run))
    if not run.is_joined:
        open_runs.discard(run)


def who_starts() -> tuple[int, int]:
    """Return which thread and asyncio task this is: runs of the same are nested by their author's intent."""
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
    except RuntimeError:  # no event loop runs in this thread
        task = None
    return threading.get_ident(), id(task) if task is not None else 0


def innermost() -> ActiveRun | None:
    """Return the run that a fluent call means; None when there is none.

    Raises InvalidStateError: this thread has no run of its own and the process has several open.
    """
    runs = _stack.get()
    if runs and not runs[-1].is_ended:  # the way of nearly every call, without another one
        return runs[-1]
    mine = running()
    if mine is not None or threading.current_thread() is threading.main_thread():
        return mine
    return _only_one(
        _still_open(), "log through the run's own handle (run.log_metric), or start the thread with copy_context().run"
    )


def parent_of_nested() -> ActiveRun | None:
    """Return the run below which `start_run(nested=True)` puts a run; None when there is none.

    In a thread without a run of its own that is the main thread's run: what sibling threads started is theirs.
    Raises InvalidStateError: several runs are open and nobody can know which is meant.
    """
    mine = running()
    if mine is not None or threading.current_thread() is threading.main_thread():
        return mine
    found = _still_open()
    of_main = [r for r in found if r.started_by[0] == threading.main_thread().ident]
    return _only_one(of_main or found, "name the parent: start_run(parent_run_id=run.run_id)")


def _still_open() -> list[ActiveRun]:
    return [r for r in open_runs.all() if not (r.is_ended or r.is_attended)]


def _only_one(found: list[ActiveRun], advice: str) -> ActiveRun | None:
    """The one run of *found*, or the innermost when one thread or task has nested each in the one before."""
    in_line = all(
        child.parent_run_id == parent.run_id and child.started_by == parent.started_by
        for parent, child in itertools.pairwise(found)
    )
    if not in_line:
        raise InvalidStateError(
            f"this thread has no active run and {len(found)} runs are open "
            f"({', '.join(r.run_id for r in found[:5])}): {advice}"
        )
    return found[-1] if found else None
