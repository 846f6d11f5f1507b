"""Curves in a terminal, drawn with braille dots: two by four in each character cell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from attrs import frozen

from mlcore.cli import values
from mlcore.cli.terminal import Terminal, cells, cut, pad, visible

COLORS = ("cyan", "magenta", "yellow", "green", "blue", "red")
_MARKS = "o+x*#@"  # tell curves apart where there is no colour
_BRAILLE = 0x2800
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # [column][row] of a cell
_SPARKS = "▁▂▃▄▅▆▇█"
_LEAST_WIDTH = 20
_TOP_DECADE = 308  # of a float


@frozen
class Curve:
    """A line to draw; points with a NaN or infinite value leave a gap.

    x, y: of the same length, in the order of drawing.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]


@frozen
class Frame:
    """How to draw.

    width, height: of the whole picture, in character cells, axes and labels included.
    log: decades on the y axis; values <= 0 leave a gap.
    """

    width: int = 80
    height: int = 16
    log: bool = False
    x_label: str = "step"


@frozen
class _Scale:
    low: float
    high: float
    dots: int

    def dot(self, value: float) -> int:
        # halves, because the difference of two floats may be too great for a float
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return round(share * (self.dots - 1))


def plot(curves: Sequence[Curve], frame: Frame, terminal: Terminal) -> Iterator[str]:
    """Return the lines of a picture of *curves*: the legend, the curves with y labels, the x axis."""
    kept = [_points(curve, log=frame.log) for curve in curves]
    points = [p for line in kept for p in line if p]
    yield from _legend(curves, frame, terminal)
    if not points:
        yield "no finite values to draw"
        return
    rows = max(3, frame.height - 3)
    low, high = _widened(min(p[1] for p in points), max(p[1] for p in points))
    labels = _labels(low, high, rows, log=frame.log)
    margin = max(map(len, labels.values()))
    columns = max(_LEAST_WIDTH, frame.width - margin - 3)
    x_low, x_high = _widened(min(p[0] for p in points), max(p[0] for p in points))
    canvas = _Canvas(columns, rows)
    for index, line in enumerate(kept):
        canvas.draw(line, _Scale(x_low, x_high, columns * 2), _Scale(low, high, rows * 4), index)
    for row in range(rows):
        label = labels.get(row, "")
        edge = "┤" if row in labels else "│"
        yield f"{terminal.style(f'{label:>{margin}} {edge}', dim=True)}{canvas.row(row, terminal, len(curves))}"
    yield terminal.style(" " * margin + " └" + "─" * columns, dim=True)
    yield _x_axis(x_low, x_high, margin + 2, columns, frame.x_label, terminal)


def spark(y: Sequence[float], width: int = 16) -> str:
    """Return a curve in one line of block characters; each is the mean of its share of the points."""
    # scaled down: neither sums nor differences of the greatest floats may overflow
    finite = [v * 2.0**-10 for v in y if math.isfinite(v)]
    if len(finite) < 2:
        return ""
    count = min(width, len(finite))
    bounds = [i * len(finite) // count for i in range(count + 1)]
    means = [sum(finite[a:b]) / (b - a) for a, b in itertools.pairwise(bounds)]
    low, high = min(means), max(means)
    if not high > low:
        return _SPARKS[0] * count
    top = len(_SPARKS) - 1
    return "".join(_SPARKS[round((mean - low) / (high - low) * top)] for mean in means)


class _Canvas:
    def __init__(self, columns: int, rows: int) -> None:
        self._dots = [[0] * columns for _ in range(rows)]
        self._owner = [[0] * columns for _ in range(rows)]
        self._height = rows * 4

    def draw(self, line: Sequence[tuple[float, float] | None], xs: _Scale, ys: _Scale, owner: int) -> None:
        before: tuple[int, int] | None = None
        for point in line:
            if point is None:
                before = None
                continue
            here = (xs.dot(point[0]), ys.dot(point[1]))
            for x, y in _segment(before or here, here):
                self._set(x, self._height - 1 - y, owner)
            before = here

    def row(self, row: int, terminal: Terminal, curves: int) -> str:
        drawn = list(zip(self._dots[row], self._owner[row], strict=True))
        if not terminal.color and curves > 1:
            return "".join(_MARKS[owner % len(_MARKS)] if dots else " " for dots, owner in drawn).rstrip()
        parts = []
        # neighbours of one curve share a colour code
        for owner, group in itertools.groupby(drawn, key=lambda cell: cell[1] if cell[0] else None):
            text = "".join(chr(_BRAILLE + dots) if dots else " " for dots, _ in group)
            parts.append(text if owner is None else terminal.style(text, fg=COLORS[owner % len(COLORS)]))
        return "".join(parts).rstrip()

    def _set(self, x: int, y: int, owner: int) -> None:
        self._dots[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
        self._owner[y // 4][x // 2] = owner


def _points(curve: Curve, *, log: bool) -> list[tuple[float, float] | None]:
    found: list[tuple[float, float] | None] = []
    for x, y in zip(curve.x, curve.y, strict=True):
        usable = math.isfinite(x) and math.isfinite(y) and (y > 0 or not log)
        found.append((float(x), math.log10(y) if log else float(y)) if usable else None)
    return found


def _segment(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    (x0, y0), (x1, y1) = start, end
    count = max(abs(x1 - x0), abs(y1 - y0), 1)
    for i in range(count + 1):
        yield round(x0 + (x1 - x0) * i / count), round(y0 + (y1 - y0) * i / count)


def _widened(low: float, high: float) -> tuple[float, float]:
    if high / 2 > low / 2:
        return low, high
    half = abs(low) / 2 or 0.5
    return low - half, high + half


def _labels(low: float, high: float, rows: int, *, log: bool) -> dict[int, str]:
    count = min(5, max(2, rows // 3))
    found = {}
    for i in range(count):
        row = round(i * (rows - 1) / (count - 1))
        share = row / (rows - 1)
        value = high * (1 - share) + low * share
        found[row] = f"{10 ** min(value, _TOP_DECADE) if log else value:.4g}"
    return found


def _legend(curves: Sequence[Curve], frame: Frame, terminal: Terminal) -> Iterator[str]:
    for index, curve in enumerate(curves):
        mark = "━━" if terminal.color or len(curves) == 1 else _MARKS[index % len(_MARKS)] * 2
        finite = [v for v in curve.y if math.isfinite(v)]
        told = (
            f"  min {values.number(min(finite))}  max {values.number(max(finite))}" if finite else "  no finite values"
        )
        last = f"  last {values.number(curve.y[-1])}" if len(curve.y) else ""
        room = max(8, frame.width - len(told) - len(last) - 3)
        label = cut(visible(curve.label), room)
        yield (
            terminal.style(mark, fg=COLORS[index % len(COLORS)])
            + " "
            + terminal.style(label, bold=True)
            + terminal.style(told + last, dim=True)
        )


def _x_axis(low: float, high: float, margin: int, columns: int, name: str, terminal: Terminal) -> str:
    left, right = values.number(low), values.number(high)
    middle = cut(name, max(1, columns - len(left) - len(right) - 2))
    room = columns - len(left) - len(right)
    text = left + pad(" " * ((room - cells(middle)) // 2) + middle, room) + right
    return terminal.style(" " * margin + text, dim=True)
