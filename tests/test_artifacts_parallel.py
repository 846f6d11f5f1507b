"""Several files at once: all of them, the large ones alone and last, and an error ends it in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from mlcore.artifacts.parallel import each
from mlcore.errors import ArtifactWriteError
from mlcore.interfaces import HashedFile, SupportsFileTransfer
from mlcore.testing.memory_repo import MemoryRepo


class Quick(MemoryRepo):
    """Takes four small files at once; from ten bytes on a file is large."""

    parallel_files = 4
    large_file_bytes = 10

    def put_file(self, path: str, file: HashedFile, advance: Callable[[int], object]) -> None:
        raise NotImplementedError

    def get_file(self, path: str, local: str, advance: Callable[[int], object]) -> str | None:
        raise NotImplementedError


def test_small_files_go_side_by_side_and_large_ones_alone_at_the_end() -> None:
    running, most, lock = [0], [0], threading.Lock()
    alone: list[bool] = []

    def move(size: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
            if size >= 10:
                alone.append(running[0] == 1)
        time.sleep(0.01)
        with lock:
            running[0] -= 1
        return size

    sizes = [12, *range(9), 11]
    moved = list(each(Quick(), move, sizes, sizes))

    assert isinstance(Quick(), SupportsFileTransfer)
    assert sorted(moved) == sorted(sizes)
    assert moved[-2:] == [12, 11]
    assert alone == [True, True]
    assert 1 < most[0] <= 4


def test_after_an_error_nothing_new_begins_and_what_was_done_comes_out_first() -> None:
    begun: list[int] = []

    def move(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise ArtifactWriteError("the place is full")
        time.sleep(0.01)
        return number

    moved: list[int] = []
    with pytest.raises(ArtifactWriteError, match="the place is full"):
        moved.extend(each(Quick(), move, range(100), [1] * 100))

    assert sorted(moved) == [number for number in sorted(begun) if number != 3]
    assert len(begun) < 20
