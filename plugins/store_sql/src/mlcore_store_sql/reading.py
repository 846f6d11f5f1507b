"""Rows of statements that were compiled for one search."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from attrs import frozen

from mlcore_store_sql.dialects import Cursor, Row

T = TypeVar("T")


@frozen
class Compiled:
    """A statement as the driver takes it."""

    text: str
    parameters: tuple[object, ...]


class Once(Generic[T]):
    """Something that is made when it is first asked for, once for all threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Use *make* when the time comes."""
        self._make = make
        self._made: T | None = None
        self._making = threading.Lock()

    def __call__(self) -> T:
        """Return it."""
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made


def rows(cursor: Cursor, statements: Iterable[Compiled]) -> list[Row]:
    """Return the rows of all *statements*."""
    found: list[Row] = []
    for statement in statements:
        cursor.execute(statement.text, statement.parameters)
        found += cursor.fetchall()
    return found


def texts_by_owner(found: Iterable[Row]) -> dict[int, dict[str, str]]:
    """Group rows of owner, key and value by the owner."""
    texts: dict[int, dict[str, str]] = defaultdict(dict)
    for owner, key, value in found:
        texts[owner][key] = value
    return texts
