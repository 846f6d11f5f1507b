"""What a process knows of the runs that it records into, so that mistakes are told at the call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from mlcore.entities import LifecycleStage, Param, Run
from mlcore.errors import InvalidStateError, ParamConflictError, StoreUnavailableError

if TYPE_CHECKING:
    from mlcore.tracking.recorder import Recorder

V = TypeVar("V")


class KnownRun:
    """One run: whether it was seen to exist, and its params."""

    def __init__(self, run_id: str) -> None:
        """Know nothing yet."""
        self.run_id: str = run_id
        self.is_checked: bool = False
        self.params: dict[str, str] = {}

    def learn(self, run: Run) -> None:
        """Remember a run as the store has it. Raises InvalidStateError: it is deleted."""
        if run.info.lifecycle_stage == LifecycleStage.DELETED:
            raise InvalidStateError(
                f"the run {self.run_id!r} must be in the 'active' state, it is deleted: restore it with restore_run first"
            )
        self.params.update(run.data.params)
        self.is_checked = True

    def forget(self) -> None:
        """Look again before the next record, as the run may have been deleted or restored."""
        self.is_checked = False

    def ask(self, read: Callable[[], Run], recorder: Recorder, patience_s: float) -> None:
        """Read the run once before the first record; a store that does not answer in time is not waited for.

        Raises NotFoundError: there is no such run. InvalidStateError: it is deleted.
        """
        try:
            run = within(patience_s, read)
        except StoreUnavailableError as err:
            recorder.report_down(err)
            return
        self.learn(run)

    def refuse_conflicts(self, params: Iterable[Param]) -> None:
        """Raise ParamConflictError when a param has another value already, as far as is known here."""
        for param in params:
            known = self.params.get(param.key)
            if known is not None and known != param.value:
                raise ParamConflictError(
                    f"changing param values is not allowed: param {param.key!r} was already logged with value {known!r} "
                    f"for run {self.run_id!r}, the new value is {param.value!r}; log it under another name, or start a new run"
                )

    def remember(self, params: Iterable[Param]) -> None:
        """Remember params that are recorded."""
        self.params.update((param.key, param.value) for param in params)


def within(seconds: float, call: Callable[[], V]) -> V:
    """Return what *call* returns, or raise what it raises; it goes on by itself when that takes too long.

    Raises StoreUnavailableError: no answer in time.
    """
    results: list[V] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as err:  # noqa: BLE001  # raised below, in the thread that asked
            errors.append(err)

    thread = threading.Thread(target=run, name="mlcore-asking", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise StoreUnavailableError(f"the store gave no answer in {seconds:g} s")
    return results[0]
