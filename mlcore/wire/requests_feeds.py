"""The requests of pages that look at many runs: charts, what has changed, lists, search, and edits of many runs."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from mlcore.entities import Axis, Stat, ViewType
from mlcore.wire.messages import optional, required


class RunAction(StrEnum):
    """What to do with many runs."""

    DELETE = "delete"
    RESTORE = "restore"
    SET_TAGS = "set_tags"
    DELETE_TAGS = "delete_tags"


@frozen
class SeriesOnGrid:
    """`POST metrics:series`: curves of many runs on one grid.

    run_ids: 1 to 1000. keys: 1 to 100. start, end: bounds in the unit of x, both included. buckets: 2 to 2000.
    since: an object of places by run id, in the unit of x: only points of the run after it.
    x_key: a metric that the curves are drawn over in place of x, start and end; x_min, x_max: its bounds, both included.
    """

    run_ids: tuple[str, ...] = required()
    keys: tuple[str, ...] = required()
    x: Axis = optional(Axis.STEP)
    start: int | None = optional()
    end: int | None = optional()
    buckets: int = optional(360)
    stats: tuple[Stat, ...] = optional((Stat.LAST,))
    since: object = optional()
    x_key: str = optional("")
    x_min: float | None = optional()
    x_max: float | None = optional()


@frozen
class ChangesSince:
    """`GET changes`: which runs have changed.

    since: the cursor of an earlier answer for the same experiments; without, only where things stand.
    """

    experiment_ids: tuple[str, ...] = required()
    since: str | None = optional()


@frozen
class ListWithCounts:
    """`GET experiments:list`."""

    filter: str = optional("")
    view: ViewType = optional(ViewType.ACTIVE_ONLY)
    order_by: tuple[str, ...] = optional(())
    max_results: int = optional(200)
    page_token: str = optional("")


@frozen
class EditRuns:
    """`POST runs:batch`: the same change of up to 1000 runs.

    tags: an object of texts, for `set_tags`. keys: for `delete_tags`.
    """

    run_ids: tuple[str, ...] = required()
    action: RunAction = required()
    tags: object = optional()
    keys: tuple[str, ...] = optional(())


@frozen
class Search:
    """`GET search`: parts of names, in any case, and the beginnings of ids. limit: 1 to 50 of each kind."""

    q: str = optional("")
    limit: int = optional(8)


@frozen
class ListViews:
    """`GET views`: the named views of an experiment."""

    experiment_id: str = required()


@frozen
class SaveView:
    """`POST views`: keep a view under a name.

    title: up to 200 characters. query: the page's query string, up to 8000 characters.
    """

    experiment_id: str = required()
    title: str = required()
    query: str = optional("")


@frozen
class ChangeView:
    """`PATCH views`: another title, another query, or both, for a view; what is not given stays."""

    experiment_id: str = required()
    view_id: str = required()
    title: str | None = optional()
    query: str | None = optional()


@frozen
class RemoveView:
    """`DELETE views`."""

    experiment_id: str = required()
    view_id: str = required()


@frozen
class May:
    """`POST may`: what the caller may do with up to 1000 experiments and models."""

    experiment_ids: tuple[str, ...] = optional(())
    models: tuple[str, ...] = optional(())
