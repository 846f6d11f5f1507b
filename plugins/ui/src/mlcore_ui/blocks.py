"""Blocks that plugins make in Python, as the page draws them."""

from __future__ import annotations

import base64
import math
import numbers
from collections.abc import Sequence

from mlcore.entities.ui_extension import Bar, Block, Html, Image, Line, Markdown, Table
from mlcore.errors import InvalidParameterError

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_MOST_BYTES = 8 * 2**20


def blocks_out(blocks: Sequence[Block]) -> list[dict[str, object]]:
    """Return blocks as plain JSON values. Raises InvalidParameterError: one is no block, or too large."""
    return [_out(block) for block in blocks]


def _out(block: Block) -> dict[str, object]:
    if isinstance(block, Markdown):
        return {"block": "markdown", "text": str(block.text)}
    if isinstance(block, Table):
        rows = [[_cell(cell) for cell in row] for row in block.rows]
        return {"block": "table", "title": str(block.title), "columns": list(map(str, block.columns)), "rows": rows}
    if isinstance(block, Line):
        return _line(block)
    if isinstance(block, Bar):
        values, labels = [_gap(value) for value in block.values], list(map(str, block.labels))
        if len(values) != len(labels):
            raise InvalidParameterError(f"invalid bars {block.title!r}: {len(labels)} labels and {len(values)} values")
        return {"block": "bar", "title": str(block.title), "labels": labels, "values": values}
    if isinstance(block, Image):
        return {"block": "image", "alt": str(block.alt), "src": _source(block)}
    if isinstance(block, Html):
        return {
            "block": "html",
            "title": str(block.title),
            "document": str(block.document),
            "height": int(block.height),
        }
    raise InvalidParameterError(f"{type(block).__name__} is no block: expected one of mlcore.entities.ui_extension")


def _line(block: Line) -> dict[str, object]:
    x = [_gap(value) for value in block.x]
    if None in x:
        at = x.index(None)
        raise InvalidParameterError(
            f"invalid line {block.title!r}: x[{at}] is {block.x[at]!r}, expected finite numbers"
        )
    series = {str(name): [_gap(value) for value in values] for name, values in block.series.items()}
    for name, values in series.items():
        if len(values) != len(x):
            raise InvalidParameterError(
                f"invalid line {block.title!r}: the series {name!r} has {len(values)} values, expected one for each of the {len(x)} x"
            )
    return {"block": "line", "title": str(block.title), "x": x, "x_label": str(block.x_label), "series": series}


def _source(block: Image) -> str:
    if block.media_type not in _IMAGES:
        raise InvalidParameterError(
            f"invalid media type {block.media_type!r} of an image: expected {', '.join(_IMAGES)}"
        )
    if len(block.content) > _MOST_BYTES:
        raise InvalidParameterError(f"an image of {len(block.content)} bytes is too large: at most {_MOST_BYTES}")
    return f"data:{block.media_type};base64,{base64.b64encode(block.content).decode()}"


def _gap(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _cell(value: object) -> str | float | int | bool | None:
    """Return what JSON knows: numbers of other libraries as numbers, everything else as its text."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(float(value))
    return str(value)
