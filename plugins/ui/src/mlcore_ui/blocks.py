"""Blocks that plugins make in Python, as the page draws them."""

from __future__ import annotations

import base64
import math
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
        return {"block": "markdown", "text": block.text}
    if isinstance(block, Table):
        rows = [[_number(cell) if isinstance(cell, float) else cell for cell in row] for row in block.rows]
        return {"block": "table", "title": block.title, "columns": list(block.columns), "rows": rows}
    if isinstance(block, Line):
        series = {name: [_gap(value) for value in values] for name, values in block.series.items()}
        return {"block": "line", "title": block.title, "x": list(block.x), "x_label": block.x_label, "series": series}
    if isinstance(block, Bar):
        values = [_gap(value) for value in block.values]
        return {"block": "bar", "title": block.title, "labels": list(block.labels), "values": values}
    if isinstance(block, Image):
        return {"block": "image", "alt": block.alt, "src": _source(block)}
    if isinstance(block, Html):
        return {"block": "html", "title": block.title, "document": block.document, "height": block.height}
    raise InvalidParameterError(f"{type(block).__name__} is no block: expected one of mlcore.entities.ui_extension")


def _source(block: Image) -> str:
    if block.media_type not in _IMAGES:
        raise InvalidParameterError(
            f"invalid media type {block.media_type!r} of an image: expected {', '.join(_IMAGES)}"
        )
    if len(block.content) > _MOST_BYTES:
        raise InvalidParameterError(f"an image of {len(block.content)} bytes is too large: at most {_MOST_BYTES}")
    return f"data:{block.media_type};base64,{base64.b64encode(block.content).decode()}"


def _gap(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
