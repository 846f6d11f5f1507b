"""Which keys occur among many runs and what they hold: by the store's own counting, or by fetching."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve

from mlcore.entities import Facet, Field, KeyFacet, KeyFacets, Run, RunQuery
from mlcore.interfaces import SupportsKeyFacets, TrackingStore
from mlcore.tracking.table_search import all_runs
from mlcore.wire.filter_values import param_number
from mlcore.wire.table_columns import column_name

# What is told of every run, in this order.
TEXT_ATTRIBUTES = ("run_name", "user_id", "status", "experiment_id", "lifecycle_stage")
NUMBER_ATTRIBUTES = ("start_time", "end_time", "duration")
_KINDS = ("metric", "param", "tag", "attribute")
_SYSTEM_TAGS = ("mlflow.", "mlcore.")


def key_facets(
    store: TrackingStore, query: RunQuery, *, values: int = 10, most: int | None = None, search: str = ""
) -> KeyFacets:
    """Return the keys that occur among the runs that fit; those that vary first, then by count, then by name.

    Tags of the system come last. order, page and columns of the query mean nothing.
    values: how many of the most frequent values to tell of each key. most: how many keys to tell of; None for all. Each
    kind of key has at least a quarter of them, so that thousands of metrics hide no param.
    search: words that all have to occur in the name of the key's column, in any letter case.
    """
    if not query.experiment_ids:
        return KeyFacets(0, ())
    query = evolve(query, order_by=(), columns=None, page_token=None)
    if isinstance(store, SupportsKeyFacets):
        found = store.key_facets(query, values)
    else:
        found = key_facets_by_search(store, query, values)
    words = search.lower().split()
    keys = sorted((facet for facet in found.keys if _has(facet.field, words)), key=_order)
    shown = keys if most is None else _share(keys, most)
    return KeyFacets(found.total, tuple(shown), len(keys) - len(shown))


def _has(field: Field, words: Sequence[str]) -> bool:
    name = (column_name(field) or field.key).lower() if words else ""
    return all(word in name for word in words)


def _share(keys: Sequence[KeyFacet], most: int) -> list[KeyFacet]:
    """Return *most* keys in their order: the first of each kind, and then the first of all."""
    if len(keys) <= most:
        return list(keys)
    of_kind: Counter[str] = Counter()
    sure: list[int] = []
    others: list[int] = []
    for at, facet in enumerate(keys):
        of_kind[facet.field.entity] += 1
        (sure if of_kind[facet.field.entity] <= most // len(_KINDS) else others).append(at)
    return [keys[at] for at in sorted([*sure, *others[: most - len(sure)]])]


def key_facets_by_search(store: TrackingStore, query: RunQuery, values: int) -> KeyFacets:
    """Return what `key_facets` does, in any order, by fetching the runs."""
    metrics: dict[str, list[float]] = {}
    texts: dict[Field, Counter[str]] = {}
    times: dict[str, list[float]] = {key: [] for key in NUMBER_ATTRIBUTES}
    total = 0
    for run in all_runs(store, evolve(query, columns=None)):
        total += 1
        for point in run.data.latest:
            metrics.setdefault(point.key, []).append(point.value)
        for field, text in _texts(run):
            texts.setdefault(field, Counter())[text] += 1
        for key in NUMBER_ATTRIBUTES:
            value = getattr(run.info, key)
            if value is not None:
                times[key].append(value)
    found = [number_facet(Field("metric", key), numbers) for key, numbers in metrics.items()]
    found += [text_facet(field, counted, values) for field, counted in texts.items()]
    found += [number_facet(Field("attribute", key), numbers) for key, numbers in times.items() if numbers]
    return KeyFacets(total, tuple(found))


def number_facet(field: Field, numbers: Iterable[float]) -> KeyFacet:
    """Return the facet of a metric or time; NaN is one value."""
    everything = list(numbers)
    known = {number for number in everything if not math.isnan(number)}
    has_nan = any(math.isnan(number) for number in everything)
    low, high = min(known, default=None), max(known, default=None)
    return KeyFacet(field, len(everything), len(known) + has_nan, True, low, high)


def text_facet(field: Field, counted: Counter[str], values: int) -> KeyFacet:
    """Return the facet of a param, tag or text attribute."""
    numbers = [param_number(text) for text in counted] if field.entity == "param" else [None]
    known = [number for number in numbers if number is not None]
    is_numeric = len(known) == len(numbers)
    most = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:values]
    return KeyFacet(
        field,
        counted.total(),
        len(counted),
        is_numeric,
        min(known) if is_numeric else None,
        max(known) if is_numeric else None,
        tuple(Facet(text, count) for text, count in most),
    )


def _texts(run: Run) -> Iterator[tuple[Field, str]]:
    for key, text in run.data.params.items():
        yield Field("param", key), text
    for key, text in run.data.tags.items():
        yield Field("tag", key), text
    for key in TEXT_ATTRIBUTES:
        yield Field("attribute", key), str(getattr(run.info, key))


def _order(facet: KeyFacet) -> tuple[bool, bool, int, str, int]:
    field = facet.field
    is_system = field.entity == "tag" and field.key.startswith(_SYSTEM_TAGS)
    return is_system, facet.distinct <= 1, -facet.count, field.key, _KINDS.index(field.entity)
