"""Answers for pages that show tables of runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence

from attrs import evolve
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mlcore.entities import (
    Cell,
    Field,
    KeyFacet,
    MetricSummary,
    RunGroup,
    RunGroupQuery,
    RunQuery,
    RunRow,
    RunTableQuery,
)
from mlcore.errors import FilterError, InvalidParameterError
from mlcore.tracking.table_csv import csv_lines, every_column
from mlcore.tracking.table_facets import key_facets
from mlcore.tracking.table_groups import group_filter, run_groups
from mlcore.tracking.table_summaries import summaries_of_runs
from mlcore.tracking.table_windows import run_table
from mlcore.wire import limits
from mlcore.wire import requests_tables as t
from mlcore.wire.filter_parser import parse_run_filter, parse_run_order
from mlcore.wire.messages import number_out
from mlcore.wire.table_columns import column_name, parse_columns
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.files.kinds import disposition
from mlcore_server.stores import Stores

_MOST_ROWS, _MOST_COLUMNS, _MOST_GROUPING, _MOST_COLLAPSED = 1000, 500, 5, 10_000
_MOST_KEYS, _VALUES, _MOST_RUNS, _LONGEST_TEXT = 2000, 10, 1000, 500
_INFO = ("run_id", "run_name", "status", "start_time", "end_time", "experiment_id", "user_id", "lifecycle_stage")


class Tables:
    """The group `tables` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def runs_table(self, request: t.RunsTable, _: Caller) -> Json:
        """Return a window of the table of the runs that fit, or of their groups."""
        limits_of_window(request)
        query = evolve(
            _query(request),
            offset=request.offset,
            limit=request.limit,
            tree=request.tree,
            collapsed=frozenset(request.collapsed),
        )
        if request.group_by:
            return self._groups(request, query)
        found = run_table(self._stores.tracking, query)
        cells = [row.cells.values for row in found.rows]
        columns = zip(*cells, strict=True) if cells else [() for _ in query.columns]
        return {
            "total": found.total,
            "matching": found.matching,
            "revision": found.revision,
            "offset": request.offset,
            "rows": _rows(found.rows),
            "columns": {name: list(map(_cell, values)) for name, values in zip(request.columns, columns, strict=True)},
        }

    def _groups(self, request: t.RunsTable, query: RunTableQuery) -> Json:
        by = _fields(request.group_by)
        asked = RunGroupQuery(
            query.experiment_ids,
            by,
            query.filter,
            query.order_by,
            query.view,
            query.columns,
            query.offset,
            query.limit,
        )
        found = run_groups(self._stores.tracking, asked)
        names = dict(zip(query.columns, request.columns, strict=True))
        return {
            "total": found.matching,
            "matching": found.matching,
            "revision": found.revision,
            "offset": request.offset,
            "groups_total": found.total,
            "groups": [_group(group, by, names) for group in found.groups],
        }

    def runs_facets(self, request: t.RunsFacets, _: Caller) -> Json:
        """Return the keys that occur among the runs that fit."""
        _within("limit", request.limit, 1, _MOST_KEYS)
        _within("search", len(request.search), 0, _LONGEST_TEXT)
        query = RunQuery(_experiments(request.experiment_ids), parse_run_filter(request.filter), view=request.view)
        found = key_facets(self._stores.tracking, query, values=_VALUES, most=request.limit, search=request.search)
        keys = [shown for facet in found.keys if (shown := _facet(facet)) is not None]
        return {"total": found.total, "keys": keys, "more": found.more}

    def metrics_summary(self, request: t.MetricsSummary, _: Caller) -> Json:
        """Return the curves of many runs in a few numbers each."""
        _within("run_ids", len(request.run_ids), 1, _MOST_RUNS)
        found = summaries_of_runs(self._stores.tracking, request.run_ids, request.keys or None)
        return {
            "summaries": [
                _summary(run_id, summary)
                for run_id in dict.fromkeys(request.run_ids)
                for summary in found.get(run_id, ())
            ]
        }

    async def runs_csv(self, request: t.RunsCsv, _: Caller, __: Request) -> Response:
        """Stream all runs that fit."""
        name, lines = await asyncio.get_running_loop().run_in_executor(None, self._csv, request)
        headers = {
            "content-disposition": disposition(name),
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    def _csv(self, request: t.RunsCsv) -> tuple[str, Iterator[bytes]]:
        store, query, names = self._stores.tracking, _query(request), request.columns
        if not names:
            query = evolve(query, columns=every_column(store, query))
            names = tuple(column_name(field) or field.key for field in query.columns)
        lines = csv_lines(store, query, names)
        first = [next(lines)]  # what is wrong with the question is an error now, not half of a file
        body = (text.encode("utf-8", "replace") for some in (first, lines) for text in some)
        return self._csv_name(request.experiment_ids), body

    def _csv_name(self, experiment_ids: tuple[str, ...]) -> str:
        """Return under which name a browser keeps the runs: that of their experiment, if they are of one."""
        if len(experiment_ids) != 1:
            return "runs.csv"
        name = self._stores.tracking.get_experiment(experiment_ids[0]).name
        return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:100] + "-runs.csv"


