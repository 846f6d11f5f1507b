"""The requests of pages that show tables of runs."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import ViewType
from mlcore.wire.messages import optional, required


@frozen
class RunsTable:
    """`POST runs:table`: a window of a table of runs, or groups of them.

    view: also ACTIVE, DELETED. columns: such as `metrics.loss.min`, `params.lr`, `tags.team`, `attributes.duration`;
    at most 500. offset: of the first row. limit: 1 to 1000.
    tree: children follow their parents. collapsed: ids of runs whose children are left out.
    group_by: params, tags and text attributes, at most 5.
    """

    experiment_ids: tuple[str, ...] = required()
    filter: str = optional("")
    order_by: tuple[str, ...] = optional(())
    view: ViewType = optional(ViewType.ACTIVE_ONLY)
    columns: tuple[str, ...] = optional(())
    offset: int = optional(0)
    limit: int = optional(200)
    tree: bool = optional(default=False)
    collapsed: tuple[str, ...] = optional(())
    group_by: tuple[str, ...] = optional(())


@frozen
class RunsFacets:
    """`POST runs:facets`: the keys that occur among the runs that fit, and what they hold.

    search: words that all have to occur in the name of a key's column, in any case; up to 500 characters.
    limit: of keys, 1 to 2000; each kind of key gets at least a quarter of them where it has so many.
    """

    experiment_ids: tuple[str, ...] = required()
    filter: str = optional("")
    view: ViewType = optional(ViewType.ACTIVE_ONLY)
    search: str = optional("")
    limit: int = optional(2000)


@frozen
class RunsCsv:
    """`GET runs.csv`: all runs that fit as comma-separated values.

    columns: as of `runs:table`; none for all metrics, params and tags that occur, MLflow's own tags left out.
    """

    experiment_ids: tuple[str, ...] = required()
    filter: str = optional("")
    order_by: tuple[str, ...] = optional(())
    view: ViewType = optional(ViewType.ACTIVE_ONLY)
    columns: tuple[str, ...] = optional(())


@frozen
class MetricsSummary:
    """`POST metrics:summary`: the curves of many runs in a few numbers.

    run_ids: 1 to 1000. keys: of the metrics; none for all.
    """

    run_ids: tuple[str, ...] = required()
    keys: tuple[str, ...] = optional(())
