"""The syntax tree of a search filter, as the parser makes it and stores read it.

Truth is two-valued. A comparison is false for an object that lacks the key, `!=` included; only
`IS NULL` is true for it. `NOT` turns that around: `NOT metrics.x > 1` is true for runs without `x`.
`mlcore.tracking.evaluate` is the meaning in full.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Field:
    """What a comparison or an order looks at.

    entity: `attribute`, `metric`, `param`, `tag` or `dataset`.
    key: canonical attribute name, or the user's own metric, param or tag key.
    stat: for metrics `last`, `min`, `max` or `count` over the curve; `last` for all else.
    """

    entity: str
    key: str
    stat: str = "last"


@frozen
class Comparison:
    """One test of one field.

    op: `=`, `!=`, `<`, `<=`, `>`, `>=`, `LIKE`, `ILIKE`, `IN`, `NOT IN`, `IS NULL`, `IS NOT NULL`.
    value: float for numeric tests, never NaN; str for text; a tuple of str for IN and NOT IN; None for IS ... NULL.
    A param with a float value is compared as a number, with a str as text.
    """

    field: Field
    op: str
    value: float | str | tuple[str, ...] | None = None


@frozen
class And:
    """All parts hold; at least two parts."""

    parts: tuple[Filter, ...]


@frozen
class Or:
    """At least one part holds; at least two parts."""

    parts: tuple[Filter, ...]


@frozen
class Not:
    """The part does not hold."""

    part: Filter


Filter = Comparison | And | Or | Not


@frozen
class OrderBy:
    """One criterion of an order.

    Objects without the key come last in both directions; NaN comes after all numbers and before them.
    """

    field: Field
    ascending: bool = True
