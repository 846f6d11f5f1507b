"""Measure a transfer: seconds, CPU seconds of this process and its children, and those of the server's processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

_CHUNK = bytes(1 << 20)


def timed(work: Callable[[], object], size_bytes: int) -> tuple[float, float, float]:
    """Do the work; return seconds, own CPU seconds, the server's CPU seconds.

    size_bytes: about as much memory, three times, is made ready before: a virtual machine gives memory that is free
    back to its host, and fetching it again costs seconds for each GB, whoever happens to need it.
    """
    _fetch_memory(3 * size_bytes)
    wall, cpu, server = time.perf_counter(), _own_cpu(), _server_cpu()
    work()
    return time.perf_counter() - wall, _own_cpu() - cpu, _server_cpu() - server


def named(name: str, measured: tuple[float, float, float]) -> dict[str, float]:
    """Return the three numbers under names."""
    return {name: measured[0], f"{name}_cpu": measured[1], f"{name}_server": measured[2]}


def _fetch_memory(size_bytes: int) -> None:
    unneeded = Path.cwd() / "unneeded"
    with unneeded.open("wb", buffering=0) as file:
        for _ in range(size_bytes >> 20):
            file.write(_CHUNK)
    unneeded.unlink()


def _own_cpu() -> float:
    used = os.times()
    return time.process_time() + used.children_user + used.children_system


def _server_cpu() -> float:
    ticks = 0
    for pid in os.environ.get("BENCH_SERVER_PIDS", "").split():
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
