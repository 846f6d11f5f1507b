"""The options of `mlcore run` that make a search of it, and the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from mlcore.cli.context import Cli

if TYPE_CHECKING:
    from mlcore.projects.request import RunRequest
    from mlcore.projects.search.options import SearchOptions

F = TypeVar("F", bound=Callable[..., object])

_ABOUT = (
    ("metric", "--metric"),
    ("goal", "--goal"),
    ("max_runs", "--max-runs"),
    ("seed", "--seed"),
)


def search_options(function: F) -> F:
    """Add the options of a search."""
    for option in (
        click.option("--seed", type=int, metavar="N", help="With it a search draws the same points again."),
        click.option(
            "--max-runs", type=click.IntRange(1), metavar="N", help="At most so many runs; 20, or the whole grid."
        ),
        click.option(
            "--goal", type=click.Choice(("min", "max")), help="Whether the least or the greatest is best [min]."
        ),
        click.option("--metric", metavar="NAME", help="The best run of a search is the one with the best of this."),
        click.option(
            "--jobs", type=click.IntRange(1, 256), metavar="N", help="So many runs of a search at a time [1]."
        ),
        click.option(
            "--search",
            metavar="NAME",
            help="Run many points: grid, random or a sampler's name, with -P lr=0.1,0.01 -P depth='range(2,6)' "
            "-P rate='loguniform(1e-5,1)'.",
        ),
    ):
        function = option(function)
    return function


def taken(given: dict[str, object]) -> SearchOptions | None:
    """Take the options of a search out of all that are given; None when there is none to be."""
    names = ("search", "jobs", "metric", "goal", "max_runs", "seed")
    found = {name: given.pop(name) for name in names}
    if found["search"] is None and found["jobs"] is None:
        for name, option in _ABOUT:
            if found[name] is not None:
                raise click.UsageError(
                    f"{option} is for a search: add --search grid, --search random, or a sampler's name"
                )
        return None
    for name, option in (("run_id", "--run-id"), ("reproduce", "--reproduce")):
        if given.get(name):
            raise click.UsageError(f"{option} is for one run, and --search makes many")
    from mlcore.projects.search.options import GRID, SearchOptions

    renamed = {"strategy": found.pop("search") or GRID, **found}
    return SearchOptions(**{name: value for name, value in renamed.items() if value is not None})  # type: ignore[arg-type]  # of click's types


def search(cli: Cli, request: RunRequest, options: SearchOptions, *, as_json: bool) -> int:
    """Search, show it, and return the exit code: 0 when a run finished."""
    from mlcore.cli.search_shown import shown
    from mlcore.entities import RunStatus
    from mlcore.projects.search.running import search as searched

    session = cli.session
    with shown(cli, options, as_json=as_json) as watcher:
        found = searched(request, options, session, began=watcher.began, changed=watcher.changed)
        watcher.ended(found)
    return 0 if found.status is RunStatus.FINISHED else 1
