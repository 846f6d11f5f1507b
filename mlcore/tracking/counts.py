"""How many runs fit, which values they have, and what they read: by the store's own counting, or by fetching."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import evolve

from mlcore.entities import DatasetSummary, Facet, Field, Run, RunQuery
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import SupportsCounts, SupportsDatasetSearch, TrackingStore
from mlcore.wire.filter_fields import RUNS

CONTEXT_TAG = "mlflow.data.context"
_PAGE = 1000


def count_runs(store: TrackingStore, query: RunQuery) -> int:
    """Return how many runs fit; order, page and columns of the query mean nothing."""
    return store.count_runs(query) if isinstance(store, SupportsCounts) else count_runs_by_search(store, query)


def count_runs_by_search(store: TrackingStore, query: RunQuery) -> int:
    """Return what `count_runs` does, by fetching the runs."""
    return sum(1 for _ in _all_runs(store, evolve(query, columns=())))


def run_facets(store: TrackingStore, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
    """Return the most frequent values of a param, tag or text attribute among the runs that fit.

    The most frequent first, equal ones by value; at most *limit*.
    Raises InvalidParameterError: the field is none of these.
    """
    check_facet(field)
    if isinstance(store, SupportsCounts):
        return store.run_facets(query, field, limit)
    return run_facets_by_search(store, query, field, limit)


def run_facets_by_search(store: TrackingStore, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
    """Return what `run_facets` does, by fetching the runs."""
    check_facet(field)
    values = (_value(run, field) for run in _all_runs(store, evolve(query, columns=(field,))))
    counted = Counter(value for value in values if value is not None)
    return tuple(
        Facet(value, count) for value, count in sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:limit]
    )


def check_facet(field: Field) -> None:
    """Refuse a field that has no text. Raises InvalidParameterError."""
    if field.entity in ("param", "tag"):
        return
    if field.entity == "attribute" and field.key in RUNS.attributes and RUNS.attributes[field.key].text_ops:
        return
    texts = [key for key, rule in RUNS.attributes.items() if rule.text_ops]
    raise InvalidParameterError(
        f"runs have no counted values of {field.entity} {field.key!r}: expected a param, a tag, or one of "
        f"{', '.join(repr(key) for key in texts)}"
    )


def search_datasets(
    store: TrackingStore, experiment_ids: tuple[str, ...], max_results: int
) -> tuple[DatasetSummary, ...]:
    """Return the distinct datasets that active runs read, by experiment, name, digest and context."""
    if isinstance(store, SupportsDatasetSearch):
        return store.search_datasets(experiment_ids, max_results)
    return search_datasets_by_search(store, experiment_ids, max_results)


def search_datasets_by_search(
    store: TrackingStore, experiment_ids: tuple[str, ...], max_results: int
) -> tuple[DatasetSummary, ...]:
    """Return what `search_datasets` does, by fetching the runs."""
    found = {
        DatasetSummary(
            run.info.experiment_id,
            used.dataset.name,
            used.dataset.digest,
            next((tag.value for tag in used.tags if tag.key == CONTEXT_TAG), None),
        )
        for run in _all_runs(store, RunQuery(experiment_ids))
        for used in run.inputs.dataset_inputs
    }
    return tuple(sorted(found, key=_order)[:max_results])


def _order(found: DatasetSummary) -> tuple[str, str, str, bool, str]:
    return found.experiment_id, found.name, found.digest, found.context is not None, found.context or ""


def _value(run: Run, field: Field) -> str | None:
    if field.entity == "attribute":
        return str(getattr(run.info, field.key))
    return (run.data.params if field.entity == "param" else run.data.tags).get(field.key)


def _all_runs(store: TrackingStore, query: RunQuery) -> Iterator[Run]:
    query = evolve(query, order_by=(), max_results=_PAGE, page_token=None)
    while True:
        page = store.search_runs(query)
        yield from page.items
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)
