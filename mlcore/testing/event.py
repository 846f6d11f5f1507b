"""The contract suite of listeners.

To use it, inherit in a test module and give a fixture `listener`, the hook's implementation:

    class TestMyListener(EventContract):
        plugin_module = "mlcore_my_listener.plugin"

        @pytest.fixture
        def listener(self) -> Listener:
            return my_plugin.event
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import copy
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.hookspecs import Event
from mlcore.testing.plugin_module import PluginModuleContract

Listener = Callable[[Event], object]

NAMES = ("run_started", "run_ended", "version_created", "stage_moved", "alias_moved", "transition_decided")
_QUICK_S = 0.05


def sample(name: str = "run_started") -> Event:
    """Return an event such as the kernel tells."""
    return Event(name, 1_700_000_000_000, "a" * 32, {"experiment_id": "0", "status": "RUNNING", "tags": {"a": "ß"}})


class EventContract(PluginModuleContract):
    """Everything that the kernel relies on when it tells what happened."""

    @pytest.mark.parametrize("name", NAMES)
    def test_every_event_is_heard_without_an_answer(self, listener: Listener, name: str) -> None:
        assert listener(sample(name)) is None

    def test_events_of_later_versions_are_no_obstacle(self, listener: Listener) -> None:
        listener(sample("something_new"))

    def test_an_event_without_detail_is_no_obstacle(self, listener: Listener) -> None:
        for name in NAMES:
            listener(Event(name, 0, "0"))

    def test_the_event_stays_as_it_was(self, listener: Listener) -> None:
        told = sample()
        before = copy.deepcopy(told)

        listener(told)

        assert told == before

    def test_hearing_is_quick(self, listener: Listener) -> None:
        listener(sample())
        started = time.monotonic()

        for name in NAMES:
            listener(sample(name))

        assert (time.monotonic() - started) / len(NAMES) < _QUICK_S, "hand over to a thread of your own"

    def test_hearing_prints_nothing(self, listener: Listener, capfd: pytest.CaptureFixture[str]) -> None:
        listener(sample())

        assert capfd.readouterr() == ("", "")

    def test_hearing_changes_nothing_in_the_process(self, listener: Listener) -> None:
        before = (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path))

        listener(sample())

        assert (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path)) == before

    def test_many_threads_are_heard(self, listener: Listener) -> None:
        failed: list[BaseException] = []
        start = threading.Barrier(8)

        def body() -> None:
            start.wait()
            try:
                for name in NAMES:
                    listener(sample(name))
            except BaseException as error:  # noqa: BLE001  # whatever it is, it is the finding
                failed.append(error)

        threads = [threading.Thread(target=body) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert failed == []
