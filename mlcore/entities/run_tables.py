"""Tables of runs: windows, groups and the keys that occur, as people look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from mlcore.entities.filters import Field, Filter, OrderBy
from mlcore.entities.lifecycle import ViewType
from mlcore.entities.run import RunInfo
from mlcore.entities.series import Facet

# A metric's value, count or extreme, a time in ms, a text; None when the run has none.
Cell = str | float | None


@frozen
class RunTableQuery:
    """A question for a window of a table of runs.

    order_by: after the given criteria always start_time descending, then run_id ascending.
    columns: what the cells of a row hold; metrics with any aggregate, params, tags and attributes of the run.
    offset, limit: which rows of the table, by number.
    tree: children follow their parent; a run whose parent does not fit is a root.
    collapsed: ids of runs whose children are left out.
    """

    experiment_ids: tuple[str, ...]
    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    columns: tuple[Field, ...] = ()
    offset: int = 0
    limit: int = 200
    tree: bool = False
    collapsed: frozenset[str] = frozenset()


@frozen
class RunOutline:
    """Which runs fit a search, in order.

    parents: the tag `mlflow.parentRunId` of each; empty when it was not asked for.
    revision: opaque; differs when the runs, their order or their info may have changed.
    """

    run_ids: Sequence[str]
    parents: Sequence[str | None]
    revision: str


@frozen
class RunCells:
    """What a row shows of a run, apart from its place.

    parent_id: the tag `mlflow.parentRunId`; None without one.
    values: one per column asked for.
    """

    info: RunInfo
    parent_id: str | None
    values: tuple[Cell, ...]


@frozen
class RunRow:
    """A row of a table of runs.

    depth: 0 for roots; children: how many children the run has in the table, those left out included.
    """

    cells: RunCells
    depth: int = 0
    children: int = 0


@frozen
class RunTable:
    """A window of a table of runs.

    total: how many rows the table has. matching: how many runs fit, those left out below their parent included.
    revision: opaque; differs when the runs, their order or their info may have changed.
    """

    total: int
    matching: int
    revision: str
    rows: tuple[RunRow, ...]


@frozen
class RunGroupQuery:
    """A question for groups of runs that have the same values.

    by: params, tags and text attributes, at least one.
    columns: of metrics, and of params that are numbers in all runs of a group, it gets min, max and mean.
    order_by: the first criterion counts: one of *by*, or such a column, which stands for its mean. Without
    one the largest groups come first.
    """

    experiment_ids: tuple[str, ...]
    by: tuple[Field, ...]
    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    columns: tuple[Field, ...] = ()
    offset: int = 0
    limit: int = 200


@frozen
class ColumnStats:
    """A metric or numeric param over the runs of a group, NaN left out."""

    min: float
    max: float
    mean: float


@frozen
class RunGroup:
    """Runs that have the same values.

    values: one per field of the question; None for runs without the key.
    stats: by column, where there are numbers.
    """

    values: tuple[str | None, ...]
    count: int
    stats: Mapping[Field, ColumnStats] = field(factory=dict)


@frozen
class RunGroups:
    """A window of the groups.

    total: how many groups there are. matching: how many runs fit.
    """

    total: int
    matching: int
    revision: str
    groups: tuple[RunGroup, ...]


@frozen
class KeyFacet:
    """What a key holds among the runs that fit.

    count: how many runs have it. distinct: how many values occur; of metrics, of the last values.
    is_numeric: whether every value is a number.
    min, max: of the numbers, NaN left out; None when there is none, or a value is no number.
    values: the most frequent ones, empty for metrics and times.
    """

    field: Field
    count: int
    distinct: int
    is_numeric: bool
    min: float | None = None
    max: float | None = None
    values: tuple[Facet, ...] = ()


@frozen
class KeyFacets:
    """The keys that occur among the runs that fit.

    more: how many further keys there are.
    """

    total: int
    keys: tuple[KeyFacet, ...]
    more: int = 0
