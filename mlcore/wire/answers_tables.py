"""The shapes of answers about tables of runs. Of `Number`, NaN and infinities are texts."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LifecycleStage, RunStatus
from mlcore.wire.answers import Number


@frozen
class RowsShape:
    """The rows of a window, column by column.

    parent_id: as the run tells it, also when the parent does not fit. depth: 0 for roots. children: in the table.
    """

    run_id: tuple[str, ...]
    run_name: tuple[str, ...]
    status: tuple[RunStatus, ...]
    start_time: tuple[int, ...]
    end_time: tuple[int | None, ...]
    experiment_id: tuple[str, ...]
    user_id: tuple[str, ...]
    lifecycle_stage: tuple[LifecycleStage, ...]
    parent_id: tuple[str | None, ...]
    depth: tuple[int, ...]
    children: tuple[int, ...]


@frozen
class StatsShape:
    """A metric or numeric param over a group of runs, NaN left out."""

    min: Number
    max: Number
    mean: Number


@frozen
class GroupShape:
    """Runs with the same values; a value is null where the key is missing.

    filter: finds these runs among those that were grouped; null when no filter can.
    """

    values: tuple[str | None, ...]
    count: int
    filter: str | None
    stats: dict[str, StatsShape]


@frozen
class RunsTableAnswer:
    """A window of the table: rows and columns, or groups.

    total: rows of the table; of a grouped one, runs. matching: runs that fit, those below a collapsed one included.
    revision: differs when the runs that fit, their order, names or states may have changed.
    columns: by the names of the request.
    """

    total: int
    matching: int
    revision: str
    offset: int
    rows: RowsShape | None = None
    columns: dict[str, tuple[Number | None, ...]] | None = None
    groups_total: int = 0
    groups: tuple[GroupShape, ...] = ()


@frozen
class KeyShape:
    """A key that occurs.

    column: its name in filters, orders and columns. kind: metric, param, tag or attribute.
    min, max: of the numbers, where all values are. values: the ten most frequent, each with how often it occurs.
    """

    column: str
    kind: str
    key: str
    count: int
    distinct: int
    numeric: bool
    min: Number | None = None
    max: Number | None = None
    values: tuple[tuple[object, ...], ...] = ()


@frozen
class RunsFacetsAnswer:
    """The keys that occur, those that vary first. more: how many further ones fit."""

    total: int
    keys: tuple[KeyShape, ...]
    more: int = 0


@frozen
class SummaryShape:
    """The curve of a metric. min and max leave NaN out, and are null when there is nothing else."""

    run_id: str
    key: str
    last: Number
    last_step: int
    last_time: int
    min: Number | None
    max: Number | None
    count: int


@frozen
class MetricsSummaryAnswer:
    """The curves, by run in the order asked, then by key."""

    summaries: tuple[SummaryShape, ...]
