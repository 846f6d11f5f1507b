"""Pages of what is left of the server's pages after the client has looked at them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

from mlcore.entities import Page
from mlcore.errors import InvalidParameterError

T = TypeVar("T")
Fetch = Callable[[str | None], Page[T]]


def sifted(fetch: Fetch[T], keep: Callable[[T], bool], max_results: int, token: str | None) -> Page[T]:
    """Return a page of those items of the server's pages that *keep* wants.

    It looks on until it has found one item more than the page takes, so the last page is known as the last one.
    """
    where, skip = _place(token)
    found: list[T] = []
    while True:
        page = fetch(where)
        for index, item in enumerate(page.items):
            if index < skip or not keep(item):
                continue
            if len(found) == max_results:
                return Page(tuple(found), _token(where, index))
            found.append(item)
        if page.next_token is None:
            return Page(tuple(found), None)
        where, skip = page.next_token, 0


def cut(items: Sequence[T], max_results: int, token: str | None) -> Page[T]:
    """Return a page of *items*, which are all there are."""
    _, start = _place(token)
    end = start + max_results
    return Page(tuple(items[start:end]), _token(None, end) if end < len(items) else None)


def everything(fetch: Fetch[T]) -> list[T]:
    """Return the items of all pages."""
    found: list[T] = []
    token: str | None = None
    while True:
        page = fetch(token)
        found += page.items
        token = page.next_token
        if token is None:
            return found


def _token(where: str | None, skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"page": where, "skip": skip}).encode()).decode("ascii")


def _place(token: str | None) -> tuple[str | None, int]:
    if not token:
        return None, 0
    try:
        values = json.loads(base64.urlsafe_b64decode(token.encode()))
        where, skip = values["page"], values["skip"]
    except (ValueError, KeyError, TypeError):
        where, skip = None, -1
    if not isinstance(skip, int) or skip < 0 or not isinstance(where, str | None):
        raise InvalidParameterError(f"invalid page token {token[:80]!r}: expected the one of the page before")
    return where, skip
