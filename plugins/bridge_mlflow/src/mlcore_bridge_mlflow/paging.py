"""Pages of what was fetched as a whole, and tokens that wrap MLflow's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TypeVar

from mlcore.entities import Page
from mlcore.errors import InvalidParameterError

T = TypeVar("T")


def page_of(found: Sequence[T], max_results: int, token: str | None) -> Page[T]:
    """Cut the page that *token* asks for. Raises InvalidParameterError: it is no token of such pages."""
    start = _opened(token, "offset", int) if token else 0
    if start < 0:
        raise _invalid(token)
    end = start + max_results
    return Page(tuple(found[start:end]), _sealed({"offset": end}) if end < len(found) else None)


def wrapped(theirs: object) -> str | None:
    """Return a token of ours for one of MLflow's; None for the end."""
    text = theirs.decode() if isinstance(theirs, bytes) else str(theirs or "")  # of some stores it is bytes
    return _sealed({"theirs": text}) if text else None


def unwrapped(token: str | None) -> str | None:
    """Return MLflow's token in one of ours. Raises InvalidParameterError: there is none in it."""
    return _opened(token, "theirs", str) if token else None


def _sealed(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _opened(token: str | None, key: str, kind: type[T]) -> T:
    try:
        found = json.loads(base64.b64decode(token or "", altchars=b"-_", validate=True))[key]
    except (ValueError, TypeError, LookupError):
        found = None
    if not isinstance(found, kind):
        raise _invalid(token)
    return found


def _invalid(token: str | None) -> InvalidParameterError:
    return InvalidParameterError(f"invalid page token {token!r}: expected the token of the page before, unchanged")
