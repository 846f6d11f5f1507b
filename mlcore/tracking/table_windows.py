"""Windows of tables of runs: the rows that somebody looks at, out of any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import RunCells, RunOutline, RunQuery, RunRow, RunTable, RunTableQuery
from mlcore.interfaces import TrackingStore
from mlcore.tracking.table_search import run_cells, run_outline
from mlcore.tracking.table_tree import Place, arranged


def run_table(store: TrackingStore, query: RunTableQuery) -> RunTable:
    """Return a window of the table of the runs that fit; only its rows fetch their columns.

    A run that is removed meanwhile is left out of the window.
    """
    asked = RunQuery(query.experiment_ids, query.filter, query.order_by, query.view)
    outline = run_outline(store, asked, parents=query.tree)
    window, total = _window(outline, query)
    run_ids = [outline.run_ids[place.run] for place in window]
    cells = run_cells(store, query.experiment_ids, run_ids, query.columns)
    return RunTable(total, len(outline.run_ids), outline.revision, tuple(_rows(window, run_ids, cells)))


def _window(outline: RunOutline, query: RunTableQuery) -> tuple[Sequence[Place], int]:
    """Return the places that are looked at, and how many there are."""
    end = query.offset + query.limit
    if query.tree:
        places = arranged(outline.run_ids, outline.parents, query.collapsed)
        return places[query.offset : end], len(places)
    total = len(outline.run_ids)
    return [Place(number, 0, 0) for number in range(query.offset, min(end, total))], total


def _rows(window: Sequence[Place], run_ids: Sequence[str], cells: Mapping[str, RunCells]) -> list[RunRow]:
    return [
        RunRow(cells[run_id], place.depth, place.children)
        for place, run_id in zip(window, run_ids, strict=True)
        if run_id in cells
    ]
