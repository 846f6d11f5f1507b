"""What pages ask for again and again: bucketed curves, what has changed, how much is in experiments."""

from __future__ import annotations

from array import array
from enum import StrEnum

from attrs import frozen


class Axis(StrEnum):
    """What curves are drawn over: the step, ms since the epoch, or ms since the run's start."""

    STEP = "step"
    TIME = "time"
    RELATIVE = "relative"


class Stat(StrEnum):
    """What stands for the points of a curve in one bucket; those that are NaN count for none of them."""

    LAST = "last"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"


@frozen
class BucketQuery:
    """A question for curves of many runs on one grid.

    run_ids: 1 to 1000. keys: 1 to 100 metric keys.
    start, end: only points between them, both included, in the unit of the axis; None for no bound.
    buckets: how many positions the grid has at most, 2 to 2000.
    since: runs with a place, in the unit of the axis: only points of the run after it.
    """

    run_ids: tuple[str, ...]
    keys: tuple[str, ...]
    axis: Axis = Axis.STEP
    start: int | None = None
    end: int | None = None
    buckets: int = 360
    stats: tuple[Stat, ...] = (Stat.LAST,)
    since: tuple[tuple[str, int], ...] = ()


@frozen
class BucketedCurve:
    """A curve on a grid.

    count: how many points it has between the bounds, NaN included. first_x, last_x: where the first and last are.
    Steps and times are whole numbers.
    last: the value of its last point, which may be NaN.
    columns: one per stat of the query, float64, as long as the grid; NaN where nothing is.
    nan, infinity, minus_infinity: the positions on the grid, 0 for the first one, at which some point is not finite;
    ascending. An infinite point counts for the stats as well.
    """

    run_id: str
    key: str
    count: int
    first_x: float
    last_x: float
    last: float
    columns: tuple[array[float], ...]
    nan: tuple[int, ...] = ()
    infinity: tuple[int, ...] = ()
    minus_infinity: tuple[int, ...] = ()


@frozen
class Bucketed:
    """Curves on the grid that they share.

    exact: whether nothing was put together, and the grid has the real places of the points.
    grid: float64, ascending.
    curves: those that have points, by run in the order of the query, then by key.
    """

    exact: bool
    grid: array[float]
    curves: tuple[BucketedCurve, ...]


@frozen
class Changes:
    """What happened to the runs of some experiments.

    cursor: opaque; ask with it for what comes later. The same text means that nothing has happened.
    run_ids: of runs that are new or changed, deleted ones too; it may name some that are as they were.
    more: whether there is more to be told already.
    running: how many active runs have the status RUNNING.
    """

    cursor: str
    run_ids: tuple[str, ...]
    more: bool
    running: int


@frozen
class Overview:
    """How much is in an experiment.

    run_count: active runs. running: those of them with the status RUNNING.
    last_activity: the latest start or end of an active run, ms since the epoch; None when there is none.
    """

    experiment_id: str
    run_count: int = 0
    running: int = 0
    last_activity: int | None = None
