"""Names of the columns of tables of runs: `metrics.loss.min`, ``params.`batch size` ``, `attributes.status`."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from mlcore.entities.filters import Field
from mlcore.errors import FilterError, InvalidParameterError
from mlcore.wire import limits
from mlcore.wire.filter_fields import RUNS, Rule, Vocabulary
from mlcore.wire.filter_grammar import Parser
from mlcore.wire.filter_text import field_to_text

# What can be looked at, but is asked for in another way than by a filter.
_SHOWN_ONLY = ("experiment_id", "lifecycle_stage")
_COLUMNS: Vocabulary = evolve(
    RUNS,
    attributes={**RUNS.attributes, **{key: Rule() for key in _SHOWN_ONLY}},
    hints={key: hint for key, hint in RUNS.hints.items() if key not in _SHOWN_ONLY},
)


def parse_column(name: str) -> Field:
    """Return the metric, param, tag or attribute that *name* stands for.

    Raises FilterError: no field of a run.
    """
    if not isinstance(name, str) or not name.strip():
        raise FilterError(f"invalid column {name!r}: expected a field such as 'metrics.loss'")
    if len(name) > limits.FILTER_LENGTH:
        raise FilterError(
            f"the name of a column has {len(name)} characters, at most {limits.FILTER_LENGTH} are allowed"
        )
    found = Parser(name, _COLUMNS).order()
    if not found.ascending or name.split()[-1].upper() == "ASC":
        raise FilterError("a column has no direction: leave ASC and DESC to order_by", name)
    return found.field


def column_name(found: Field) -> str | None:
    """Return the name of a column, which `parse_column` takes; None when the key holds all kinds of quotes."""
    try:
        text = field_to_text(found)
    except InvalidParameterError:
        return None
    return f"attributes.{found.key}" if found.entity == "attribute" else text


def parse_columns(names: Sequence[str]) -> tuple[Field, ...]:
    """Return what each of *names* stands for. Raises FilterError: one of them is no field of a run."""
    return tuple(map(parse_column, names))
