"""The texts that installed distributions bring along: entry points and headers, read straight from their folders.

With hundreds of distributions the general readers cost more than everything else that a short command does. They are
used where a distribution is in no folder: in a zip file, or where somebody's own finder knows it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

_POINTS = "entry_points.txt"
_HEADERS = ("METADATA", "PKG-INFO")
_KINDS = (".dist-info", ".egg-info")
_STANDARD = ("_frozen_importlib_external", "importlib.metadata", "importlib_metadata")
_AT_MOST_BYTES = 1 << 20  # the header comes first; what follows is a page of prose
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)


def installed(marker: str) -> Iterator[tuple[str, str]]:
    """Yield entry points and header of the distributions whose entry points have *marker* in them.

    In the order of `sys.path`, so that the first of two with one name is the one that is imported.
    """
    for place in sys.path:
        folder = place or os.curdir
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208  # this is the point where a millisecond counts
        except NotADirectoryError:  # a zip file
            yield from _by_finders(marker, [place])
            continue
        except OSError:  # nothing, as where Python looks for its own library in a zip file
            continue
        inside = [f"{folder}/{name}" for name in names if name.endswith(_KINDS)]
        if folder.endswith(".egg") and "EGG-INFO" in names:
            inside.append(f"{folder}/EGG-INFO")
        for path in inside:
            points = _read(f"{path}/{_POINTS}")
            if marker in points:
                yield points, next(filter(None, (_read(f"{path}/{name}") for name in _HEADERS)), "")
    if any(hasattr(f, "find_distributions") and _module(f) not in _STANDARD for f in sys.meta_path):
        yield from _by_finders(marker)


def _read(path: str) -> str:
    try:
        file = os.open(path, _FLAGS)
    except OSError:
        return ""
    try:
        return os.read(file, _AT_MOST_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""
    finally:
        os.close(file)


def _by_finders(marker: str, path: Sequence[str] | None = None) -> Iterator[tuple[str, str]]:
    import importlib_metadata

    for dist in importlib_metadata.distributions(**({} if path is None else {"path": list(path)})):
        points = dist.read_text(_POINTS) or ""
        if marker in points:
            yield points, next(filter(None, (dist.read_text(name) for name in _HEADERS)), "")


def _module(finder: object) -> str:
    return str(getattr(finder, "__module__", type(finder).__module__))
