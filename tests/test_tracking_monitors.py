"""Monitors of runs: when they begin and end, and what happens when nobody watches, or somebody watches badly."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import mlcore
from mlcore.errors import PluginNotFoundError, SettingsError
from mlcore.hookspecs import WatchedRun, hookimpl
from mlcore.plugins import Plugins, current
from mlcore.settings import Settings
from mlcore.tracking.session import Session, current_session, using


class Watcher:
    """A plugin that keeps what it was given, and lets the test log."""

    def __init__(self) -> None:
        self.began: list[WatchedRun] = []
        self.ended: list[str] = []
        self.fails_at_end = False

    @hookimpl
    def run_monitor(self, watched: WatchedRun) -> Callable[[], None]:
        self.began.append(watched)

        def end() -> None:
            self.ended.append(watched.run_id)
            if self.fails_at_end:
                raise OSError("the counter is gone")

        return end


@pytest.fixture(autouse=True)
def _store() -> None:
    mlcore.set_tracking_uri("sqlite:///watched.db")


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    monkeypatch.setenv("MLCORE_DISABLE_PLUGINS", "mlcore-system-metrics")
    current.cache_clear()
    made = Watcher()
    undo = current().register(made)
    yield made
    undo()
    current.cache_clear()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MLCORE_DISABLE_PLUGINS", "mlcore-system-metrics")
    current.cache_clear()
    yield
    current.cache_clear()


def test_a_run_is_watched_from_its_start_to_its_end(watcher: Watcher) -> None:
    with mlcore.start_run(log_system_metrics=True) as run:
        assert [w.run_id for w in watcher.began] == [run.run_id]
        assert watcher.ended == []
        watcher.began[0].log({"system/heat": 3.0}, 5)

    assert watcher.ended == [run.run_id]
    (point,) = mlcore.get_run(run.run_id).data.latest
    assert (point.key, point.value, point.step) == ("system/heat", 3.0, 5)


def test_what_is_logged_after_the_end_is_dropped(watcher: Watcher) -> None:
    with mlcore.start_run(log_system_metrics=True) as run:
        pass

    watcher.began[0].log({"system/heat": 3.0}, 0)

    assert mlcore.get_run(run.run_id).data.metrics == {}


def test_any_thread_may_log_whatever_run_is_active_there(watcher: Watcher) -> None:
    with mlcore.start_run(log_system_metrics=True) as run, mlcore.start_run(nested=True):
        thread = threading.Thread(target=lambda: watcher.began[0].log({"system/heat": 1.0}, 0))
        thread.start()
        thread.join()

    assert mlcore.get_run(run.run_id).data.metrics == {"system/heat": 1.0}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()], ids=lambda e: type(e).__name__)
def test_a_run_that_fails_is_watched_no_longer(watcher: Watcher, error: BaseException) -> None:
    with pytest.raises(type(error)), mlcore.start_run(log_system_metrics=True) as run:
        raise error

    assert watcher.ended == [run.run_id]


def test_the_end_of_the_process_ends_the_monitors_of_open_runs(watcher: Watcher) -> None:
    from mlcore.tracking.endings import ending_of
    from mlcore.tracking.exits import end_open_runs

    run = mlcore.start_run(log_system_metrics=True)

    end_open_runs(ending_of(None))

    assert watcher.ended == [run.run_id]


def test_nobody_watches_unless_asked(watcher: Watcher) -> None:
    with mlcore.start_run():
        pass
    with mlcore.start_run(log_system_metrics=False):
        pass

    assert watcher.began == []


def test_functions_switch_for_the_runs_to_come_and_a_run_may_say_otherwise(watcher: Watcher) -> None:
    mlcore.enable_system_metrics_logging()
    with mlcore.start_run():
        pass
    with mlcore.start_run(log_system_metrics=False):
        pass
    mlcore.disable_system_metrics_logging()
    with mlcore.start_run():
        pass

    assert len(watcher.began) == 1


@pytest.mark.parametrize("variable", ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "MLCORE_LOG_SYSTEM_METRICS"])
def test_a_variable_switches_too(watcher: Watcher, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "true")

    with mlcore.start_run():
        pass

    assert len(watcher.began) == 1


def test_how_often_and_under_which_name_is_told_to_the_monitor(watcher: Watcher) -> None:
    mlcore.set_system_metrics_sampling_interval(0.5)
    mlcore.set_system_metrics_samples_before_logging(4)
    mlcore.set_system_metrics_node_id("node-7")
    with mlcore.start_run(log_system_metrics=True):
        pass
    mlcore.set_system_metrics_sampling_interval(None)
    mlcore.set_system_metrics_samples_before_logging(None)
    mlcore.set_system_metrics_node_id(None)
    with mlcore.start_run(log_system_metrics=True):
        pass

    assert [(w.every_s, w.samples, w.node) for w in watcher.began] == [(0.5, 4, "node-7"), (10.0, 1, "")]


def test_choices_hold_for_processes_that_are_started_later(watcher: Watcher) -> None:
    mlcore.enable_system_metrics_logging()
    mlcore.set_system_metrics_sampling_interval(2)

    assert os.environ["MLCORE_LOG_SYSTEM_METRICS"] == "true"
    assert os.environ["MLCORE_SYSTEM_METRICS_S"] == "2"
    current_session().close()
    assert "MLCORE_LOG_SYSTEM_METRICS" not in os.environ


def test_a_choice_that_cannot_be_used_is_refused_and_changes_nothing(watcher: Watcher) -> None:
    bad: Any = "often"

    with pytest.raises(
        SettingsError, match=r"'system_metrics_s' .* has the value 'often', expected a number of seconds"
    ):
        mlcore.set_system_metrics_sampling_interval(bad)

    assert "MLCORE_SYSTEM_METRICS_S" not in os.environ
    assert current_session().settings.system_metrics_s == 10.0


def test_a_session_with_settings_of_its_own_changes_those_alone(watcher: Watcher) -> None:
    plugins = Plugins.discover()
    plugins.register(watcher)
    with using(Session(Settings.load({"tracking_uri": "sqlite:///own.db", "system_metrics_s": 3.0}), plugins)):
        mlcore.enable_system_metrics_logging()
        mlcore.set_system_metrics_sampling_interval(7.0)
        with mlcore.start_run():
            pass
        mlcore.set_system_metrics_sampling_interval(None)
        with mlcore.start_run():
            pass

    assert [w.every_s for w in watcher.began] == [7.0, 3.0]
    assert "MLCORE_LOG_SYSTEM_METRICS" not in os.environ


def test_a_resumed_run_is_watched_from_the_step_after_its_last(watcher: Watcher) -> None:
    with mlcore.start_run() as run:
        mlcore.log_metrics({"system/heat": 1.0}, step=41)
        mlcore.log_metric("loss", 1.0, step=1000)

    with mlcore.start_run(run_id=run.run_id, log_system_metrics=True):
        pass

    assert [w.first_step for w in watcher.began] == [42]


def test_a_run_that_is_joined_is_not_watched_twice(watcher: Watcher) -> None:
    with (
        mlcore.start_run(log_system_metrics=True) as run,
        mlcore.start_run(run_id=run.run_id, nested=True, log_system_metrics=True),
    ):
        pass

    assert len(watcher.began) == 1


def test_a_forked_child_has_no_monitor_and_ends_none(watcher: Watcher) -> None:
    with mlcore.start_run(log_system_metrics=True) as run:
        log = watcher.began[0].log
        receiver, sender = multiprocessing.Pipe(duplex=False)

        def child(say: Callable[[object], None]) -> None:
            log({"system/heat": 1.0}, 0)
            run.end()
            say(watcher.ended)

        process = multiprocessing.get_context("fork").Process(target=child, args=(sender.send,))
        process.start()
        assert receiver.poll(30)
        assert receiver.recv() == []
        process.join()
        assert watcher.ended == []

    assert watcher.ended == [run.run_id]
    assert mlcore.get_run(run.run_id).data.metrics == {}


def test_a_start_that_asks_for_it_is_told_what_to_install_and_makes_no_run(nobody: None) -> None:
    wanted = (
        r"log_system_metrics=True needs a plugin that watches runs, and none is installed: "
        r"pip install mlcore-system-metrics"
    )

    with pytest.raises(PluginNotFoundError, match=wanted):
        mlcore.start_run(log_system_metrics=True)

    assert mlcore.active_run() is None
    assert mlcore.search_runs(output_format="list") == []


def test_a_setting_that_asks_for_it_in_vain_is_reported_once(nobody: None, caplog: pytest.LogCaptureFixture) -> None:
    mlcore.enable_system_metrics_logging()

    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            with mlcore.start_run():
                pass

    assert [r.getMessage() for r in caplog.records] == [
        "no system metrics are recorded: the setting log_system_metrics (environment MLCORE_LOG_SYSTEM_METRICS) asks for "
        "them, and no plugin that watches runs is installed: pip install mlcore-system-metrics"
    ]


def test_a_monitor_that_fails_at_the_end_is_reported_and_the_run_is_finished(
    watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    watcher.fails_at_end = True

    with caplog.at_level(logging.WARNING), mlcore.start_run(log_system_metrics=True) as run:
        pass

    assert mlcore.get_run(run.run_id).info.status == "FINISHED"
    (message,) = [r.getMessage() for r in caplog.records]
    assert "answered to hook 'run_monitor' failed with OSError: the counter is gone" in message


def test_values_that_cannot_be_recorded_are_reported_once(watcher: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    bad: Mapping[str, float] = {"system/häß?": 1.0}

    with caplog.at_level(logging.WARNING), mlcore.start_run(log_system_metrics=True) as run:
        watcher.began[0].log(bad, 0)
        watcher.began[0].log(bad, 1)

    (message,) = [r.getMessage() for r in caplog.records]
    assert message.startswith(f"system metrics of run {run.run_id} could not be recorded: ")
