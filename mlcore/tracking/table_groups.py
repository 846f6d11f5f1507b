"""Groups of runs that have the same values, and the filters that find the runs of one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from mlcore.entities import (
    Cell,
    ColumnStats,
    Comparison,
    Field,
    Filter,
    OrderBy,
    RunGroup,
    RunGroupQuery,
    RunGroups,
    RunQuery,
)
from mlcore.entities.filters import And
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import TrackingStore
from mlcore.tracking.counts import check_facet
from mlcore.tracking.table_search import run_cells, run_outline
from mlcore.wire.filter_text import filter_to_text
from mlcore.wire.filter_values import param_number

_WILD = frozenset("%_")


def run_groups(store: TrackingStore, query: RunGroupQuery) -> RunGroups:
    """Return a window of the groups of the runs that fit.

    Raises InvalidParameterError: runs cannot be grouped by such a field, or there is none.
    """
    if not query.by:
        raise InvalidParameterError("no field to group by: expected at least one, such as 'params.model'")
    for field in query.by:
        check_facet(field)
    outline = run_outline(store, RunQuery(query.experiment_ids, query.filter, view=query.view), parents=False)
    counted = tuple(column for column in query.columns if column.entity in ("metric", "param"))
    found = run_cells(store, query.experiment_ids, outline.run_ids, (*query.by, *counted))
    members: dict[tuple[Cell, ...], list[tuple[Cell, ...]]] = {}
    for cells in found.values():
        members.setdefault(cells.values[: len(query.by)], []).append(cells.values[len(query.by) :])
    groups = [_group(values, rows, counted) for values, rows in members.items()]
    groups.sort(key=_order(query))
    shown = tuple(groups[query.offset : query.offset + query.limit])
    return RunGroups(len(groups), len(outline.run_ids), outline.revision, shown)


def group_filter(by: Sequence[Field], values: Sequence[str | None]) -> str | None:
    """Return a filter, as text, that finds the runs of a group among those that were grouped.

    None when the language cannot say it: a value with both kinds of quotes and a character that LIKE takes for any.
    """
    parts: list[Filter] = []
    for field, value in zip(by, values, strict=True):
        tests = _tests(field, value)
        if tests is None:
            return None
        parts += tests
    return filter_to_text(And(tuple(parts)) if len(parts) > 1 else parts[0])


def _tests(field: Field, value: str | None) -> list[Filter] | None:
    if value is None:
        return [Comparison(field, "IS NULL")]
    if "'" not in value or '"' not in value:
        return [Comparison(field, "=", value)]
    if _WILD & set(value):
        return None
    # There is no escape in the language. Each pattern leaves one kind of quote open, which the other one says.
    return [Comparison(field, "LIKE", value.replace(quote, "_")) for quote in "'\""]


def _group(values: tuple[Cell, ...], rows: Sequence[tuple[Cell, ...]], columns: Sequence[Field]) -> RunGroup:
    stats = {}
    for number, column in enumerate(columns):
        cells = [row[number] for row in rows]
        summary = _stats(_numbers(cells) if column.entity == "param" else cells)
        if summary is not None:
            stats[column] = summary
    return RunGroup(tuple(None if value is None else str(value) for value in values), len(rows), stats)


def _numbers(cells: Sequence[Cell]) -> Sequence[Cell]:
    """The values of a param as numbers; none at all where one is a text."""
    numbers = [param_number(cell) for cell in cells if isinstance(cell, str)]
    return () if None in numbers else numbers


def _stats(cells: Iterable[Cell]) -> ColumnStats | None:
    numbers = sorted(float(cell) for cell in cells if isinstance(cell, int | float) and not math.isnan(cell))
    if not numbers:
        return None
    return ColumnStats(numbers[0], numbers[-1], _mean(numbers))


def _mean(numbers: Sequence[float]) -> float:
    if math.isinf(numbers[0]) or math.isinf(numbers[-1]):
        return numbers[0] + numbers[-1]  # an infinity, or NaN where both occur
    # divided first: the sum of large numbers may be no number any more
    return math.fsum(number / len(numbers) for number in numbers)


def _order(query: RunGroupQuery) -> Callable[[RunGroup], tuple[object, ...]]:
    """Return what groups are sorted by; in the end by their values, missing ones last."""
    criterion = query.order_by[0] if query.order_by else None
    by = tuple(query.by)

    def key(group: RunGroup) -> tuple[object, ...]:
        values = tuple((value is None, value or "") for value in group.values)
        if criterion is None:
            return (-group.count, values)
        if criterion.field in by:
            return (*_by_value(group.values[by.index(criterion.field)], criterion), values)
        stats = group.stats.get(criterion.field)
        if stats is None or math.isnan(stats.mean):
            return (True, 0.0, -group.count, values)
        return (False, stats.mean if criterion.ascending else -stats.mean, -group.count, values)

    return key


def _by_value(value: str | None, criterion: OrderBy) -> tuple[object, ...]:
    """Texts by code point, missing ones last in both directions."""
    if value is None:
        return (True, ())
    points = tuple(map(ord, value))
    # descending: a text comes after those that it is the beginning of
    return (False, points if criterion.ascending else (*(-point for point in points), 1))
