"""Which part of a search the server does, and which is left to the client."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from mlcore.entities import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.wire.filter_text import filter_to_text, order_to_text

Test = Callable[[Filter], bool]


@frozen
class Split:
    """A filter in two: *text* for the server, *rest* to be applied to what it finds; None when nothing is left."""

    text: str = ""
    rest: Filter | None = None


def split(tree: Filter | None, can_push: Test) -> Split:
    """Split a filter at its ANDs; what cannot be written as text stays here, too."""
    if tree is None:
        return Split()
    texts: list[str] = []
    rest: list[Filter] = []
    for part in tree.parts if isinstance(tree, And) else (tree,):
        text = _written(part) if can_push(part) else None
        if text is None:
            rest.append(part)
        else:
            texts.append(f"({text})" if isinstance(part, And | Or) else text)
    if len(texts) == 1 and not rest:
        texts = [filter_to_text(tree)]
    left = rest[0] if len(rest) == 1 else And(tuple(rest)) if rest else None
    return Split(" AND ".join(texts), left)


def orders(order_by: Sequence[OrderBy], can_push: Callable[[OrderBy], bool]) -> tuple[str, ...] | None:
    """Return the clauses of an order; None when the server cannot do all of it. A field counts once."""
    found: dict[Field, str] = {}
    for each in order_by:
        if each.field in found:
            continue
        try:
            text = order_to_text(each)
        except InvalidParameterError:
            return None
        if not can_push(each):
            return None
        found[each.field] = text
    return tuple(found.values())


def fields_of(tree: Filter | None) -> set[Field]:
    """Return the fields that a filter looks at."""
    if tree is None:
        return set()
    if isinstance(tree, Comparison):
        return {tree.field}
    if isinstance(tree, Not):
        return fields_of(tree.part)
    return {field for part in tree.parts for field in fields_of(part)}


def _written(tree: Filter) -> str | None:
    try:
        return filter_to_text(tree)
    except InvalidParameterError:
        return None
