"""Look at the metric of runs that go on, now and then, for those who watch a search."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from mlcore.errors import MlcoreError
from mlcore.projects.search.trials import Trials
from mlcore.tracking import tags
from mlcore.tracking.client import Client

if TYPE_CHECKING:
    from mlcore.tracking.session import Session

_EVERY_S = 1.0


class Looking:
    """Asks the store once a second, for all runs below a parent at once."""

    def __init__(self, trials: Trials, metric: str, session: Session) -> None:
        """Look for nothing where *metric* is empty."""
        self._trials = trials
        self._metric = metric
        self._client = Client(session=session)
        self._next = time.monotonic() + _EVERY_S

    def look(self, experiment_id: str, parent_run_id: str) -> None:
        """Ask, if it is time; a store that does not answer is asked again later."""
        if not self._metric or time.monotonic() < self._next:
            return
        with contextlib.suppress(MlcoreError):
            found = self._client.search_runs(
                [experiment_id],
                f"tags.`{tags.PARENT_RUN_ID}` = '{parent_run_id}' AND attributes.status = 'RUNNING'",
            )
            self._trials.see(
                {run.info.run_id: run.data.metrics[self._metric] for run in found if self._metric in run.data.metrics}
            )
        self._next = time.monotonic() + _EVERY_S
