"""The runs of a search, so many at a time: a sampler says which, and hears how each one ended."""

from __future__ import annotations

import concurrent.futures
import functools
import math
import threading
from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, field, frozen

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.interfaces.sampler import Goal, Sampler, SearchTask, Value
from mlcore.tracking.names import now_ms

_LOOK_S = 0.2  # between two looks at signals and clocks


@frozen
class Trial:
    """One run of a search.

    number: counts from 0, in the order in which they began. point: what varies, as it stands in the command.
    run_id: empty before there is a run. value: the metric's last one, finite; None where there is none.
    started_ms, ended_ms: ms since the epoch, UTC. message: why it failed, in a line.
    """

    number: int
    point: Mapping[str, str] = field(factory=dict)
    run_id: str = ""
    status: RunStatus = RunStatus.SCHEDULED
    value: float | None = None
    started_ms: int = 0
    ended_ms: int | None = None
    message: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.ended_ms is not None


@frozen
class Ended:
    """How one run ended; see `Trial`."""

    status: RunStatus
    value: float | None = None
    message: str = ""


Begun = Callable[[str], None]
Execute = Callable[[Trial, Begun], Ended]
Changed = Callable[[Trial], None]


class Trials:
    """All runs of one search. Safe to use from any thread."""

    def __init__(self, sampler: Sampler, task: SearchTask, execute: Execute, changed: Changed) -> None:
        """Begin with none.

        execute: does one run and returns how it ended; it calls its second argument with the run's id once there is one.
        changed: told of each change, from the thread where it happens, one at a time.
        """
        self._sampler = sampler
        self._task = task
        self._execute = execute
        self._changed = changed
        self._trials: dict[int, Trial] = {}
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        sampler.begin(task)

    def run(self, jobs: int, look: Callable[[], None] = lambda: None) -> tuple[Trial, ...]:
        """Do all runs, *jobs* at a time, and return them by number; *look* is called a few times a second meanwhile."""
        with concurrent.futures.ThreadPoolExecutor(jobs, "mlcore-search") as pool:
            open_ = {pool.submit(self._work) for _ in range(jobs)}
            try:
                while open_:
                    done, open_ = concurrent.futures.wait(open_, _LOOK_S, concurrent.futures.FIRST_COMPLETED)
                    for each in done:
                        each.result()
                    look()
            finally:
                self.stop()  # an error of one worker, or of *look*, lets the others begin nothing more
        return self.all()

    def stop(self) -> None:
        """Begin no further runs."""
        self._stopped.set()

    def all(self) -> tuple[Trial, ...]:
        """Return what is known of all runs so far, by number."""
        with self._lock:
            return tuple(self._trials[number] for number in sorted(self._trials))

    def see(self, values: Mapping[str, float]) -> None:
        """Take the present values of the metric, by run id, of runs that go on."""
        for trial in self.all():
            found = values.get(trial.run_id)
            if found is not None and not trial.has_ended and found != trial.value:
                self._see(trial.number, found)

    def _see(self, number: int, value: float) -> None:
        self._change(number, lambda now: now if now.has_ended else evolve(now, value=value))

    def _work(self) -> None:
        while not self._stopped.is_set():
            trial = self._next()
            if trial is None:
                return
            try:
                ended = self._execute(trial, functools.partial(self._begun, trial.number))
            except MlcoreError as err:  # of this run; the search goes on
                ended = Ended(RunStatus.FAILED, message=str(err).partition("\n")[0])
            self._end(trial.number, ended)

    def _next(self) -> Trial | None:
        with self._lock:
            number = len(self._trials)
            limit = self._task.max_runs
            if self._stopped.is_set() or (limit is not None and number >= limit):
                return None
            point = self._sampler.ask(number)
            if point is None:
                self._stopped.set()
                return None
            trial = Trial(number, {name: text_of(value) for name, value in point.items()}, started_ms=now_ms())
            self._trials[number] = trial
            self._changed(trial)
            return trial

    def _begun(self, number: int, run_id: str) -> None:
        self._change(number, lambda now: evolve(now, run_id=run_id, status=RunStatus.RUNNING))

    def _end(self, number: int, ended: Ended) -> None:
        value = ended.value if ended.value is not None and math.isfinite(ended.value) else None
        with self._lock:
            self._change(
                number,
                lambda now: evolve(
                    now, status=ended.status, value=value, message=ended.message, ended_ms=max(now_ms(), now.started_ms)
                ),
            )
            self._sampler.tell(number, value if ended.status is RunStatus.FINISHED else None)

    def _change(self, number: int, change: Callable[[Trial], Trial]) -> None:
        with self._lock:
            trial = change(self._trials[number])
            if trial != self._trials[number]:
                self._trials[number] = trial
                self._changed(trial)


def best_of(trials: Sequence[Trial], goal: Goal) -> Trial | None:
    """Return the finished run with the best value, of equals the first; None when there is none."""
    able = [(trial.value, trial) for trial in trials if trial.status is RunStatus.FINISHED and trial.value is not None]
    if not able:
        return None
    sign = -1 if goal == "max" else 1
    return min(able, key=lambda pair: (sign * pair[0], pair[1].number))[1]


def text_of(value: Value) -> str:
    """Return a value as it stands in a command: numbers so that they read back as the same."""
    return repr(value) if isinstance(value, float) else str(value)
