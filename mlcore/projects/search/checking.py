"""What can be told of a search before its first run begins: values of the wrong type, and far too many runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlcore.errors import ProjectError
from mlcore.interfaces import Job, SupportsEnvironments
from mlcore.interfaces.sampler import Choices, Domain
from mlcore.projects.search.options import GRID, MOST_OF_A_GRID, SearchOptions
from mlcore.projects.search.points import size
from mlcore.projects.search.space import Space
from mlcore.projects.search.trials import text_of

if TYPE_CHECKING:
    from mlcore.interfaces import ProjectBackend
    from mlcore.projects.request import RunRequest
    from mlcore.projects.source import Source
    from mlcore.tracking.session import Session

_ANY = ("true",)  # the commands of the runs differ, and are checked one by one


def check_size(space: Space, options: SearchOptions) -> None:
    """Raise ProjectError for a grid that nobody can mean."""
    count = math.prod(map(size, space.domains.values()))
    if options.strategy == GRID and options.max_runs is None and math.isfinite(count) and count > MOST_OF_A_GRID:
        raise ProjectError(
            f"a grid of {count} runs: say with --max-runs how many of them you want, or search with --search random"
        )


def check_values(source: Source, entry_point: str, space: Space) -> None:
    """Raise ProjectError for each value of a list that the entry point does not take; the message has them all."""
    from mlcore.projects import conventions, parameters
    from mlcore.projects.project_file import load_project

    entry = conventions.entry_point(load_project(source.directory), entry_point)
    usual = {**space.fixed, **{name: _some(domain)[0] for name, domain in space.domains.items()}}
    parameters.checked(entry, usual)
    faults = []
    for name, domain in space.domains.items():
        for value in _some(domain)[1:]:
            try:
                parameters.checked(entry, {**usual, name: value})
            except ProjectError as err:
                faults.append(str(err))
    if faults:
        raise ProjectError("\n".join(faults))


def check_place(request: RunRequest, source: Source, backend: ProjectBackend, session: Session) -> None:
    """Raise ProjectError, or PluginNotFoundError, when no run can have the environment or backend that is asked for."""
    from mlcore.projects.preparing import check_job, environment_of
    from mlcore.projects.project_file import load_project

    project = load_project(source.directory)
    environment, manager = environment_of(request, project, backend, session)
    own = environment if isinstance(backend, SupportsEnvironments) else None
    some = Job("", _ANY, project.directory, config=request.backend_config, name=project.name, environment=own)
    check_job(some, backend, (environment, manager), session)


def _some(domain: Domain) -> tuple[str, ...]:
    return domain.values if isinstance(domain, Choices) else (text_of(domain.low), text_of(domain.high))
