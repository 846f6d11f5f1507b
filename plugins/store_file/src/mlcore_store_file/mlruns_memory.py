"""What was made of files, remembered until one of them changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from attrs import frozen

from mlcore_store_file.mlruns_tree import FoundFile

T = TypeVar("T")
_SETTLED_NS = 1_000_000_000  # a file may change twice in one tick of the clock that stamps it


@frozen
class _Known(Generic[T]):
    """A value; marks: of all its files, as one number. settled: whether equal marks mean equal files."""

    marks: int
    settled: bool
    value: T


class Memory(Generic[T]):
    """Values by folder; used by several threads at once."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: dict[str, _Known[T]] = {}

    def get(self, folder: str, files: Sequence[FoundFile], make: Callable[[], T], *more: object) -> T:
        """Return what *make* makes of the files, or made of them when they were as they are.

        more: what the value depends on besides the files.
        """
        marks = hash((more, *files))
        known = self._known.get(folder)
        if known is not None and known.settled and known.marks == marks:
            return known.value
        began = time.time_ns()
        value = make()
        newest = max((file.mark[2] for file in files), default=0)
        self._known[folder] = _Known(marks, newest < began - _SETTLED_NS, value)
        return value
