"""The requests that mlcore adds to the protocol: what people and pages look at."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import ViewType
from mlcore.wire.messages import optional, required


@frozen
class MetricSeries:
    """`POST metrics/series`: curves of many runs, thinned out.

    max_points: about how many points of a curve are wanted, 2 to 10,000.
    """

    run_ids: tuple[str, ...] = required()
    keys: tuple[str, ...] = required()
    max_points: int = optional(500)
    min_step: int | None = optional()
    max_step: int | None = optional()


@frozen
class CountRuns:
    """`POST runs/count`."""

    experiment_ids: tuple[str, ...] = required()
    filter: str = optional("")
    run_view_type: ViewType = optional(ViewType.ACTIVE_ONLY)


@frozen
class RunFacets:
    """`POST runs/facets`: the most frequent values of a field among the runs that fit.

    field: such as `params.model`, `tags.team` or `status`. limit: 1 to 1000.
    """

    experiment_ids: tuple[str, ...] = required()
    field: str = required()
    filter: str = optional("")
    run_view_type: ViewType = optional(ViewType.ACTIVE_ONLY)
    limit: int = optional(50)


@frozen
class LiveRuns:
    """`GET runs/live`: server-sent events about runs.

    run_id: the runs to watch, 1 to 100. keys: the metrics to send points of; none stands for all.
    """

    run_id: tuple[str, ...] = required()
    keys: tuple[str, ...] = optional(())
