"""Counts, facets and datasets: by the store where it can, else by looking at every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from attrs import evolve

from mlcore.entities import DatasetSummary, Facet, Field, Run, RunQuery
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import SupportsCounts, SupportsDatasetSearch, TrackingStore
from mlcore.wire import limits

_CONTEXT = "mlflow.data.context"
_ATTRIBUTES = ("run_id", "run_name", "status", "artifact_uri", "user_id")


def count_runs(store: TrackingStore, query: RunQuery) -> int:
    """Return how many runs fit *query*."""
    if isinstance(store, SupportsCounts):
        return store.count_runs(query)
    return sum(1 for _ in _runs(store, evolve(query, columns=())))


def run_facets(store: TrackingStore, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
    """Return the most frequent values of a param, tag or text attribute, the most frequent first.

    Raises InvalidParameterError: a field of numbers, which has no facets.
    """
    if field.entity not in ("param", "tag") and not (field.entity == "attribute" and field.key in _ATTRIBUTES):
        raise InvalidParameterError(
            f"{field.entity} {field.key!r} has no facets: expected a param, a tag or one of {', '.join(_ATTRIBUTES)}"
        )
    if isinstance(store, SupportsCounts):
        return store.run_facets(query, field, limit)
    columns = (field,) if field.entity != "attribute" else ()
    counted = Counter(
        value for run in _runs(store, evolve(query, columns=columns)) if (value := _value(run, field)) is not None
    )
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Facet(value, count) for value, count in ordered[:limit])


def search_datasets(
    store: TrackingStore, experiment_ids: tuple[str, ...], max_results: int
) -> tuple[DatasetSummary, ...]:
    """Return the distinct datasets that active runs of the experiments read."""
    if isinstance(store, SupportsDatasetSearch):
        return store.search_datasets(experiment_ids, max_results)
    found = set()
    for run in _runs(store, RunQuery(experiment_ids)):
        for used in run.inputs.dataset_inputs:
            context = next((tag.value for tag in used.tags if tag.key == _CONTEXT), None)
            found.add(DatasetSummary(run.info.experiment_id, used.dataset.name, used.dataset.digest, context))
    ordered = sorted(found, key=lambda one: (one.experiment_id, one.name, one.digest, one.context or ""))
    return tuple(ordered[:max_results])


def _runs(store: TrackingStore, query: RunQuery) -> Iterator[Run]:
    token: str | None = None
    while True:
        page = store.search_runs(evolve(query, max_results=limits.SEARCH_RESULTS, page_token=token))
        yield from page.items
        token = page.next_token
        if token is None:
            return


def _value(run: Run, field: Field) -> str | None:
    if field.entity == "param":
        return run.data.params.get(field.key)
    if field.entity == "tag":
        return run.data.tags.get(field.key)
    return str(getattr(run.info, field.key))
