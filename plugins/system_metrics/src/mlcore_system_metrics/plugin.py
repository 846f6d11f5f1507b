"""The hooks of mlcore-system-metrics."""

from __future__ import annotations

from collections.abc import Callable

from mlcore.hookspecs import WatchedRun, hookimpl


@hookimpl
def run_monitor(watched: WatchedRun) -> Callable[[], None]:
    """Record what the machine does, from a thread of its own."""
    from mlcore_system_metrics.monitor import Monitor

    monitor = Monitor(watched)
    monitor.start()
    return monitor.end
