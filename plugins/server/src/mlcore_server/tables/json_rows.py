"""Tables of JSON: one value per line, or one document of rows, also as pandas writes and MLflow logs it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from mlcore.errors import InvalidParameterError
from mlcore_server.tables.bounded import Bounded, lines
from mlcore_server.tables.cells import MOST_COLUMNS, Cell, Cutter, Table, Window, even, kind_of

_MOST_LINE = 1 << 20
_COUNTED = 100_000
MOST_DOCUMENT = 8 << 20
_ALONE = "value"


def read_json_lines(source: Bounded, window: Window) -> Table:
    """Read a value per line: objects, lists, or single values; what is no JSON is shown as it is."""
    text = (line for line in lines(source, _MOST_LINE) if line.strip())
    skipped = sum(1 for _ in islice(text, window.offset))
    values = [_value(line) for line in islice(text, window.limit)]
    after = sum(1 for _ in islice(text, _COUNTED))
    is_whole = next(text, None) is None and not source.has_more
    found = _table(values, Cutter())
    total = skipped + len(values) + after if is_whole else None
    return Table(found.columns, found.rows, total, found.is_cut or source.has_more)


def read_json_document(source: Bounded, window: Window) -> Table:
    """Read a list of rows, or an object with `columns` and `data`.

    Raises InvalidParameterError: it is something else, or too large to be read at once.
    """
    text = "".join(lines(source, _MOST_LINE))
    if source.has_more:
        raise InvalidParameterError(f"the file has more than {MOST_DOCUMENT} bytes: a JSON document is read as a whole")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InvalidParameterError(f"the file is no JSON that can be read: {str(err)[:200]}") from err
    if isinstance(document, Mapping) and isinstance(document.get("data"), list):
        names = document.get("columns")
        rows = document["data"]
        if isinstance(names, list) and all(isinstance(row, list) for row in rows):
            return _split(names, rows, window)
    if not isinstance(document, list):
        raise InvalidParameterError("the file is JSON and no table: expected a list of rows, or 'columns' and 'data'")
    found = _table(document[window.offset : window.end], Cutter())
    return Table(found.columns, found.rows, len(document), found.is_cut)


def _split(names: Sequence[object], rows: Sequence[Sequence[object]], window: Window) -> Table:
    cutter = Cutter()
    shown = [cutter.columns([cutter.cell(value) for value in row]) for row in rows[window.offset : window.end]]
    header = cutter.columns([cutter.text(str(name)) for name in names])
    width = max([len(header), *(len(row) for row in shown)])
    titles = [*map(str, header), *(f"column {n + 1}" for n in range(len(header), width))]
    return _typed(titles, even(shown, width), len(rows), cutter)


def _table(values: Sequence[object], cutter: Cutter) -> Table:
    """Make a table of values: the columns are all keys, in the order in which they come."""
    names: dict[str, int] = {}
    rows: list[list[Cell]] = []
    for value in values:
        row: list[Cell] = [None] * len(names)
        for key, one in _fields(value):
            at = names.get(key)
            if at is None:
                if len(names) == MOST_COLUMNS:
                    cutter.has_cut = True
                    continue
                at = names[key] = len(names)
                row.append(None)
            row[at] = cutter.cell(one)
        rows.append(row)
    return _typed([cutter.text(name) for name in names], even(rows, len(names)), None, cutter)


def _typed(names: Sequence[str], rows: Sequence[Sequence[Cell]], total: int | None, cutter: Cutter) -> Table:
    columns = [(name, kind_of(row[n] for row in rows)) for n, name in enumerate(names)]
    return Table(columns, rows, total, cutter.has_cut)


def _fields(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, Mapping):
        return ((str(key), one) for key, one in value.items())
    if isinstance(value, list):
        return ((f"column {n + 1}", one) for n, one in enumerate(value))
    return ((_ALONE, value),)


def _value(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line.strip()
