"""Curves as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from mlcore.entities import Series

_WIDTH, _HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 10, 26
# told apart on white and on black, and by people who do not see red or green
COLORS = ("#2f6fde", "#d9730d", "#0b8a5f", "#c2308f", "#7a4be0", "#0d8aa8", "#b08600", "#d13438", "#4f7d12", "#5b6475")


def colors_of(run_ids: Iterable[str]) -> dict[str, str]:
    """Return the colours that the pages give to runs which they meet in this order.

    By the id, unless runs before have that colour and another one is less used; as `lib/colors.js` does it.
    """
    uses = [0] * len(COLORS)
    found: dict[str, str] = {}
    for run_id in dict.fromkeys(run_ids):
        at = _hashed(run_id) % len(COLORS)
        while uses[at] > min(uses):
            at = (at + 1) % len(COLORS)
        uses[at] += 1
        found[run_id] = COLORS[at]
    return found


def _hashed(text: str) -> int:
    """Return the hash of the pages: 32 bits with a sign, of which the sign is dropped."""
    value = 0
    for char in text:
        value = (value * 31 + ord(char)) & 0xFFFFFFFF
    return abs(value - (1 << 32) if value >= 1 << 31 else value)


def number(value: float) -> str:
    """Return a number in at most four digits, as it is read by people."""
    return f"{value:.4g}"


def chart(key: str, curves: Sequence[Series], colors: Mapping[str, str]) -> str:
    """Return the chart of one metric as a figure.

    curves: by run, at least one; values that are no numbers leave a gap. colors: by run id.
    """
    values = [p.value for one in curves for p in one.points if math.isfinite(p.value)]
    steps = [p.step for one in curves for p in one.points]
    low, high = _spread(values or [0.0])
    first, last = _spread([float(step) for step in steps])
    scale = _Scale(first, last, low, high)
    paths = "".join(
        f'<path data-run="{escape(one.run_id)}" stroke="{colors[one.run_id]}" d="{" ".join(_path(one, scale))}"/>'
        for one in curves
    )
    lines = "".join(
        f'<line class="gridline" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
        for value in (low, (low + high) / 2, high)
        for y in (scale.y(value),)
    )
    bottom = _HEIGHT - 8
    return (
        f'<figure><figcaption>{escape(key)}</figcaption><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(key)} of {len(curves)} {"run" if len(curves) == 1 else "runs"}, from {number(low)} to '
        f'{number(high)}">{lines}<text x="{_LEFT}" y="{bottom}">{number(first)}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{bottom}" text-anchor="end">{number(last)}</text>'
        f'<text x="{(_LEFT + _WIDTH) // 2}" y="{bottom}" text-anchor="middle">step</text>{paths}</svg></figure>'
    )


class _Scale:
    def __init__(self, first: float, last: float, low: float, high: float) -> None:
        self._first, self._span = first, last - first
        self._high, self._range = high, high - low

    def x(self, step: float) -> float:
        return _LEFT + (step - self._first) / self._span * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return _TOP + (self._high - value) / self._range * (_HEIGHT - _TOP - _BOTTOM)


def _path(curve: Series, scale: _Scale) -> Iterator[str]:
    drawing = False
    for index, point in enumerate(curve.points):
        if not math.isfinite(point.value):
            drawing = False
            continue
        x, y = scale.x(point.step), scale.y(point.value)
        yield f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}"
        following = curve.points[index + 1] if index + 1 < len(curve.points) else None
        if not drawing and (following is None or not math.isfinite(following.value)):
            yield "h.01"  # one point alone is a dot
        drawing = True


def _spread(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low - 0.5, high + 0.5) if low == high else (low, high)
