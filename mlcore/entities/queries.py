"""What a search asks of a store: parsed, checked and within the limits."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities.filters import Field, Filter, OrderBy
from mlcore.entities.lifecycle import ViewType


@frozen
class RunQuery:
    """A search for runs.

    order_by: after the given criteria always start_time descending, then run_id ascending.
    max_results: page size, 1..50000.
    page_token: of the page before, None for the first one.
    columns: the metrics, params and tags that are wanted; None for all, datasets and outputs included. A store may
    return more than is wanted. The info always comes.
    """

    experiment_ids: tuple[str, ...]
    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    view: ViewType = ViewType.ACTIVE_ONLY
    max_results: int = 1000
    page_token: str | None = None
    columns: tuple[Field, ...] | None = None


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


@frozen
class LoggedModelQuery:
    """A search for logged models.

    filter: over attributes, metrics, params and tags.
    datasets: (name, digest) pairs; when given, metrics count only if measured with one of them; an empty digest
    stands for any.
    order_by: after the given criteria creation_timestamp descending, then model_id ascending.
    """

    experiment_ids: tuple[str, ...]
    filter: Filter | None = None
    order_by: tuple[OrderBy, ...] = ()
    datasets: tuple[tuple[str, str], ...] = ()
    max_results: int = 50
    page_token: str | None = None