def limits_of_window(request: t.RunsTable) -> None:
    """Refuse what no page shows. Raises InvalidParameterError."""
    _within("limit", request.limit, 1, _MOST_ROWS)
    _within("offset", request.offset, 0, limits.INT64_MAX)
    _within("group_by", len(request.group_by), 0, _MOST_GROUPING)
    _within("collapsed", len(request.collapsed), 0, _MOST_COLLAPSED)


def _query(request: t.RunsTable | t.RunsCsv) -> RunTableQuery:
    _within("columns", len(request.columns), 0, _MOST_COLUMNS)
    tree = parse_run_filter(request.filter)
    try:
        order, columns = parse_run_order(request.order_by), parse_columns(request.columns)
    except FilterError as err:
        # its place is not one in the filter, which is what pages mark
        raise InvalidParameterError(err.message) from err
    return RunTableQuery(_experiments(request.experiment_ids), tree, order, request.view, columns)


def _experiments(ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(limits.check_experiment_id(one) for one in ids)


def _fields(names: Sequence[str]) -> tuple[Field, ...]:
    try:
        return parse_columns(names)
    except FilterError as err:
        raise InvalidParameterError(err.message) from err


def _rows(rows: Sequence[RunRow]) -> Json:
    infos = [row.cells.info for row in rows]
    out: Json = {name: [getattr(info, name) for info in infos] for name in _INFO}
    out["parent_id"] = [row.cells.parent_id for row in rows]
    out["depth"] = [row.depth for row in rows]
    out["children"] = [row.children for row in rows]
    return out


def _group(group: RunGroup, by: tuple[Field, ...], names: dict[Field, str]) -> Json:
    stats = {
        names[column]: {"min": number_out(one.min), "max": number_out(one.max), "mean": number_out(one.mean)}
        for column, one in group.stats.items()
    }
    return {"values": group.values, "count": group.count, "filter": group_filter(by, group.values), "stats": stats}


def _facet(facet: KeyFacet) -> Json | None:
    name = column_name(facet.field)
    if name is None:  # nothing could be asked about it
        return None
    return {
        "column": name,
        "kind": facet.field.entity,
        "key": facet.field.key,
        "count": facet.count,
        "distinct": facet.distinct,
        "numeric": facet.is_numeric,
        "min": _cell(facet.min),
        "max": _cell(facet.max),
        "values": [(one.value, one.count) for one in facet.values],
    }


def _summary(run_id: str, summary: MetricSummary) -> Json:
    last = summary.last
    return {
        "run_id": run_id,
        "key": summary.key,
        "last": number_out(last.value),
        "last_step": last.step,
        "last_time": last.timestamp,
        "min": _cell(summary.min),
        "max": _cell(summary.max),
        "count": summary.count,
    }


def _cell(value: Cell) -> Cell:
    return number_out(value) if isinstance(value, float) else value


def _within(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        what = "length" if name not in ("limit", "offset") else "value"
        raise InvalidParameterError(f"invalid {what} {value} of parameter {name!r}: expected {low} to {high}")
