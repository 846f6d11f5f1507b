"""Reading what comes from JSON and YAML: values that may be missing or of another type."""

from __future__ import annotations

from collections.abc import Mapping


def table(value: object, *path: str) -> Mapping[str, object]:
    """Return the mapping at *path* of a document; an empty one where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def rows(value: object, *path: str) -> list[Mapping[str, object]]:
    """Return the mappings in the list at *path*; none where there is no list."""
    found = table(value, *path[:-1]).get(path[-1]) if path else value
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def text(value: object, *path: str) -> str:
    """Return the text at *path*; an empty one where there is none."""
    found = table(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, str) else ""


def number(value: object, *path: str) -> int:
    """Return the whole number at *path*; 0 where there is none."""
    found = table(value, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) else 0
