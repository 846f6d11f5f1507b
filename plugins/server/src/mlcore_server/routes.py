"""From paths to endpoints: one look-up for most requests, patterns for the few paths with names in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar
from urllib.parse import unquote

from attrs import frozen

from mlcore.errors import EndpointNotFoundError, MlcoreError

T = TypeVar("T")

_NAME = re.compile(r"\{(\w+)(:path)?\}")


class MethodNotAllowedError(MlcoreError):
    """The path is known, but not with this method."""

    code = "ENDPOINT_NOT_FOUND"
    status = 405


@frozen
class Match:
    """What a path led to, and the names in it."""

    target: object
    fields: Mapping[str, str]


class RouteTable:
    """All routes of the server; a path belongs to one target per method."""

    def __init__(self) -> None:
        """Start empty."""
        self._exact: dict[str, dict[str, object]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, object]]] = []
        self._known: dict[str, dict[str, object]] = {}

    def add(self, method: str, path: str, target: object) -> None:
        """Add a route. Raises ValueError: there is one for the method already."""
        methods = self._known.setdefault(path, {})
        if method in methods:
            raise ValueError(f"two routes for {method} {path}")
        if not methods and "{" not in path:
            self._exact[path] = methods
        elif not methods:
            pattern = _NAME.sub(lambda found: f"(?P<{found[1]}>{'.*' if found[2] else '[^/]+'})", path)
            self._patterns.append((re.compile(pattern + r"\Z", re.DOTALL), methods))
        methods[method] = target

    def find(self, method: str, path: str) -> Match:
        """Return where a request goes; HEAD goes where GET does.

        path: as sent, still percent-encoded; names in it are decoded once.
        Raises EndpointNotFoundError: no such path. MethodNotAllowedError: not with this method.
        """
        asked = "GET" if method == "HEAD" else method
        methods = self._exact.get(path)
        if methods is not None:
            return Match(_of_method(methods, asked, path), {})
        for pattern, named in self._patterns:
            found = pattern.match(path)
            if found is not None and asked in named:
                return Match(named[asked], {name: unquote(text) for name, text in found.groupdict().items()})
        if any(pattern.match(path) for pattern, _ in self._patterns):
            raise MethodNotAllowedError(f"{method} is not a method of {path[:200]!r}")
        raise EndpointNotFoundError(f"no endpoint at {path[:200]!r}")

    def all(self) -> Iterable[tuple[str, str, object]]:
        """Yield method, path and target of every route."""
        for path, methods in self._known.items():
            for method, target in methods.items():
                yield method, path, target


def _of_method(methods: Mapping[str, T], method: str, path: str) -> T:
    if method not in methods:
        raise MethodNotAllowedError(f"{method} is not a method of {path[:200]!r}; it has {', '.join(sorted(methods))}")
    return methods[method]
