"""CPU, memory, disk and network of the machine, as psutil tells them; what it cannot tell is left out."""

from __future__ import annotations

import os
from typing import NamedTuple

import psutil

_MEGA = 1e6


class _Cpu(NamedTuple):
    """Seconds that all cores together have spent so far."""

    idle: float
    total: float


class _Network(NamedTuple):
    """Bytes over all interfaces since the machine started."""

    received: int
    sent: int


class Machine:
    """Tell what the machine does; CPU is counted from the look before, network from the beginning."""

    def __init__(self) -> None:
        """Read the counters as they are now."""
        self._cpu = _cpu()
        self._network = _network()

    def look(self) -> dict[str, float]:
        """Return the present values by name, without a prefix."""
        found = {**self._look_at_memory(), **_look_at_disk()}
        before, self._cpu = self._cpu, _cpu()
        passed = self._cpu.total - before.total
        if passed > 0:  # the counters move in steps of 10 ms
            busy = 100.0 * (1 - (self._cpu.idle - before.idle) / passed)
            found["cpu_utilization_percentage"] = min(max(busy, 0.0), 100.0)
        now = _network()
        if now is not None and self._network is not None:
            found["network_receive_megabytes"] = (now.received - self._network.received) / _MEGA
            found["network_transmit_megabytes"] = (now.sent - self._network.sent) / _MEGA
        return found

    @staticmethod
    def _look_at_memory() -> dict[str, float]:
        memory = psutil.virtual_memory()
        return {
            "system_memory_usage_megabytes": memory.used / _MEGA,
            "system_memory_usage_percentage": 100.0 * memory.used / memory.total,
        }


def _look_at_disk() -> dict[str, float]:
    try:
        disk = psutil.disk_usage(os.sep)
    except OSError:
        return {}
    return {
        "disk_usage_percentage": disk.percent,
        "disk_usage_megabytes": disk.used / _MEGA,
        "disk_available_megabytes": disk.free / _MEGA,
    }


def _cpu() -> _Cpu:
    # counted here and not by psutil.cpu_percent, which keeps one state for all runs of the process
    times = psutil.cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # Linux counts them in user and nice, too
    return _Cpu(times.idle + getattr(times, "iowait", 0.0), sum(times) - guests)


def _network() -> _Network | None:
    try:
        counters = psutil.net_io_counters()
    except OSError:
        return None
    return _Network(counters.bytes_recv, counters.bytes_sent) if counters is not None else None
