"""Monitors of a run: plugins that record what its machine does, from the run's start to its end in this process."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping

from mlcore.entities import Metric
from mlcore.errors import MlcoreError, PluginNotFoundError
from mlcore.hookspecs import HookSpecs, WatchedRun
from mlcore.plugin_index import install_hints
from mlcore.tracking.session import Session

PREFIX = "system/"  # of the names of system metrics, MLflow's
_SHORTEST_S = 0.1  # more often is a load of its own

logger: logging.Logger = logging.getLogger(__name__)


def are_wanted(session: Session, asked: bool | None) -> bool:
    """Whether a run is watched: as its start asks, else as the setting `log_system_metrics` says.

    Raises PluginNotFoundError: its start asks for it, and nobody is there to watch. That the setting does so is
    reported at the first run, since the same settings serve machines of all kinds.
    """
    wanted = session.settings.log_system_metrics if asked is None else asked
    if not wanted:
        return False
    if session.plugins.is_answered(HookSpecs.run_monitor.__name__):
        return True
    lines = " or ".join(f"pip install {dist}" for dist in install_hints(HookSpecs.run_monitor.__name__).values())
    if asked:
        raise PluginNotFoundError(
            f"log_system_metrics={asked!r} needs a plugin that watches runs, and none is installed: {lines}"
        )
    if session.is_new("no plugin watches runs"):
        logger.warning(
            "no system metrics are recorded: the setting log_system_metrics (%s) asks for them, and no plugin that "
            "watches runs is installed: %s",
            session.settings.origins.get("log_system_metrics", "argument"),
            lines,
        )
    return False


class Monitors:
    """The monitors of one run; none until `begin`, and none in a forked child, whose threads have not come along."""

    def __init__(
        self,
        session: Session,
        run_id: str,
        latest: Iterable[Metric],
        record: Callable[[Mapping[str, float], int], None],
    ) -> None:
        """Watch nothing yet.

        latest: the points that the run had when it was started here.
        record: takes values and a step.
        """
        self._session = session
        self._run_id = run_id
        self._latest = latest
        self._record = record
        self._pid = os.getpid()
        self._over = threading.Event()
        self._ends: list[Callable[[], None]] = []
        self._has_failed = False

    def begin(self) -> None:
        """Let every plugin that watches runs watch this one."""
        settings = self._session.settings
        watched = WatchedRun(
            run_id=self._run_id,
            log=self._log,
            first_step=max((p.step + 1 for p in self._latest if p.key.startswith(PREFIX)), default=0),
            every_s=max(settings.system_metrics_s, _SHORTEST_S),
            samples=settings.system_metrics_samples,
            node=settings.system_metrics_node or "",
        )
        self._ends = self._session.plugins.every(HookSpecs.run_monitor, watched=watched)

    def end(self) -> None:
        """End the monitors; what they log from now on is dropped."""
        ends, self._ends = self._ends, []
        if self._pid == os.getpid():
            for each in ends:
                self._session.plugins.finish(HookSpecs.run_monitor.__name__, each)
        self._over.set()

    def _log(self, values: Mapping[str, float], step: int) -> None:
        if self._over.is_set() or self._pid != os.getpid():
            return
        try:
            self._record(values, step)
        except MlcoreError as error:
            if not self._has_failed:
                self._has_failed = True
                logger.warning("system metrics of run %s could not be recorded: %s", self._run_id, error)
