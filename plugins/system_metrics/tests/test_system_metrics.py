"""mlcore-system-metrics: its contract, what it says of this machine, and the names that MLflow gives the same."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from mlcore_system_metrics.machine import Machine
from mlcore_system_metrics.nvidia import Gpus
from mlcore_system_metrics.plugin import run_monitor

import mlcore
from mlcore.hookspecs import WatchedRun
from mlcore.testing import RunMonitorContract
from mlcore.testing.run_monitor import Recorded

EVERYWHERE = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
    "system/disk_usage_percentage",
    "system/disk_usage_megabytes",
    "system/disk_available_megabytes",
    "system/network_receive_megabytes",
    "system/network_transmit_megabytes",
}
# what runs in either product
SCRIPT = """
import sys, time
product = __import__(sys.argv[1])
product.set_system_metrics_sampling_interval(0.2)
with product.start_run(log_system_metrics=True) as run:
    time.sleep(1.5)
client = product.MlflowClient()
found = client.get_run(run.info.run_id).data.metrics
print(*sorted(name for name in found if name.startswith("system/")))
"""


class TestSystemMetrics(RunMonitorContract):
    plugin_module = "mlcore_system_metrics.plugin"

    @pytest.fixture
    def run_monitor(self) -> Callable[[WatchedRun], Callable[[], None] | None]:
        return run_monitor


def names_in(python: str | Path, product: str, place: Path) -> set[str]:
    """Return the names of the system metrics that a run of *product* has."""
    done = subprocess.run(
        [str(python), "-c", SCRIPT, product],
        cwd=place,
        env={**os.environ, f"{product.upper()}_TRACKING_URI": f"sqlite:///{place}/{product}.db"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("\n")[-2].split())


def test_a_run_has_the_metrics_that_mlflow_records_here(peer_mlflow: Path, tmp_path: Path) -> None:
    assert names_in(sys.executable, "mlcore", tmp_path) == names_in(peer_mlflow, "mlflow", tmp_path) >= EVERYWHERE


def test_a_run_that_is_shorter_than_the_time_between_looks_has_one_point() -> None:
    mlcore.set_tracking_uri("sqlite:///short.db")

    with mlcore.start_run(log_system_metrics=True) as run:
        time.sleep(0.05)

    points = mlcore.get_run(run.run_id).data.latest
    assert {p.key for p in points} == EVERYWHERE
    assert {p.step for p in points} == {0}


def test_a_resumed_run_goes_on_with_the_next_step() -> None:
    mlcore.set_tracking_uri("sqlite:///resumed.db")
    with mlcore.start_run(log_system_metrics=True) as run:
        time.sleep(0.05)

    with mlcore.start_run(run_id=run.run_id, log_system_metrics=True):
        time.sleep(0.05)

    history = mlcore.Client().get_metric_history(run.run_id, "system/disk_usage_megabytes")
    assert [p.step for p in history] == [0, 1]


def test_a_point_is_the_mean_of_its_samples_and_totals_are_the_last() -> None:
    seen = Recorded()

    end = run_monitor(seen.watched(samples=3, every_s=0.05))
    seen.wait_for(2)
    end()

    assert {step for _, step in seen.points} >= {0, 1}
    assert set(seen.points[0][0]) == EVERYWHERE


def test_a_node_stands_in_the_names() -> None:
    seen = Recorded()

    end = run_monitor(WatchedRun("r", seen.log, 0, 0.05, 1, "worker-3"))
    seen.wait_for(1)
    end()

    assert "system/worker-3/disk_usage_megabytes" in seen.points[0][0]


def test_values_are_those_of_the_machine() -> None:
    machine = Machine()
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        pass

    found = machine.look()

    total = psutil.virtual_memory().total / 1e6
    assert 0 < found["cpu_utilization_percentage"] <= 100
    assert 0 < found["system_memory_usage_megabytes"] < total
    assert found["system_memory_usage_percentage"] == pytest.approx(
        100 * found["system_memory_usage_megabytes"] / total
    )
    disk = psutil.disk_usage("/")
    assert found["disk_usage_megabytes"] + found["disk_available_megabytes"] <= disk.total / 1e6 * 1.01
    assert 0 < found["disk_usage_percentage"] <= 100


def test_network_is_counted_from_the_start_of_the_run() -> None:
    machine = Machine()

    found = machine.look()

    assert 0 <= found["network_receive_megabytes"] < psutil.net_io_counters().bytes_recv / 1e6 + 1
    assert found["network_transmit_megabytes"] < 100


def test_without_the_drivers_library_there_is_no_gpu_and_no_word_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    pynvml = pytest.importorskip("pynvml")
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError_LibraryNotFound:
        pass
    else:
        pytest.skip("this machine has an NVIDIA driver")

    assert Gpus.open() is None
    assert capfd.readouterr() == ("", "")
