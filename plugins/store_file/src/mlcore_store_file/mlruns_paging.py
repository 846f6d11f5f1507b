"""Pages of lists, with tokens that say where the next one begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TypeVar

from mlcore.entities import Page
from mlcore.errors import InvalidParameterError

T = TypeVar("T")


def page_of(found: Sequence[T], max_results: int, page_token: str | None) -> Page[T]:
    """Cut the page that *page_token* asks for. Raises InvalidParameterError: not a token of this module."""
    start = _offset(page_token)
    end = start + max_results
    token = base64.b64encode(json.dumps({"offset": end}).encode()).decode() if end < len(found) else None
    return Page(tuple(found[start:end]), token)


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        offset = json.loads(base64.b64decode(token, validate=True))["offset"]
    except (ValueError, TypeError, LookupError):
        offset = -1
    if type(offset) is not int or offset < 0:
        raise InvalidParameterError(f"invalid page token {token[:80]!r}: expected the token of the page before")
    return offset
