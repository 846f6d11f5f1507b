"""Counts and latencies of a server, in the text format of Prometheus, for all of its processes together."""

from __future__ import annotations

import bisect
import itertools
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CLASSES = ("2xx", "4xx", "5xx")
_DOUBLE = 8
_PER_MODEL = len(_CLASSES) + len(BUCKETS_S) + 1 + 1  # counts, buckets with +Inf, seconds
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Numbers in memory that the processes of a server share: made before the fork, each process has a row of its own.

    A process that takes the place of one that died goes on with its row, so that no count ever falls.
    """

    content_type: str = _TYPE

    def __init__(self, models: Sequence[str], processes: int = 1) -> None:
        """Count for *models*, by their order, in up to *processes* processes at a time."""
        self._models = tuple(models)
        self._width = 1 + len(self._models) * _PER_MODEL  # the process's id comes first
        size = self._width * _DOUBLE * processes
        self._numbers = memoryview(mmap.mmap(-1, size)).cast("d")
        self._rows = processes
        self._lock: AbstractContextManager[object] = nullcontext()
        if processes > 1:
            import multiprocessing

            self._lock = multiprocessing.get_context("fork").Lock()
        self._pid = 0
        self._start = 0

    def observe(self, model: int, status: int, seconds: float) -> None:
        """Count one answer."""
        if self._pid != os.getpid():
            self._take_row()
        at = self._start + 1 + model * _PER_MODEL
        numbers = self._numbers
        numbers[at + (0 if status < 400 else 1 if status < 500 else 2)] += 1
        numbers[at + len(_CLASSES) + bisect.bisect_left(BUCKETS_S, seconds)] += 1
        numbers[at + _PER_MODEL - 1] += seconds

    def text(self) -> str:
        """Return all numbers, those of the other processes included."""
        return "\n".join(itertools.chain(self._counts(), self._latencies())) + "\n"

    def _counts(self) -> Iterator[str]:
        yield "# HELP mlcore_requests_total Scoring requests that were answered."
        yield "# TYPE mlcore_requests_total counter"
        for index, model in enumerate(self._models):
            totals = self._totals(index)
            for place, name in enumerate(_CLASSES):
                yield f'mlcore_requests_total{{model="{_escaped(model)}",status="{name}"}} {totals[place]:g}'

    def _latencies(self) -> Iterator[str]:
        yield "# HELP mlcore_request_seconds From the head of a request to its answer."
        yield "# TYPE mlcore_request_seconds histogram"
        for index, model in enumerate(self._models):
            totals = self._totals(index)
            label, so_far = f'model="{_escaped(model)}"', 0.0
            for bound, count in zip((*BUCKETS_S, "+Inf"), totals[len(_CLASSES) : -1], strict=True):
                so_far += count
                yield f'mlcore_request_seconds_bucket{{{label},le="{bound}"}} {so_far:g}'
            yield f"mlcore_request_seconds_sum{{{label}}} {totals[-1]!r}"
            yield f"mlcore_request_seconds_count{{{label}}} {so_far:g}"

    def _totals(self, model: int) -> list[float]:
        begins = (1 + row * self._width + model * _PER_MODEL for row in range(self._rows))
        rows = [self._numbers[begin : begin + _PER_MODEL] for begin in begins]
        return [sum(column) for column in zip(*rows, strict=True)]

    def _take_row(self) -> None:
        pid = os.getpid()
        if self._rows > 1:
            with self._lock:
                self._start = self._width * self._free_row()
                self._numbers[self._start] = pid
        self._pid = pid

    def _free_row(self) -> int:
        for row in range(self._rows):
            owner = int(self._numbers[row * self._width])
            if owner == 0 or not _is_alive(owner):
                return row
        return 0  # more processes than rows: two count in one, which may lose a count but no meaning


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
