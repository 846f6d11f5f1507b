"""What filters and orders of registered models and versions mean; `evaluate` has the rules they share with runs.

Callers parse the texts with `mlcore.wire.filter_parser`, which adds the rule that hides prompts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from mlcore.entities import ModelVersion, RegisteredModel
from mlcore.entities.filters import Field, Filter, OrderBy
from mlcore.tracking.evaluate import Value, holds, ordered


def model_matches(tree: Filter | None, model: RegisteredModel) -> bool:
    """Tell whether a registered model fits the filter; no filter fits every model."""
    return tree is None or holds(tree, partial(_values, model))


def version_matches(tree: Filter | None, version: ModelVersion) -> bool:
    """Tell whether a model version fits the filter; no filter fits every version."""
    return tree is None or holds(tree, partial(_values, version))


def sort_models(models: Iterable[RegisteredModel], order_by: Sequence[OrderBy] = ()) -> list[RegisteredModel]:
    """Sort registered models by the criteria, then by name."""
    return ordered(sorted(models, key=lambda model: model.name), order_by, _first)


def sort_versions(versions: Iterable[ModelVersion], order_by: Sequence[OrderBy] = ()) -> list[ModelVersion]:
    """Sort versions by the criteria, then by last change, newest first, then by name, then by number, greatest first."""
    by_default = sorted(versions, key=lambda each: (-each.last_updated_timestamp, each.name, -int(each.version)))
    return ordered(by_default, order_by, _first)


def _first(found: RegisteredModel | ModelVersion, field: Field) -> Value | None:
    return next(_values(found, field), None)


def _values(found: RegisteredModel | ModelVersion, field: Field) -> Iterator[Value]:
    value: Value | None
    if field.entity == "tag":
        value = found.tags.get(field.key)
    elif isinstance(found, ModelVersion) and field.key == "version_number":
        value = int(found.version)
    else:
        value = getattr(found, "source" if field.key == "source_path" else field.key)
    if value is not None:
        yield value
