"""What a search asks of a store: parsed, checked and within the limits."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities.filters import Filter, OrderBy
from mlcore.entities.lifecycle import ViewType


@frozen
class RunQuery:
    """A search for runs.

    order_by: after the given criteria always start_time descending, then run_id ascending.
    max_results: page size, 1..50000.
    page_token: of the page before, None for the first one.
    """

    experiment_ids: tuple[str, ...]
    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = 1000
    page_token: str | None = None


@frozen
class ExperimentQuery:
    """A search for experiments.

    order_by: after the given criteria creation_time descending, then experiment_id ascending.
    max_results: page size, 1..50000.
    page_token: of the page before, None for the first one.
    """

    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = 1000
    page_token: str | None = None
