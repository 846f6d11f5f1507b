"""What filters and orders mean, in pure Python: the oracle that stores are tested against.

Stores without a query language of their own can search with it as well.

- A comparison is false for an object that lacks the key; only `IS NULL` is true for it. NOT inverts that.
- NaN matches `!=` only. Infinities, stored or asked for, compare as the largest finite floats.
- A param is compared with a number when it is one (`param_number`), else no numeric comparison is true, `!=` included.
- A dataset comparison is true when it is true for any input of the run.
- In orders missing keys come last and NaN before them, in both directions; texts sort by code point.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from mlcore.entities import Experiment, MetricSummary, Run
from mlcore.entities.filters import And, Comparison, Field, Filter, Not, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_values import clamped, like, param_number

Value = str | float

_DATASET_CONTEXT = "mlflow.data.context"
_TESTS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
T = TypeVar("T")


def run_matches(tree: Filter | None, run: Run, summaries: Mapping[str, MetricSummary] | None = None) -> bool:
    """Tell whether *run* fits the filter; no filter fits every run.

    summaries: of the run's metrics by key; needed only when the filter asks for `min`, `max` or `count`.
    Raises InvalidParameterError: it asks for them and there are no summaries.
    """
    return tree is None or holds(tree, lambda field: _run_values(run, field, summaries))


def experiment_matches(tree: Filter | None, experiment: Experiment) -> bool:
    """Tell whether *experiment* fits the filter; no filter fits every experiment."""
    return tree is None or holds(tree, lambda field: _experiment_values(experiment, field))


def sort_runs(
    runs: Iterable[Run],
    order_by: Sequence[OrderBy] = (),
    summaries_by_run: Mapping[str, Mapping[str, MetricSummary]] | None = None,
) -> list[Run]:
    """Sort *runs* by the criteria, then by start time, newest first, then by run id.

    summaries_by_run: the summaries of each run id; needed only for orders by `min`, `max` or `count`.
    Raises InvalidParameterError: an order needs them and there are none.
    """

    def value(run: Run, field: Field) -> Value | None:
        known = None if summaries_by_run is None else summaries_by_run.get(run.info.run_id, {})
        return next(_run_values(run, field, known), None)

    by_default = sorted(runs, key=lambda run: (-run.info.start_time, run.info.run_id))
    return ordered(by_default, order_by, value)


def sort_experiments(experiments: Iterable[Experiment], order_by: Sequence[OrderBy] = ()) -> list[Experiment]:
    """Sort *experiments* by the criteria, then by creation time, newest first, then by id.

    Ids that are decimal numbers sort as numbers, before all others.
    """

    def value(experiment: Experiment, field: Field) -> Value | tuple[int, int, str] | None:
        if field == Field("attribute", "experiment_id"):
            return _experiment_number(experiment)
        return next(_experiment_values(experiment, field), None)

    by_id = sorted(experiments, key=_experiment_number)
    newest_first = OrderBy(Field("attribute", "creation_time"), ascending=False)
    return ordered(by_id, [*order_by, newest_first], value)


def holds(tree: Filter, values: Callable[[Field], Iterator[Value]]) -> bool:
    """Tell whether the filter is true of an object.

    values: gives what the object has for a field: nothing, one value, or several, of which one has to fit.
    """
    if isinstance(tree, Comparison):
        return _compares(tree, values(tree.field))
    if isinstance(tree, Not):
        return not holds(tree.part, values)
    if isinstance(tree, And):
        return all(holds(part, values) for part in tree.parts)
    return any(holds(part, values) for part in tree.parts)


def _compares(test: Comparison, values: Iterator[Value]) -> bool:
    if test.op in ("IS NULL", "IS NOT NULL"):
        return (next(values, None) is None) == (test.op == "IS NULL")
    return any(_fits(value, test.op, test.value) for value in values)


def _fits(value: Value, op: str, wanted: object) -> bool:
    if isinstance(wanted, tuple):
        return (value in wanted) == (op == "IN")
    if isinstance(wanted, str):
        if op in ("LIKE", "ILIKE"):
            return like(str(value), wanted, ignore_case=op == "ILIKE")
        return (value == wanted) == (op == "=")
    if not isinstance(wanted, float | int):
        raise InvalidParameterError(
            f"invalid value {wanted!r} of comparator {op!r}: expected a number, a text or a tuple"
        )
    number = param_number(value) if isinstance(value, str) else value
    return number is not None and _TESTS[op](clamped(number), clamped(wanted))


def _run_values(run: Run, field: Field, summaries: Mapping[str, MetricSummary] | None) -> Iterator[Value]:
    """Yield what *run* has for *field*: nothing, one value, or one for each dataset."""
    found: Value | None = None
    if field.entity == "attribute":
        found = getattr(run.info, field.key)
    elif field.entity == "param":
        found = run.data.params.get(field.key)
    elif field.entity == "tag":
        found = run.data.tags.get(field.key)
    elif field.entity == "dataset":
        yield from _dataset_values(run, field.key)
    elif field.stat == "last":
        found = next((point.value for point in run.data.latest if point.key == field.key), None)
    else:
        found = _aggregate(field, summaries)
    if found is not None:
        yield found


def _dataset_values(run: Run, key: str) -> Iterator[str]:
    for use in run.inputs.dataset_inputs:
        if key == "context":
            yield from (tag.value for tag in use.tags if tag.key == _DATASET_CONTEXT)
        else:
            yield use.dataset.name if key == "name" else use.dataset.digest


def _aggregate(field: Field, summaries: Mapping[str, MetricSummary] | None) -> float | None:
    if summaries is None:
        raise InvalidParameterError(
            f"metrics.{field.key}.{field.stat} needs the metric summaries of the run: "
            "the tracking store does not provide them, search for the last value instead"
        )
    summary = summaries.get(field.key)
    if summary is None:
        return None
    if field.stat == "count":
        return float(summary.count)
    found = summary.min if field.stat == "min" else summary.max
    return math.nan if found is None else found  # a curve of nothing but NaN


def _experiment_values(experiment: Experiment, field: Field) -> Iterator[Value]:
    found: Value | None = experiment.tags.get(field.key) if field.entity == "tag" else getattr(experiment, field.key)
    if found is not None:
        yield found


def _experiment_number(experiment: Experiment) -> tuple[int, int, str]:
    key = experiment.experiment_id
    return (0, int(key), key) if key.isascii() and key.isdigit() else (1, 0, key)


def ordered(
    items: list[T], order_by: Sequence[OrderBy], value: Callable[[T, Field], Value | tuple[int, int, str] | None]
) -> list[T]:
    """Sort *items* by the criteria; what they do not tell apart stays in its order.

    value: gives what an item has for a field, or None.
    """
    # Sorting is stable, so the criteria go from the last to the first.
    for criterion in reversed(order_by):
        present: list[tuple[object, T]] = []
        not_numbers: list[T] = []
        missing: list[T] = []
        for item in items:
            found = value(item, criterion.field)
            if found is None:
                missing.append(item)
            elif isinstance(found, float) and math.isnan(found):
                not_numbers.append(item)
            else:
                present.append((clamped(found) if isinstance(found, float) else found, item))
        present.sort(key=operator.itemgetter(0), reverse=not criterion.ascending)
        items = [*(item for _, item in present), *not_numbers, *missing]
    return items
