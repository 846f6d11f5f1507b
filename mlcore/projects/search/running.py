"""Search: one source, one parent run, and below it a run for each point, in threads of this process."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.errors import ProjectError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces.sampler import Sampler, SearchTask
from mlcore.projects.request import RunRequest
from mlcore.projects.search import checking, parent
from mlcore.projects.search.looking import Looking
from mlcore.projects.search.options import GRID, RANDOM, USUAL_RUNS, Searched, SearchOptions
from mlcore.projects.search.points import GridSampler, RandomSampler
from mlcore.projects.search.runs import Runs
from mlcore.projects.search.space import Space, parsed
from mlcore.projects.search.trials import Changed, Trials
from mlcore.projects.stopping import heard

if TYPE_CHECKING:
    from mlcore.projects.source import Source
    from mlcore.tracking.session import Session


def search(
    request: RunRequest,
    options: SearchOptions,
    session: Session,
    *,
    began: Callable[[str, Space], None] = lambda _, __: None,
    changed: Changed = lambda _: None,
) -> Searched:
    """Run a project once for each point of the space that the texts of its parameters span.

    request: its parameters are texts such as `0.1,0.01` or `range(2,6)`, see `mlcore.projects.search.space`.
    began: called with the id of the parent run, when there is one, and the space.
    changed: called for each change of a run, from any thread, one at a time.
    Raises ProjectError: it cannot be run as asked; nothing was started. KeyboardInterrupt: Ctrl-C was pressed, all runs
    are KILLED.
    """
    space = parsed({str(name): str(value) for name, value in request.parameters.items()})
    task = task_of(space, options)
    sampler = _sampler(options.strategy, session)
    with heard() as stop, _fetched(request, session) as source:
        stop.check()
        checking.check_values(source, request.entry_point, space)
        wanted = evolve(request, reuse=bool(request.reuse))  # a run that is searched for is no step
        runs = Runs(wanted, space, options.metric, source, session)
        checking.check_place(wanted, source, runs.backend, session)
        trials = Trials(sampler, task, runs.execute, changed)
        looking = Looking(trials, options.metric, session)
        with parent.begun(wanted, options, source, session, stop) as above:
            runs.parent_run_id = above.run_id
            began(above.run_id, space)
            with stop.forwarding(lambda number, _: runs.stop(number, trials)):
                found = trials.run(options.jobs, lambda: looking.look(above.experiment_id, above.run_id))
            return above.ended(found)


def task_of(space: Space, options: SearchOptions) -> SearchTask:
    """Return what a sampler is told. Raises ProjectError: there is nothing to search, or too much."""
    if not space.domains:
        raise ProjectError(
            "nothing to search: no parameter has several values; give some, such as -P lr=0.1,0.01 or -P depth='range(2,6)'"
        )
    checking.check_size(space, options)
    usual = None if options.strategy == GRID else USUAL_RUNS
    return SearchTask(space.domains, options.metric, options.goal, options.seed, options.max_runs or usual)


def _sampler(strategy: str, session: Session) -> Sampler:
    if strategy == GRID:
        return GridSampler()
    if strategy == RANDOM:
        return RandomSampler()
    return session.plugins.first(HookSpecs.sampler, name=strategy)


@contextlib.contextmanager
def _fetched(request: RunRequest, session: Session) -> Iterator[Source]:
    from mlcore.projects import sources

    source = sources.fetched(request.uri, request.version, session=session, storage=request.storage_dir)
    try:
        yield source
    finally:
        if source.temporary is not None:
            shutil.rmtree(source.temporary, ignore_errors=True)
