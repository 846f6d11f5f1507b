"""What a tracking store may answer itself for pages; the kernel works it out for stores that do not."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from mlcore.entities import Bucketed, BucketQuery, Changes, Overview


@runtime_checkable
class SupportsBuckets(Protocol):
    """A tracking store that puts the curves of many runs on one grid itself."""

    def metric_buckets(self, query: BucketQuery) -> Bucketed:
        """Return the curves that have points, as `mlcore.tracking.buckets.buckets_by_history` would.

        Unknown runs and keys give nothing.
        """
        ...


@runtime_checkable
class SupportsChanges(Protocol):
    """A tracking store that knows which runs have changed without looking at all of them."""

    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        """Return what has happened to the runs of some experiments since a cursor.

        since: the cursor of an earlier answer for the same experiments; None for where things stand, with no runs.
        A cursor of another kind, or of more than can be remembered, counts as one before everything.
        limit: how many runs to name at most; the cursor then stands before the rest.
        """
        ...


@runtime_checkable
class SupportsOverview(Protocol):
    """A tracking store that counts the runs of many experiments at once."""

    def overviews(self, experiment_ids: tuple[str, ...]) -> tuple[Overview, ...]:
        """Return one overview per experiment that has active runs, in any order; unknown ids give nothing."""
        ...
