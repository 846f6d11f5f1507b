"""What readers of tables have in common: the bounds, the record, and cells as JSON can hold them."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

MOST_BYTES = 32 << 20
MOST_COLUMNS = 1000
MOST_CHARACTERS = 2000
_MOST_TEXT = 8 << 20
# beyond it the numbers of JavaScript are not exact, so that integers travel as texts
_EXACT = 2**53

Cell: TypeAlias = str | int | float | bool | None


@frozen
class Table:
    """Some rows.

    columns: name and type. total: number of rows of the whole; None when its end was not seen.
    is_cut: whether something is left out because it is too much.
    """

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]
    total: int | None
    is_cut: bool = False


@frozen
class Window:
    """Which rows are wanted."""

    offset: int
    limit: int

    @property
    def end(self) -> int:
        """The first row that is not."""
        return self.offset + self.limit


class Cutter:
    """Makes cells, and remembers whether it had to shorten one."""

    def __init__(self) -> None:
        """Nothing was shortened yet."""
        self.has_cut: bool = False
        self._left = _MOST_TEXT

    def cell(self, value: object) -> Cell:
        """Return *value* as JSON can hold it: numbers that it cannot hold, times and nested values are texts."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -_EXACT <= value <= _EXACT else self.text(_digits(value))
        if isinstance(value, float):
            return value if math.isfinite(value) else _not_finite(value)
        return self.text(_text(value))

    def text(self, text: str) -> str:
        """Return *text*, shortened where it is too long, or where all of them together are."""
        most = min(MOST_CHARACTERS, self._left)
        self._left -= min(len(text), most)
        if len(text) <= most:
            return text
        self.has_cut = True
        return text[:most] + "…"

    def columns(self, row: Sequence[Cell]) -> Sequence[Cell]:
        """Return *row*, without the columns that are too many."""
        if len(row) <= MOST_COLUMNS:
            return row
        self.has_cut = True
        return row[:MOST_COLUMNS]


def even(rows: Iterable[Sequence[Cell]], width: int) -> list[Sequence[Cell]]:
    """Return *rows* with as many cells each."""
    return [row if len(row) == width else [*row, *[None] * (width - len(row))] for row in rows]


def kind_of(values: Iterable[Cell]) -> str:
    """Return the type of a column of JSON values."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds and kinds <= {int, float}:
        return "number"
    return "text"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value[:MOST_CHARACTERS].hex()
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (Mapping, list, tuple)):
        try:
            return json.dumps(value, ensure_ascii=False, default=_text)
        except (ValueError, RecursionError, TypeError):
            return f"<{type(value).__name__}>"
    return str(value)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses thousands of digits, which take long
        return f"<integer of {value.bit_length()} bits>"


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
