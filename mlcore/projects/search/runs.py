"""The runs of a search: each is made ready and attended in the thread of its worker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.hookspecs import HookSpecs
from mlcore.projects.attending import attend
from mlcore.projects.preparing import planned
from mlcore.projects.request import RunRequest
from mlcore.projects.search.copies import Copies
from mlcore.projects.search.space import Space
from mlcore.projects.search.trials import Begun, Ended, Trial, Trials
from mlcore.projects.stopping import Stop, Stopped
from mlcore.tracking.client import Client

if TYPE_CHECKING:
    from mlcore.interfaces import ProjectBackend
    from mlcore.projects.source import Source
    from mlcore.tracking.session import Session

_TAIL_BYTES = 2000  # of the output of a run, for the line that tells why it failed
_NAME_LENGTH = 100
_NAMED = 5  # metrics, when the one that was asked for is not among them


class Runs:
    """What does the runs. Safe to use from any thread."""

    def __init__(self, request: RunRequest, space: Space, metric: str, source: Source, session: Session) -> None:
        """Begin with none.

        request: of the search; each run's differs in its parameters. metric: to read when a run has ended; may be empty.
        source: the project's code, fetched.
        """
        self.parent_run_id: str = ""
        self._request = request
        self._space = space
        self._metric = metric
        self._session = session
        self._copies = Copies(source)
        self._stops: set[Stop] = set()
        self._asked: int | None = None
        self.backend: ProjectBackend = session.plugins.first(HookSpecs.project_backend, name=request.backend)

    def stop(self, number: int, trials: Trials) -> None:
        """Hand a signal on to all runs that go on, and let none begin any more; the second time they are killed."""
        self._asked = number
        trials.stop()
        for each in tuple(self._stops):
            each.ask(number)

    def execute(self, trial: Trial, begun: Begun) -> Ended:
        """Do one run; see `Trials`."""
        stop, tail = Stop(), _Tail()
        self._stops.add(stop)
        try:
            if self._asked is not None:  # after it was added, lest a signal finds neither
                return Ended(RunStatus.KILLED)
            with self._copies.one() as source:
                request = self._of(trial)
                plan = planned(request, self._session, source, self.backend, stop, may_be_step=False)
                begun(plan.run_id)
                if plan.reused:
                    return self._ended(plan.run_id, RunStatus.FINISHED, "")
                outcome = attend(plan, self._session, tail.add, stop)
            last = tail.last() if outcome.status is RunStatus.FAILED else ""
            return self._ended(plan.run_id, outcome.status, f"{outcome.message}: {last}" if last else outcome.message)
        except Stopped:
            return Ended(RunStatus.KILLED)
        finally:
            self._stops.discard(stop)

    def _of(self, trial: Trial) -> RunRequest:
        """Return what is asked for in one run, the parameters in the order in which they were given."""
        values = {**self._space.fixed, **trial.point}
        return evolve(
            self._request,
            parameters={name: values[name] for name in self._request.parameters},
            parent_run_id=self.parent_run_id,
            run_id=None,
            run_name=" ".join(f"{name}={value}" for name, value in trial.point.items())[:_NAME_LENGTH],
        )

    def _ended(self, run_id: str, status: RunStatus, message: str) -> Ended:
        if not self._metric or status is not RunStatus.FINISHED:
            return Ended(status, message=message)
        try:
            metrics = Client(session=self._session).get_run(run_id).data.metrics
        except MlcoreError as err:
            return Ended(status, message=f"its metrics are not known: {err.message}")
        value = metrics.get(self._metric)
        if value is None:
            known = ", ".join(list(metrics)[:_NAMED]) or "none"
            return Ended(status, message=f"it has no metric {self._metric!r} (it has {known})")
        return Ended(status, value, "" if math.isfinite(value) else f"its {self._metric} is {value}")


class _Tail:
    """The end of a run's output."""

    def __init__(self) -> None:
        self._kept = b""

    def add(self, piece: bytes) -> None:
        self._kept = (self._kept + piece)[-_TAIL_BYTES:]

    def last(self) -> str:
        """Return the last line that says something."""
        lines = self._kept.decode("utf-8", "replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
