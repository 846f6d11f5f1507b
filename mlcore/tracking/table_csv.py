"""Tables of runs as comma-separated values, row by row, for spreadsheets and programs."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence

from mlcore.entities import Cell, Field, RunCells, RunQuery, RunTableQuery
from mlcore.interfaces import TrackingStore
from mlcore.tracking.table_facets import key_facets
from mlcore.tracking.table_search import run_cells, run_outline
from mlcore.wire.filter_values import param_number
from mlcore.wire.messages import number_out

_ALWAYS = ("run_id", "run_name", "experiment_id", "status", "start_time", "end_time", "user_id")
_TIMES = ("start_time", "end_time")
# What spreadsheets take for a formula, or for white space before one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CELLS, _MOST_ROWS = 100_000, 1000


def csv_lines(store: TrackingStore, query: RunTableQuery, names: Sequence[str]) -> Iterator[str]:
    """Yield the table of all runs that fit as text, some rows at a time; offset and limit mean nothing.

    names: of the query's columns, for the head.
    """
    yield _lines([[*_ALWAYS, *map(safe, names)]])
    asked = RunQuery(query.experiment_ids, query.filter, query.order_by, query.view)
    run_ids = run_outline(store, asked, parents=False).run_ids
    size = max(1, min(_MOST_ROWS, _CELLS // (1 + len(query.columns))))
    for start in range(0, len(run_ids), size):
        chunk = run_ids[start : start + size]
        cells = run_cells(store, query.experiment_ids, chunk, query.columns)
        yield _lines([_row(cells[run_id], query.columns) for run_id in chunk if run_id in cells])


def every_column(store: TrackingStore, query: RunTableQuery) -> tuple[Field, ...]:
    """Return the metrics, params and tags that occur among the runs that fit, tags of MLflow left out, by name."""
    asked = RunQuery(query.experiment_ids, query.filter, view=query.view)
    found = [facet.field for facet in key_facets(store, asked, values=0).keys]
    kinds = ("param", "metric", "tag")
    shown = [
        field
        for field in found
        if field.entity in kinds and not (field.entity == "tag" and field.key.startswith("mlflow."))
    ]
    return tuple(sorted(shown, key=lambda field: (kinds.index(field.entity), field.key)))


def safe(text: str) -> str:
    """Return *text* so that no spreadsheet runs it: with a quote in front where it may be a formula.

    A negative number stays one. A number with a plus sign is a text that a spreadsheet would change.
    """
    is_number = param_number(text) is not None and not text.startswith("+")
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def _row(cells: RunCells, columns: Sequence[Field]) -> list[str]:
    row = [_text(getattr(cells.info, key), key in _TIMES) for key in _ALWAYS]
    for column, value in zip(columns, cells.values, strict=True):
        row.append(_text(value, column.entity == "attribute" and column.key in _TIMES))
    return row


def _text(value: Cell, is_time: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(str(value))
    return _time(int(value)) if is_time else str(number_out(value) if isinstance(value, float) else value)


def _time(moment_ms: int) -> str:
    try:
        return (_EPOCH + dt.timedelta(milliseconds=moment_ms)).isoformat(timespec="milliseconds")
    except OverflowError:  # further away than the calendar goes
        return str(moment_ms)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[*row] for row in rows])
    return out.getvalue()
