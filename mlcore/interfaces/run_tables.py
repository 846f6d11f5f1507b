"""Abilities of tracking stores that make tables of many runs fast; the kernel does without them, by fetching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from mlcore.entities import Field, KeyFacets, MetricSummary, RunCells, RunOutline, RunQuery


@runtime_checkable
class SupportsRunTables(Protocol):
    """A tracking store that tells which runs fit without what they recorded, and cells of chosen runs.

    Trees, windows and groups are made of that by the kernel.
    """

    def run_outline(self, query: RunQuery, *, parents: bool) -> RunOutline:
        """Return the runs that fit, all of them, in order; page and columns of the query mean nothing.

        parents: whether to tell the tag `mlflow.parentRunId` of each.
        """
        ...

    def run_cells(self, run_ids: Sequence[str], columns: Sequence[Field]) -> Mapping[str, RunCells]:
        """Return the cells of runs by run id, deleted or not; unknown runs are left out.

        run_ids: of any number. columns: metrics with any aggregate, params, tags and attributes.
        """
        ...


@runtime_checkable
class SupportsKeyFacets(Protocol):
    """A tracking store that tells which keys occur among many runs, and what they hold."""

    def key_facets(self, query: RunQuery, values: int) -> KeyFacets:
        """Return every metric, param, tag and attribute that occurs among the runs that fit, in any order.

        values: how many of the most frequent values to tell of each key; the more frequent first, then by value.
        """
        ...


@runtime_checkable
class SupportsSummaries(Protocol):
    """A tracking store that tells the summaries of many runs at once."""

    def summaries_of_runs(
        self, run_ids: Sequence[str], keys: Sequence[str] | None
    ) -> Mapping[str, tuple[MetricSummary, ...]]:
        """Return summaries by run id, each run's sorted by key; unknown runs and runs without metrics are left out.

        keys: of the metrics that are wanted; None for all.
        """
        ...
