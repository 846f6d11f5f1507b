"""Which runs fit, and cells of chosen runs: by the store's own abilities, or by its searches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from mlcore.entities import (
    Cell,
    Comparison,
    Field,
    MetricSummary,
    Run,
    RunCells,
    RunInfo,
    RunOutline,
    RunQuery,
    ViewType,
)
from mlcore.interfaces import SupportsRunTables, TrackingStore
from mlcore.tracking.table_summaries import summaries_of_runs

PARENT = Field("tag", "mlflow.parentRunId")
_RUN_ID = Field("attribute", "run_id")
_PAGE, _CHUNK = 5000, 1000


def run_outline(store: TrackingStore, query: RunQuery, *, parents: bool) -> RunOutline:
    """Return the runs that fit, all of them, in order; page and columns of the query mean nothing."""
    if not query.experiment_ids:
        return RunOutline((), (), revision_of(()))
    if isinstance(store, SupportsRunTables):
        return store.run_outline(query, parents=parents)
    return run_outline_by_search(store, query, parents=parents)


def run_outline_by_search(store: TrackingStore, query: RunQuery, *, parents: bool) -> RunOutline:
    """Return what `run_outline` does, by fetching the runs."""
    found = list(all_runs(store, evolve(query, columns=(PARENT,) if parents else ())))
    above = [parent_of(run.data.tags) for run in found] if parents else []
    infos = [run.info for run in found]
    return RunOutline([info.run_id for info in infos], above, revision_of(map(_info_text, infos)))


def run_cells(
    store: TrackingStore, experiment_ids: tuple[str, ...], run_ids: Sequence[str], columns: Sequence[Field]
) -> Mapping[str, RunCells]:
    """Return the cells of runs of some experiments by run id, deleted or not; unknown runs are left out."""
    if not run_ids:
        return {}
    if isinstance(store, SupportsRunTables):
        return store.run_cells(run_ids, columns)
    return run_cells_by_search(store, experiment_ids, run_ids, columns)


def run_cells_by_search(
    store: TrackingStore, experiment_ids: tuple[str, ...], run_ids: Sequence[str], columns: Sequence[Field]
) -> dict[str, RunCells]:
    """Return what `run_cells` does, by searching for the run ids."""
    wanted = {evolve(column, stat="last") for column in columns if column.entity != "attribute"}
    asked = (*sorted(wanted, key=str), PARENT)
    keys = sorted({column.key for column in columns if needs_summary(column)})
    found: dict[str, RunCells] = {}
    for start in range(0, len(run_ids), _CHUNK):
        chunk = tuple(run_ids[start : start + _CHUNK])
        summaries = summaries_of_runs(store, chunk, keys) if keys else {}
        query = RunQuery(experiment_ids, Comparison(_RUN_ID, "IN", chunk), view=ViewType.ALL, columns=asked)
        for run in all_runs(store, query):
            run_id = run.info.run_id
            known = {summary.key: summary for summary in summaries.get(run_id, ())}
            values = tuple(_cell(run, column, known) for column in columns)
            found[run_id] = RunCells(run.info, parent_of(run.data.tags), values)
    return found


def needs_summary(column: Field) -> bool:
    """Whether a column shows more of a curve than its last value."""
    return column.entity == "metric" and column.stat != "last"


def aggregate(summary: MetricSummary, stat: str) -> float:
    """Return one number of a curve; the extremes of a curve of nothing but NaN are NaN."""
    if stat == "last":
        return summary.last.value
    if stat == "count":
        return summary.count
    found = summary.min if stat == "min" else summary.max
    return float("nan") if found is None else found


def attribute_cell(info: RunInfo, key: str) -> Cell:
    """Return what a column shows of an attribute."""
    value = getattr(info, key)
    return value if value is None or isinstance(value, int) else str(value)


def parent_of(tags: Mapping[str, str]) -> str | None:
    """Return the parent that a run names, or None."""
    return tags.get(PARENT.key) or None


def revision_of(parts: Iterable[str]) -> str:
    """Return an opaque text that differs when one of *parts* does, or their order."""
    found = hashlib.blake2b(digest_size=12)
    for part in parts:
        found.update(part.encode("utf-8", "surrogatepass"))
        found.update(b"\0")
    return found.hexdigest()


def _info_text(info: RunInfo) -> str:
    changing = (info.end_time, info.status.value, info.lifecycle_stage.value, info.run_name)
    return "\1".join((info.run_id, *map(str, changing)))


def _cell(run: Run, column: Field, summaries: Mapping[str, MetricSummary]) -> Cell:
    if column.entity == "attribute":
        return attribute_cell(run.info, column.key)
    if column.entity == "param":
        return run.data.params.get(column.key)
    if column.entity == "tag":
        return run.data.tags.get(column.key)
    if needs_summary(column):
        summary = summaries.get(column.key)
        return None if summary is None else aggregate(summary, column.stat)
    return next((point.value for point in run.data.latest if point.key == column.key), None)


def all_runs(store: TrackingStore, query: RunQuery) -> Iterator[Run]:
    """Yield the runs of all pages."""
    query = evolve(query, max_results=_PAGE, page_token=None)
    while True:
        page = store.search_runs(query)
        yield from page.items
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)
