"""Tables: aligned, coloured and cut to the terminal for people; tab-separated, whole and exact in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

from attrs import frozen

from mlcore.cli import values
from mlcore.cli.terminal import Terminal, cells, cut, pad, visible

Kind = Literal["text", "id", "number", "aligned", "time", "span", "size", "status"]

_GAP = "  "
_LEAST = 8  # a column is not cut below this
_RIGHT: frozenset[Kind] = frozenset(("number", "aligned", "span", "size"))
_SHORT_ID = 8
_ELASTIC: frozenset[Kind] = frozenset(("text", "aligned"))
_SHORT: Mapping[Kind, Callable[..., str]] = {
    "number": values.number,
    "time": values.ago,
    "span": values.span,
    "size": values.size,
    "id": lambda value: str(value)[:_SHORT_ID],
}
_STATUS = {
    "FINISHED": "green",
    "RUNNING": "cyan",
    "SCHEDULED": "blue",
    "FAILED": "red",
    "KILLED": "yellow",
    "LOST": "magenta",
    "READY": "green",
    "active": "green",
    "deleted": "yellow",
    "ok": "green",
    "enabled": "green",
    "off": "yellow",
    "disabled": "yellow",
    "warning": "yellow",
    "failed": "red",
    "broken": "red",
}


@frozen
class Column:
    """One column.

    name: the header in a pipe, stable for programs.
    kind: how its values are written; `aligned` is text at the right edge.
    title: the header in a terminal; the name when empty.
    whole: never cut in a terminal.
    """

    name: str
    kind: Kind = "text"
    title: str = ""
    whole: bool = False


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    terminal: Terminal,
    *,
    is_faint: Callable[[Sequence[object]], bool] = lambda _: False,
) -> Iterator[str]:
    """Return the lines of a table, header first.

    rows: as many values as there are columns; None is an empty cell. Times are ms since the epoch, spans ms, sizes bytes.
    is_faint: tells which rows are dim in a colour terminal.
    """
    if not terminal.is_tty:
        yield "\t".join(visible(c.name) for c in columns)
        for row in rows:
            yield "\t".join(_exact(c, value) for c, value in zip(columns, row, strict=True))
        return
    given = list(rows)
    shown = [[_short(c, value) for c, value in zip(columns, row, strict=True)] for row in given]
    titles = [visible(c.title or c.name) for c in columns]
    natural = [max([cells(title), *(cells(row[i]) for row in shown)]) for i, title in enumerate(titles)]
    least = [n if c.whole or c.kind not in _ELASTIC else min(n, _LEAST) for c, n in zip(columns, natural, strict=True)]
    widths = fit(natural, least, terminal.width)
    yield _line(columns, titles, widths, lambda _, text: terminal.style(text, bold=True))
    for row, texts in zip(given, shown, strict=True):
        if is_faint(row):
            yield terminal.style(_line(columns, texts, widths, lambda _, text: text), dim=True)
        else:
            yield _line(columns, texts, widths, lambda column, text: _styled(column, text, terminal))
    if len(widths) < len(columns):
        hidden = ", ".join(c.name for c in columns[len(widths) :])
        yield terminal.style(cut(f"not shown: {hidden}", terminal.width), dim=True)


def fields(pairs: Iterable[tuple[str, object, Kind]], terminal: Terminal) -> Iterator[str]:
    """Return lines of one name and value each; tab-separated in a pipe. Empty values are left out."""
    present = [(name, value, kind) for name, value, kind in pairs if value not in (None, "")]
    if not terminal.is_tty:
        yield from (f"{visible(name)}\t{_exact(Column(name, kind), value)}" for name, value, kind in present)
        return
    width = max((cells(visible(name)) for name, _, _ in present), default=0)
    for name, value, kind in present:
        # an id stands alone here and is meant to be copied: whole
        column = Column(name, "text" if kind == "id" else kind)
        text = _styled(column, _short(column, value), terminal)
        yield f"{terminal.style(pad(visible(name), width), dim=True)}{_GAP}{text}"


def fit(natural: Sequence[int], least: Sequence[int], width: int) -> list[int]:
    """Return column widths that fit into *width*: the widest columns give first, then the last ones drop out."""
    count = len(natural)
    while count > 1 and sum(least[:count]) + len(_GAP) * (count - 1) > width:
        count -= 1
    widths = list(natural[:count])
    room = width - len(_GAP) * (count - 1)
    while sum(widths) > room:
        able = [i for i in range(count) if widths[i] > least[i]]
        if not able:
            break
        widest = max(able, key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _line(
    columns: Sequence[Column], texts: Sequence[str], widths: Sequence[int], style: Callable[[Column, str], str]
) -> str:
    parts = []
    for i, (column, text, width) in enumerate(zip(columns, texts, widths, strict=False)):
        shown = cut(text, width)
        right = column.kind in _RIGHT
        fill = "" if i == len(widths) - 1 and not right else " " * (width - cells(shown))
        parts.append(fill + style(column, shown) if right else style(column, shown) + fill)
    return _GAP.join(parts)


def _short(column: Column, value: object) -> str:
    if value is None:
        return ""
    write = _SHORT.get(column.kind)
    return visible(write(value) if write and not isinstance(value, str) else _text(column, value))


def _text(column: Column, value: object) -> str:
    return str(value)[:_SHORT_ID] if column.kind == "id" else str(value)


def _exact(column: Column, value: object) -> str:
    if column.kind == "time" and isinstance(value, int):
        return values.iso(value)
    return visible(values.exact(value))


def _styled(column: Column, text: str, terminal: Terminal) -> str:
    if column.kind == "status":
        return terminal.style(text, fg=_STATUS.get(text))
    if column.kind == "id":
        return terminal.style(text, fg="yellow")
    if column.kind in ("time", "span"):
        return terminal.style(text, dim=True)
    return text
