"""From syntax trees back to text: `parse(filter_to_text(tree)) == tree`.

The text keeps to MLflow's spelling wherever MLflow has one (`attribute.`, backticks, numbers without `e+`), so that
a filter that was parsed here can be sent to a server of either product.
"""

from __future__ import annotations

import math
import re

from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_fields import STATS
from mlcore.wire.filter_values import clamped

_PREFIX = {"attribute": "attribute", "metric": "metrics", "param": "params", "tag": "tags", "dataset": "dataset"}
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")


def filter_to_text(tree: Filter) -> str:
    """Write *tree* as a filter, with the parentheses that it needs and no others.

    Raises InvalidParameterError: the tree holds what no filter can say, such as NaN, an empty AND, or a text with
    both kinds of quotes.
    """
    if isinstance(tree, Comparison):
        return _comparison(tree)
    if isinstance(tree, Not):
        inner = filter_to_text(tree.part)
        return f"NOT ({inner})" if isinstance(tree.part, And | Or) else f"NOT {inner}"
    word, loose = (" AND ", And | Or) if isinstance(tree, And) else (" OR ", Or)
    if not tree.parts:
        raise InvalidParameterError(f"{type(tree).__name__}() without parts cannot be written as a filter: give it two")
    return word.join(
        f"({filter_to_text(part)})" if isinstance(part, loose) else filter_to_text(part) for part in tree.parts
    )


def order_to_text(order: OrderBy) -> str:
    """Write *order* as a clause of `order_by`.

    Raises InvalidParameterError: the key cannot be quoted.
    """
    return f"{field_to_text(order.field)} {'ASC' if order.ascending else 'DESC'}"


def field_to_text(found: Field) -> str:
    """Write *found* as a name in a filter or an order: ``metrics.loss.min``, ``params.`batch size` ``.

    Raises InvalidParameterError: the key cannot be quoted.
    """
    ends_as_stat = found.entity == "metric" and found.key.rpartition(".")[2] in STATS
    plain = _PLAIN_KEY.fullmatch(found.key) and not ends_as_stat
    key = found.key if plain else _quoted(found.key, "`\"'")
    return f"{_PREFIX[found.entity]}.{key}" + (f".{found.stat}" if found.stat != "last" else "")


def _comparison(test: Comparison) -> str:
    left = f"{field_to_text(test.field)} {test.op}"
    if test.value is None:
        return left
    if isinstance(test.value, tuple):
        return f"{left} ({', '.join(_quoted(value) for value in test.value)})"
    return f"{left} {_quoted(test.value) if isinstance(test.value, str) else _number(test.value)}"


def _quoted(text: str, quotes: str = "'\"") -> str:
    for quote in quotes:
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise InvalidParameterError(
        f"{text!r} cannot be written in a filter: it holds all of the quotes {' '.join(quotes)}"
    )


def _number(value: float) -> str:
    if math.isnan(value):
        raise InvalidParameterError("NaN cannot be written in a filter: compare with a number")
    whole = float(value).is_integer() and abs(value) < 2**53 and (value or math.copysign(1, value) > 0)
    return str(int(value)) if whole else repr(clamped(float(value))).replace("e+", "e")
