"""Tables of text: values between commas, semicolons or tabs, the first line with the names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from mlcore_server.tables.bounded import Bounded, lines
from mlcore_server.tables.cells import Cell, Cutter, Table, Window, even

_MOST_LINE = 1 << 20
# as many rows after the last wanted one are counted, so that the end of most tables is known
_COUNTED = 100_000
_INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(
    r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][+-]?\d{1,4})?\Z|[+-]?(nan|inf|infinity)\Z", re.ASCII | re.I
)


def read_delimited(source: Bounded, window: Window, delimiter: str | None) -> Table:
    """Read a table. delimiter: None to find out."""
    text = lines(source, _MOST_LINE)
    first = next(text, "")
    parsed = _parsed(csv.reader(chain([first], text), delimiter=delimiter or _delimiter(first)))
    cutter = Cutter()
    header = [cutter.text(name) for name in next(parsed, ())]
    skipped = sum(1 for _ in islice(parsed, window.offset))
    found = [cutter.columns([cutter.text(cell) for cell in row]) for row in islice(parsed, window.limit)]
    after = sum(1 for _ in islice(parsed, _COUNTED))
    is_whole = next(parsed, None) is None and not source.has_more and not parsed.is_broken
    width = max([len(cutter.columns(header)), *(len(row) for row in found)])
    names = [*header[:width], *(f"column {n + 1}" for n in range(len(header), width))]
    rows = even(found, width)
    columns = [(name, _kind([row[n] for row in rows])) for n, name in enumerate(names)]
    total = skipped + len(found) + after if is_whole else None
    return Table(columns, rows, total, cutter.has_cut or source.has_more or parsed.is_broken)


class _parsed(Iterator[list[str]]):  # noqa: N801  # reads as the function that it stands for
    """The rows up to the first that can't be read, such as one with an endless text; empty lines are none."""

    def __init__(self, rows: Iterator[list[str]]) -> None:
        self._rows = rows
        self.is_broken = False

    def __next__(self) -> list[str]:
        if self.is_broken:
            raise StopIteration
        try:
            while not (row := next(self._rows)):
                pass
        except csv.Error:
            self.is_broken = True
            raise StopIteration from None
        return row


def _delimiter(line: str) -> str:
    """Return what separates the names in the first line: what there is most of, outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(",;\t|", key=bare.count)


def _kind(values: Sequence[Cell]) -> str:
    texts = [str(value) for value in values if value not in (None, "")]
    if texts and all(_INTEGER.match(text) for text in texts):
        return "integer"
    if texts and all(_NUMBER.match(text) for text in texts):
        return "number"
    if texts and all(text.lower() in ("true", "false") for text in texts):
        return "boolean"
    return "text"
