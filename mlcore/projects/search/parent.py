"""The run above the runs of a search: what was searched, and which of them is the best."""

from __future__ import annotations

import json
from types import TracebackType
from typing import TYPE_CHECKING

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.projects import run_tags
from mlcore.projects.parent import experiment_of, parent_of
from mlcore.projects.request import RunRequest
from mlcore.projects.search.options import Searched, SearchOptions
from mlcore.projects.search.trials import Trial, best_of
from mlcore.projects.stopping import Stop, Stopped
from mlcore.tracking import active
from mlcore.tracking.endings import Ending, ending_of
from mlcore.tracking.heartbeat import heart
from mlcore.tracking.run_handle import ActiveRun

if TYPE_CHECKING:
    from mlcore.projects.source import Source
    from mlcore.tracking.session import Session

METRIC = "mlcore.search.metric"
GOAL = "mlcore.search.goal"
SEED = "mlcore.search.seed"
COUNTS = "mlcore.search.runs"  # JSON: how many runs ended how


class Parent:
    """The parent run, ended by the end of a `with` block, whatever leaves it."""

    def __init__(self, run: ActiveRun, options: SearchOptions, stop: Stop) -> None:
        """Take a run that was begun."""
        self.run_id: str = run.run_id
        self.experiment_id: str = run.info.experiment_id
        self._run = run
        self._options = options
        self._stop = stop
        self._ending: Ending | None = None

    def ended(self, trials: tuple[Trial, ...]) -> Searched:
        """Keep what came of it: FINISHED when a run finished, FAILED when none did, KILLED after a signal."""
        best = best_of(trials, self._options.goal)
        counts: dict[str, int] = {}
        for trial in trials:
            counts[trial.status.value] = counts.get(trial.status.value, 0) + 1
        if self._stop.number is not None:
            ending = Ending(RunStatus.KILLED, signal=self._stop.signal_name)
        elif counts.get(RunStatus.FINISHED.value):
            ending = Ending(RunStatus.FINISHED)
        else:
            ending = Ending(RunStatus.FAILED, message=f"none of {len(trials)} runs finished")
        self._ending = ending
        self._run.set_tags(
            {COUNTS: json.dumps(counts, sort_keys=True), **({run_tags.SEARCH_BEST: best.run_id} if best else {})}
        )
        if best is not None and best.value is not None:
            self._run.log_metric(self._options.metric, best.value)
        return Searched(self.run_id, ending.status, trials, best)

    def __enter__(self) -> Parent:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Stopped):
            ending = Ending(RunStatus.KILLED, signal=self._stop.signal_name)
        else:
            ending = self._ending if error is None and self._ending else ending_of(error)
        with self._stop.held():
            try:
                self._run.end_as(ending)
            except MlcoreError as failed:
                if error is None:
                    raise
                error.add_note(f"and run {self.run_id!r} could not be ended: {failed}")


def begun(request: RunRequest, options: SearchOptions, source: Source, session: Session, stop: Stop) -> Parent:
    """Create the parent run; its params are the texts that were given."""
    from mlcore.tracking import starting

    own = {
        **run_tags.of_start(request, source, "", ""),
        run_tags.SEARCH: options.strategy,
        METRIC: options.metric,
        GOAL: options.goal if options.metric else "",
        SEED: "" if options.seed is None else str(options.seed),
    }
    run = starting.create(
        session,
        experiment_id=experiment_of(session, request),
        run_name=request.run_name or f"search {request.entry_point}",
        parent_run_id=parent_of(session, request.parent_run_id),
        description=None,
        given={key: value for key, value in own.items() if value},
        in_context=False,
    )
    run.is_attended = True
    active.open_runs.add(run)
    heart.watch(run)  # the search may take days
    parent = Parent(run, options, stop)
    try:
        run.log_params({str(name): str(value) for name, value in request.parameters.items()})
    except BaseException as err:
        run.end_as(ending_of(err))
        raise
    return parent
