"""Pages of search results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """Some of the answers, in order.

    next_token: opaque; pass it on to get the following page; None on the last one.
    """

    items: tuple[T, ...]
    next_token: str | None = None


class PagedList(list[T]):
    """A list of results with MLflow's `token` attribute: what to pass on for the next page, or None."""

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        """Hold *items* and the *token* of the page after them."""
        super().__init__(items)
        self.token = token
