"""Pages of results, with tokens that say where the next one begins."""

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
    start = offset_of(page_token)
    end = start + max_results
    return Page(tuple(found[start:end]), token_for(end) if end < len(found) else None)


def token_for(offset: int) -> str:
    """Return the token of the page that begins at *offset*."""
    return base64.b64encode(json.dumps({"offset": offset}).encode()).decode()


def offset_of(token: str | None) -> int:
    """Return where the page of *token* begins. Raises InvalidParameterError: not a token of this module."""
    if token is None:
        return 0
    try:
        offset = json.loads(base64.b64decode(token, validate=True))["offset"]
    except (ValueError, TypeError, LookupError):
        offset = -1
    if not isinstance(offset, int) or offset < 0:
        raise InvalidParameterError(f"invalid page token {token!r}: expected the token of the page before, unchanged")
    return offset
