"""Page tokens: base64 of the JSON object `{"offset": N}`, as in the MLflow protocol."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TypeVar

from mlcore.entities import Page
from mlcore.errors import InvalidParameterError

T = TypeVar("T")


def offset(token: str | None) -> int:
    """Return how many results come before the page; 0 without a token.

    Raises InvalidParameterError: not a token of this store.
    """
    if not token:
        return 0
    try:
        found = json.loads(base64.b64decode(token, validate=True))["offset"]
    except (ValueError, TypeError, LookupError) as error:
        raise _invalid(token) from error
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 2**62:
        raise _invalid(token)
    return found


def page(found: Sequence[T], skipped: int, most: int) -> Page[T]:
    """Make a page of at most *most* results; *found* has one more when another page follows."""
    if len(found) <= most:
        return Page(tuple(found))
    token = base64.b64encode(json.dumps({"offset": skipped + most}).encode()).decode()
    return Page(tuple(found[:most]), token)


def _invalid(token: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"invalid page token {token[:80]!r}: expected the token that came with the page before, unchanged"
    )
