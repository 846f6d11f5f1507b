"""Search a tracking store of MLflow with our filters.

MLflow's grammar has neither OR nor NOT nor comparisons of params as numbers, and its stores differ in what NaN, missing
keys and orders mean. So the store narrows the search as far as it surely can, and the kernel's own evaluator decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from mlcore.entities import And, Comparison, Filter, MetricSummary, Not, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_text import filter_to_text

PAGE = 1000
_HUGE = 1e300  # beyond, stores differ in how they keep infinities
_NUMERIC = {"start_time", "end_time"}
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TheirPage(Protocol[T_co]):
    """MLflow's PagedList: a list with a token."""

    def __iter__(self) -> Iterator[T_co]:
        """Yield what is on the page."""
        ...


def narrowing(tree: Filter | None) -> str:
    """Return a filter in MLflow's grammar that everything fits that fits *tree*; empty when there is none."""
    parts = tree.parts if isinstance(tree, And) else (tree,)
    texts = []
    for part in parts:
        if isinstance(part, Comparison) and _means_the_same(part):
            try:
                texts.append(filter_to_text(part))
            except InvalidParameterError:
                continue  # a key or value that no quotes can hold
    return " AND ".join(texts)


def _means_the_same(test: Comparison) -> bool:
    """Whether no store of MLflow leaves out what the comparison means here."""
    field, value = test.field, test.value
    if field.entity in ("tag", "param") or (field.entity == "attribute" and field.key == "status"):
        return test.op == "=" and isinstance(value, str) and value != ""
    number = isinstance(value, float | int) and abs(value) < _HUGE
    if field.entity == "metric":
        return number and field.stat == "last" and test.op in ("=", "<", "<=", ">", ">=")
    return number and field.entity == "attribute" and field.key in _NUMERIC and test.op in ("<", "<=", ">", ">=")


def everything(fetch: Callable[[str | None], TheirPage[T]]) -> list[T]:
    """Return what is on all pages. *fetch* gets a page by the token of the one before."""
    found: list[T] = []
    token: str | None = None
    while True:
        page = fetch(token)
        found += page
        token = getattr(page, "token", None)
        if not token:
            return found


def curves_needed(tree: Filter | None, order_by: Iterable[OrderBy]) -> set[str]:
    """Return the keys of the metrics whose min or max is asked for."""
    fields = [test.field for test in _comparisons(tree)] + [each.field for each in order_by]
    return {field.key for field in fields if field.entity == "metric" and field.stat != "last"}


def _comparisons(tree: Filter | None) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    elif isinstance(tree, Not):
        yield from _comparisons(tree.part)
    elif tree is not None:
        for part in tree.parts:
            yield from _comparisons(part)


Summaries = dict[str, dict[str, MetricSummary]]
