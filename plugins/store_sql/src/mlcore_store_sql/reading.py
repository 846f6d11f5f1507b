"""Rows of statements that were compiled for one search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from attrs import frozen

from mlcore_store_sql.dialects import Cursor, Row


@frozen
class Compiled:
    """A statement as the driver takes it."""

    text: str
    parameters: tuple[object, ...]


def rows(cursor: Cursor, statements: Iterable[Compiled]) -> Iterator[Row]:
    """Yield the rows of all *statements*."""
    for statement in statements:
        cursor.execute(statement.text, statement.parameters)
        yield from cursor.fetchall()


def texts_by_owner(found: Iterable[Row]) -> dict[int, dict[str, str]]:
    """Group rows of owner, key and value by the owner."""
    texts: dict[int, dict[str, str]] = defaultdict(dict)
    for owner, key, value in found:
        texts[owner][key] = value
    return texts
