"""What somebody asks for who searches, and what came of it."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import RunStatus
from mlcore.interfaces.sampler import Goal
from mlcore.projects.search.trials import Trial

GRID, RANDOM = "grid", "random"
USUAL_RUNS = 20  # of a search that is not over a grid, which would never end by itself
MOST_OF_A_GRID = 10_000  # without somebody saying that more is meant


@frozen(kw_only=True)
class SearchOptions:
    """How to search.

    strategy: `grid`, `random`, or the name of a sampler. jobs: runs at a time.
    max_runs: at most so many; None for the whole grid, and 20 for other strategies.
    metric: of each run, whose best is looked for; empty when nothing is. goal: `max` or `min`.
    seed: of the sampler.
    """

    strategy: str = GRID
    jobs: int = 1
    max_runs: int | None = None
    metric: str = ""
    goal: Goal = "min"
    seed: int | None = None


@frozen
class Searched:
    """A search that has ended.

    parent_run_id: the run below which the others are. status: of that one. best: None where no run finished with a value.
    """

    parent_run_id: str
    status: RunStatus
    trials: tuple[Trial, ...]
    best: Trial | None = None
