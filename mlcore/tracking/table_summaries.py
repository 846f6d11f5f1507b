"""The curves of many runs in four numbers each: by the store's own keeping, or out of the points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import MetricSummary
from mlcore.errors import NotFoundError
from mlcore.interfaces import SupportsSummaries, SupportsSummary, TrackingStore
from mlcore.tracking.series import history
from mlcore.tracking.summaries import summarize


def summaries_of_runs(
    store: TrackingStore, run_ids: Sequence[str], keys: Sequence[str] | None
) -> Mapping[str, tuple[MetricSummary, ...]]:
    """Return summaries by run id, each run's sorted by key; unknown runs and runs without metrics are left out.

    keys: of the metrics that are wanted; None for all.
    """
    if isinstance(store, SupportsSummaries):
        return store.summaries_of_runs(run_ids, keys)
    return summaries_one_by_one(store, run_ids, keys)


def summaries_one_by_one(
    store: TrackingStore, run_ids: Sequence[str], keys: Sequence[str] | None
) -> dict[str, tuple[MetricSummary, ...]]:
    """Return what `summaries_of_runs` does, run by run."""
    wanted = None if keys is None else frozenset(keys)
    found = {}
    for run_id in dict.fromkeys(run_ids):
        try:
            summaries = tuple(
                each for each in _summaries(store, run_id, wanted) if wanted is None or each.key in wanted
            )
        except NotFoundError:
            continue
        if summaries:
            found[run_id] = summaries
    return found


def _summaries(store: TrackingStore, run_id: str, wanted: frozenset[str] | None) -> tuple[MetricSummary, ...]:
    if isinstance(store, SupportsSummary):
        return store.metric_summaries(run_id)
    keys = [point.key for point in store.get_run(run_id).data.latest if wanted is None or point.key in wanted]
    return tuple(summarize(key, list(history(store, run_id, key))) for key in keys)
