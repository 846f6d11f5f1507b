"""Threads that start together, to race for something."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlcore.errors import MlcoreError

T = TypeVar("T")
_TURN_S = 1e-6
_PATIENCE_S = 60


def race(count: int, work: Callable[[int], T]) -> list[T | MlcoreError]:
    """Call *work* in *count* threads at one moment; return results or errors, in order of the numbers given.

    They take turns as often as the interpreter can, so that a step which is not one shows.
    """
    found: list[T | MlcoreError] = [MlcoreError("did not run")] * count
    start = threading.Barrier(count)

    def body(number: int) -> None:
        start.wait()
        try:
            found[number] = work(number)
        except MlcoreError as error:
            found[number] = error

    threads = [threading.Thread(target=body, args=(number,), daemon=True) for number in range(count)]
    with taking_turns():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_PATIENCE_S)
    return found


@contextmanager
def taking_turns() -> Iterator[None]:
    """Let threads take turns as often as the interpreter can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
