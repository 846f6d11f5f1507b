"""The contract suite of monitors: a good one passes, and each broken one is caught."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable

import pytest

from mlcore.hookspecs import WatchedRun
from mlcore.testing.proof import caught_by
from mlcore.testing.run_monitor import RunMonitor, RunMonitorContract

Loop = Callable[[WatchedRun, threading.Event], None]


def good(watched: WatchedRun, over: threading.Event) -> None:
    step = watched.first_step
    while not over.wait(watched.every_s):
        watched.log({"system/heat": 20.0}, step)
        step += 1


def monitor(loop: Loop, *, daemon: bool = True, patience_s: float | None = 0.5) -> RunMonitor:
    """Make the hook out of what its thread does."""

    def run_monitor(watched: WatchedRun) -> Callable[[], None]:
        over = threading.Event()
        thread = threading.Thread(target=loop, args=(watched, over), daemon=daemon)
        thread.start()

        def end() -> None:
            over.set()
            thread.join(patience_s)

        return end

    return run_monitor


class TestGoodMonitor(RunMonitorContract):
    @pytest.fixture
    def run_monitor(self) -> RunMonitor:
        return monitor(good)


def once(watched: WatchedRun, over: threading.Event) -> None:
    watched.log({"system/heat": 20.0}, watched.first_step)
    over.wait()


def nameless(watched: WatchedRun, over: threading.Event) -> None:
    for step in itertools.count(watched.first_step):
        if over.wait(watched.every_s):
            return
        watched.log({"system/heat in °C?": 20.0}, step)


def unknown(watched: WatchedRun, over: threading.Event) -> None:
    for step in itertools.count(watched.first_step):
        if over.wait(watched.every_s):
            return
        watched.log({"system/heat": float("nan")}, step)


def from_zero(watched: WatchedRun, over: threading.Event) -> None:
    for step in itertools.count():
        if over.wait(watched.every_s):
            return
        watched.log({"system/heat": 20.0}, step)


def sleeps(watched: WatchedRun, over: threading.Event) -> None:
    if watched.every_s < 1:
        good(watched, over)
    else:
        threading.Event().wait(2.5)


def prints(watched: WatchedRun, over: threading.Event) -> None:
    os.write(2, b"watching")
    good(watched, over)


def changes(watched: WatchedRun, over: threading.Event) -> None:
    os.environ["WATCHED"] = watched.run_id
    good(watched, over)


def goes_on(watched: WatchedRun, over: threading.Event) -> None:
    for step in range(watched.first_step, watched.first_step + 40):
        watched.log({"system/heat": 20.0}, step)
        threading.Event().wait(watched.every_s)


def never_ends(watched: WatchedRun, over: threading.Event) -> None:
    threading.Event().wait(5)


def begins_slowly(watched: WatchedRun) -> Callable[[], None]:
    threading.Event().wait(2.2)
    return monitor(good)(watched)


class Shared:
    """One loop for all runs, which the first end ends."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def __call__(self, watched: WatchedRun) -> Callable[[], None]:
        over = self.over
        threading.Thread(target=good, args=(watched, over), daemon=True).start()
        return over.set


BROKEN: list[tuple[str, Callable[[], object]]] = [
    ("test_metrics_are_finite_numbers_with_names_within_the_limits", lambda: monitor(nameless)),
    ("test_metrics_are_finite_numbers_with_names_within_the_limits", lambda: monitor(unknown)),
    ("test_steps_begin_where_they_shall_and_count_on", lambda: monitor(from_zero)),
    ("test_starting_is_quick", lambda: begins_slowly),
    ("test_ending_is_quick_between_two_looks", lambda: monitor(sleeps, patience_s=None)),
    ("test_ending_does_not_wait_for_a_log_that_hangs", lambda: monitor(good, patience_s=2.5)),
    ("test_nothing_is_logged_after_the_end", lambda: monitor(goes_on, patience_s=0.0)),
    ("test_no_thread_keeps_the_process_alive", lambda: monitor(good, daemon=False)),
    ("test_no_thread_is_left", lambda: monitor(never_ends, patience_s=0.0)),
    ("test_watching_prints_nothing", lambda: monitor(prints)),
]
for _number, (_test, _make) in enumerate(BROKEN):
    globals()[f"TestBroken{_number}"] = caught_by(RunMonitorContract, _test, run_monitor=_make)


def test_a_monitor_that_changes_the_process_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHED", "")

    with pytest.raises(AssertionError):
        RunMonitorContract().test_watching_changes_nothing_in_the_process(monitor(changes))


def test_a_monitor_that_looks_once_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.testing.run_monitor._PATIENCE_S", 0.3)

    with pytest.raises(AssertionError, match=r"1 points in 0 s, expected 3"):
        RunMonitorContract().test_it_logs_as_long_as_the_run_goes_on(monitor(once))


def test_a_monitor_whose_runs_share_an_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.testing.run_monitor._PATIENCE_S", 0.3)

    with pytest.raises(AssertionError):
        RunMonitorContract().test_runs_are_watched_apart_from_each_other(Shared())
