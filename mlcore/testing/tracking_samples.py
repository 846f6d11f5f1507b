"""What the contract suite of tracking stores records, and threads that race for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from mlcore.entities import (
    ExperimentChange,
    LifecycleStage,
    NewRun,
    RunChange,
)
from mlcore.errors import (
    AlreadyExistsError,
    InvalidStateError,
    ParamConflictError,
)
from mlcore.testing.threads import interrupted

T = TypeVar("T")

DEFAULT = "0"
DELETE = ExperimentChange(lifecycle_stage=LifecycleStage.DELETED)
RESTORE = ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE)
DELETE_RUN = RunChange(lifecycle_stage=LifecycleStage.DELETED)
RESTORE_RUN = RunChange(lifecycle_stage=LifecycleStage.ACTIVE)


def new_run(experiment_id: str = DEFAULT, *, start_time: int = 1, **tags: str) -> NewRun:
    """Describe a run with an id of its own."""
    return NewRun(experiment_id, uuid4().hex, "calm-owl-1", "ada", start_time, tags)


def in_threads(count: int, work: Callable[[int], T]) -> list[T | Exception]:
    """Run *work* in *count* threads that start together; return results or errors in order of the numbers given."""
    found: list[T | Exception] = [RuntimeError("did not run")] * count
    start = threading.Barrier(count)

    def body(number: int) -> None:
        start.wait()
        try:
            with interrupted(number):
                found[number] = work(number)
        except (AlreadyExistsError, ParamConflictError, InvalidStateError) as error:
            found[number] = error

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
