"""The thread that looks at the machine every so often, and records the means of its looks."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from mlcore.hookspecs import WatchedRun
from mlcore_system_metrics.machine import Machine
from mlcore_system_metrics.nvidia import Gpus

_END_S = 0.7  # within the second that the end of a run may take
TOTALS = ("network_receive_megabytes", "network_transmit_megabytes")  # since the start: the last counts, not the mean


class Monitor:
    """Watches for one run. Metrics are named `system/<what>`, or `system/<node>/<what>`."""

    def __init__(self, watched: WatchedRun) -> None:
        """Remember what the machine's counters say now."""
        self._watched = watched
        self._prefix = f"system/{watched.node}/" if watched.node else "system/"
        self._step = watched.first_step
        self._over = threading.Event()
        self._machine = Machine()
        self._seen: dict[str, list[float]] = defaultdict(list)
        self._looks = 0
        # a daemon: who ends the process must not wait for the next look
        self._thread = threading.Thread(target=self._watch, name="mlcore-system-metrics", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def end(self) -> None:
        """Record what is not recorded yet, and stop looking."""
        self._over.set()
        self._thread.join(_END_S)

    def _watch(self) -> None:
        with _gpus() as gpus:
            while not self._over.wait(self._watched.every_s):
                self._look(gpus)
                if self._looks == self._watched.samples:
                    self._record()
            if self._step == self._watched.first_step and self._looks == 0:
                self._look(gpus)  # a run that was shorter than the time between looks has one point, too
            if self._looks:
                self._record()

    def _look(self, gpus: Gpus | None) -> None:
        found = self._machine.look()
        if gpus is not None:
            found.update(gpus.look())
        for name, value in found.items():
            self._seen[name].append(value)
        self._looks += 1

    def _record(self) -> None:
        point = {
            self._prefix + name: values[-1] if name in TOTALS else sum(values) / len(values)
            for name, values in self._seen.items()
        }
        self._watched.log(point, self._step)
        self._step += 1
        self._looks = 0
        self._seen.clear()


@contextmanager
def _gpus() -> Iterator[Gpus | None]:
    """Open the GPUs here, in the monitor's thread: waking a driver up takes seconds on some machines."""
    gpus = Gpus.open()
    try:
        yield gpus
    finally:
        if gpus is not None:
            gpus.close()
