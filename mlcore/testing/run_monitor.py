"""The contract suite of plugins that watch runs.

To use it, inherit in a test module and give a fixture `run_monitor`, the hook's implementation:

    class TestMyMonitor(RunMonitorContract):
        plugin_module = "mlcore_my_monitor.plugin"

        @pytest.fixture
        def run_monitor(self) -> RunMonitor:
            return my_plugin.run_monitor

A plugin for special hardware gives a fixture that imitates it: where the hook answers None there is nothing to prove.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlcore.hookspecs import WatchedRun
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.wire import limits

RunMonitor = Callable[[WatchedRun], Callable[[], None] | None]

_OFTEN_S = 0.02
_HOUR_S = 3600.0
# What a run waits for at its start, the first time with the import of a library, and at its end; twice what is
# promised, since a busy machine counts, too.
_FIRST_S, _START_S, _END_S = 10.0, 2.0, 2.0
_PATIENCE_S = 30.0


class Recorded:
    """What a monitor logs, instead of a run."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.points: list[tuple[Mapping[str, float], int]] = []
        self.hangs: threading.Event | None = None

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Take values, as the kernel does; hang until `hangs` is set, if there is one."""
        self.points.append((values, step))
        if self.hangs is not None:
            self.hangs.wait(_PATIENCE_S)

    def watched(self, *, first_step: int = 0, every_s: float = _OFTEN_S, samples: int = 1) -> WatchedRun:
        """Return what the kernel gives a monitor."""
        return WatchedRun(os.urandom(16).hex(), self.log, first_step, every_s, samples)

    def wait_for(self, count: int) -> None:
        """Return when so many points are there."""
        until = time.monotonic() + _PATIENCE_S
        while len(self.points) < count:
            assert time.monotonic() < until, f"{len(self.points)} points in {_PATIENCE_S:.0f} s, expected {count}"
            time.sleep(_OFTEN_S / 4)


class RunMonitorContract(PluginModuleContract):
    """Everything that the kernel relies on when a run is watched."""

    def test_it_logs_as_long_as_the_run_goes_on(self, run_monitor: RunMonitor) -> None:
        seen = Recorded()

        with _watching(run_monitor, seen.watched()):
            seen.wait_for(3)

    def test_metrics_are_finite_numbers_with_names_within_the_limits(self, run_monitor: RunMonitor) -> None:
        seen = Recorded()

        with _watching(run_monitor, seen.watched()):
            seen.wait_for(3)

        for values, step in seen.points:
            assert values, "nothing was logged at all"
            for key, value in values.items():
                assert limits.metric(key, value, 0, step).key == key
                assert math.isfinite(value), f"metric {key!r} is {value!r}"

    def test_steps_begin_where_they_shall_and_count_on(self, run_monitor: RunMonitor) -> None:
        seen = Recorded()

        with _watching(run_monitor, seen.watched(first_step=7)):
            seen.wait_for(4)

        steps = sorted({step for _, step in seen.points})
        assert steps == list(range(7, 7 + len(steps)))
        assert len(steps) > 1

    def test_starting_is_quick(self, run_monitor: RunMonitor) -> None:
        times = []
        for _ in range(2):
            started = time.monotonic()
            with _watching(run_monitor, Recorded().watched(every_s=_HOUR_S)):
                times.append(time.monotonic() - started)

        assert times[0] < _FIRST_S
        assert times[1] < _START_S

    def test_ending_is_quick_between_two_looks(self, run_monitor: RunMonitor) -> None:
        end = _begun(run_monitor, Recorded().watched(every_s=_HOUR_S))
        started = time.monotonic()

        end()

        assert time.monotonic() - started < _END_S

    def test_ending_does_not_wait_for_a_log_that_hangs(self, run_monitor: RunMonitor) -> None:
        seen = Recorded()
        seen.hangs = threading.Event()
        end = _begun(run_monitor, seen.watched())
        seen.wait_for(1)
        started = time.monotonic()

        end()
        took = time.monotonic() - started
        seen.hangs.set()

        assert took < _END_S

    def test_nothing_is_logged_after_the_end(self, run_monitor: RunMonitor) -> None:
        seen = Recorded()
        with _watching(run_monitor, seen.watched()):
            seen.wait_for(2)
        count = len(seen.points)

        time.sleep(5 * _OFTEN_S)

        assert len(seen.points) == count

    def test_runs_are_watched_apart_from_each_other(self, run_monitor: RunMonitor) -> None:
        outer, inner = Recorded(), Recorded()

        with _watching(run_monitor, outer.watched()):
            with _watching(run_monitor, inner.watched(first_step=100)):
                inner.wait_for(2)
            outer.wait_for(len(outer.points) + 2)

        assert {step >= 100 for _, step in inner.points} == {True}
        assert {step < 100 for _, step in outer.points} == {True}

    def test_no_thread_keeps_the_process_alive(self, run_monitor: RunMonitor) -> None:
        before = set(threading.enumerate())

        with _watching(run_monitor, Recorded().watched(every_s=_HOUR_S)):
            started = set(threading.enumerate()) - before

        assert [t.name for t in started if not t.daemon] == []

    def test_no_thread_is_left(self, run_monitor: RunMonitor) -> None:
        before = set(threading.enumerate())

        with _watching(run_monitor, Recorded().watched()):
            pass

        for thread in set(threading.enumerate()) - before:
            thread.join(_END_S)
        assert set(threading.enumerate()) - before == set()

    def test_watching_changes_nothing_in_the_process(self, run_monitor: RunMonitor) -> None:
        before = (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path))
        seen = Recorded()

        with _watching(run_monitor, seen.watched()):
            seen.wait_for(1)

        assert (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path)) == before

    def test_watching_prints_nothing(self, run_monitor: RunMonitor, capfd: pytest.CaptureFixture[str]) -> None:
        seen = Recorded()

        with _watching(run_monitor, seen.watched()):
            seen.wait_for(1)

        assert capfd.readouterr() == ("", "")


def _begun(run_monitor: RunMonitor, watched: WatchedRun) -> Callable[[], None]:
    end = run_monitor(watched)
    if end is None:
        pytest.skip("there is nothing to watch here: the hook answers None")
    return end


@contextmanager
def _watching(run_monitor: RunMonitor, watched: WatchedRun) -> Iterator[None]:
    end = _begun(run_monitor, watched)
    try:
        yield
    finally:
        end()
