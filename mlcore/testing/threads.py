"""Threads that start together, to race for something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from mlcore.errors import MlcoreError

T = TypeVar("T")


def race(count: int, work: Callable[[int], T]) -> list[T | MlcoreError]:
    """Call *work* in *count* threads at one moment; return results or errors, in order of the numbers given."""
    found: list[T | MlcoreError] = [MlcoreError("did not run")] * count
    start = threading.Barrier(count)

    def body(number: int) -> None:
        start.wait()
        try:
            found[number] = work(number)
        except MlcoreError as error:
            found[number] = error

    threads = [threading.Thread(target=body, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found
