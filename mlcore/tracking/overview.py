"""How much is in experiments: by the store's own counting, or by fetching the runs."""

from __future__ import annotations

from mlcore.entities import Overview, Run, RunQuery, RunStatus
from mlcore.interfaces import SupportsOverview, TrackingStore
from mlcore.tracking.table_search import all_runs


def overviews(store: TrackingStore, experiment_ids: tuple[str, ...]) -> dict[str, Overview]:
    """Return an overview of each experiment by its id; of unknown ones, that there is nothing."""
    if isinstance(store, SupportsOverview):
        found = {one.experiment_id: one for one in store.overviews(experiment_ids)}
        return {one: found.get(one) or Overview(one) for one in experiment_ids}
    return overviews_by_search(store, experiment_ids)


def overviews_by_search(store: TrackingStore, experiment_ids: tuple[str, ...]) -> dict[str, Overview]:
    """Return what `overviews` does, by fetching the runs."""
    found = {one: Overview(one) for one in experiment_ids}
    if experiment_ids:
        for run in all_runs(store, RunQuery(experiment_ids, columns=())):
            found[run.info.experiment_id] = _with(found[run.info.experiment_id], run)
    return found


def _with(so_far: Overview, run: Run) -> Overview:
    times = (so_far.last_activity, run.info.start_time, run.info.end_time)
    return Overview(
        so_far.experiment_id,
        so_far.run_count + 1,
        so_far.running + (run.info.status is RunStatus.RUNNING),
        max(time for time in times if time is not None),
    )
