"""What filters and orders of logged models mean; `evaluate` has the rules they share with runs.

- A metric comparison is true when it is true for any of the model's points of that key; `datasets` leaves out those that
  were measured with something else.
- An order by a metric looks at the model's newest point of that key: the greatest (timestamp, step, value), NaN being
  the smallest value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from mlcore.entities import LoggedModel, Metric, ModelMetric
from mlcore.entities.filters import Field, Filter, OrderBy
from mlcore.tracking.evaluate import Value, holds, ordered

# Name and digest of a dataset; an empty digest stands for any.
Datasets = Sequence[tuple[str, str]]


def logged_model_matches(tree: Filter | None, model: LoggedModel, datasets: Datasets = ()) -> bool:
    """Tell whether a logged model fits the filter; no filter fits every model.

    datasets: when given, only metrics that were measured with one of them count.
    """
    return tree is None or holds(tree, lambda field: _values(model, field, datasets))


def sort_logged_models(
    models: Iterable[LoggedModel], order_by: Sequence[OrderBy] = (), datasets: Datasets = ()
) -> list[LoggedModel]:
    """Sort logged models by the criteria, then by creation, newest first, then by id."""

    def value(model: LoggedModel, field: Field) -> Value | None:
        if field.entity == "metric":
            points = [each.point for each in _measured(model, field.key, datasets)]
            return max(points, key=_age).value if points else None
        return next(_values(model, field, datasets), None)

    by_default = sorted(models, key=lambda model: (-model.creation_timestamp, model.model_id))
    return ordered(by_default, order_by, value)


def _values(model: LoggedModel, field: Field, datasets: Datasets) -> Iterator[Value]:
    found: Value | None
    if field.entity == "metric":
        yield from (each.point.value for each in _measured(model, field.key, datasets))
        return
    if field.entity == "param":
        found = model.params.get(field.key)
    elif field.entity == "tag":
        found = model.tags.get(field.key)
    else:
        found = getattr(model, field.key)
    if found is not None:
        yield found


def _measured(model: LoggedModel, key: str, datasets: Datasets) -> Iterator[ModelMetric]:
    for each in model.metrics:
        fits = any(each.dataset_name == name and digest in ("", each.dataset_digest) for name, digest in datasets)
        if each.point.key == key and (fits or not datasets):
            yield each


def _age(point: Metric) -> tuple[int, int, bool, float]:
    gap = math.isnan(point.value)
    return point.timestamp, point.step, not gap, 0.0 if gap else point.value
