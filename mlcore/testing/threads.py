"""Threads that start together, to race for something, and that are interrupted where it hurts."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from mlcore.errors import MlcoreError

T = TypeVar("T")
_PATIENCE_S = 60
_PAUSES = 0.05  # share of the lines after which a thread lets others go on
_PAUSE_S = 1e-6


def race(count: int, work: Callable[[int], T]) -> list[T | MlcoreError]:
    """Call *work* in *count* threads at one moment; return results or errors, in order of the numbers given.

    They are interrupted between lines now and then, so that steps which are not one, show. What is no error of mlcore
    is raised.
    """
    start = threading.Barrier(count)

    def body(number: int) -> T | MlcoreError:
        start.wait()
        try:
            with interrupted(number):
                return work(number)
        except MlcoreError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return [each.result(_PATIENCE_S) for each in [pool.submit(body, number) for number in range(count)]]


@contextmanager
def interrupted(seed: int) -> Iterator[None]:
    """Pause this thread between lines of Python, at random; the same lines for the same seed."""
    before = sys.gettrace()
    if before is not None:  # a debugger, or a measurement of coverage, goes first
        yield
        return
    chance = random.Random(seed)  # noqa: S311  # no secret

    def pause(frame: FrameType, event: str, _: object) -> Any:  # Any: it returns itself, which no type can say
        del frame
        if event == "line" and chance.random() < _PAUSES:
            time.sleep(_PAUSE_S)
        return pause

    sys.settrace(pause)
    try:
        yield
    finally:
        sys.settrace(None)
