"""Wait for the end of a job, hand signals on to it, and tell when its backend is out of reach or its time is over."""

from __future__ import annotations

import logging
import signal
import time

from mlcore.entities import RunStatus
from mlcore.errors import MlcoreError
from mlcore.interfaces import JobStatus, ProjectBackend, SupportsSignals
from mlcore.projects.outcome import Outcome, end_of, of_job
from mlcore.projects.stopping import Stop
from mlcore.tracking.reach import is_outage

_LOOK_S = 1.0  # a backend is asked for so long at a time
_PATIENCES = 12  # a backend that does not answer for so many times the patience is dead
_ENDED = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.KILLED)
_PASSED_ON = {getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGQUIT") if hasattr(signal, name)}

logger: logging.Logger = logging.getLogger(__name__)


class Waiting:
    """A job that somebody waits for."""

    def __init__(self, backend: ProjectBackend, job_id: str, timeout_s: float | None, patience_s: float) -> None:
        """Begin to count the job's time."""
        self._backend = backend
        self._job_id = job_id
        self._timeout_s = timeout_s
        self._outage_s = _PATIENCES * patience_s
        self._begun = time.monotonic()

    def forward(self, number: int, kill: bool) -> None:
        """Hand a signal on to the job; where the backend can't do that, and to *kill*, the job is cancelled."""
        try:
            if isinstance(self._backend, SupportsSignals):
                if kill:
                    self._backend.signal(self._job_id, getattr(signal, "SIGKILL", signal.SIGTERM))
                    return
                if number in _PASSED_ON:
                    self._backend.signal(self._job_id, number)
                    return
            self._backend.cancel(self._job_id)
        except MlcoreError as err:
            logger.warning("job %s could not be stopped: %s", self._job_id, err.message)

    def outcome(self, stop: Stop) -> Outcome:
        """Return how the job ended, when it has."""
        status = self._awaited()
        if isinstance(status, Outcome):
            return status
        found = of_job(status, end_of(self._backend, self._job_id))
        if stop.number is None:
            return found
        return Outcome(RunStatus.KILLED, f"stopped by {stop.signal_name}", found.exit_code, stop.signal_name)

    def _awaited(self) -> JobStatus | Outcome:
        silent_since: float | None = None
        while True:
            try:
                status = self._backend.wait(self._job_id, self._look_s())
            except MlcoreError as err:
                silent_since = silent_since or time.monotonic()
                if not is_outage(err) or time.monotonic() - silent_since > self._outage_s:
                    return Outcome(RunStatus.FAILED, f"the backend lost the job: {err.message}")
                time.sleep(min(_LOOK_S, self._outage_s / 10))
                continue
            silent_since = None
            if status in _ENDED:
                return status
            if self._timeout_s is not None and time.monotonic() - self._begun >= self._timeout_s:
                return self._timed_out(self._timeout_s)

    def _look_s(self) -> float:
        if self._timeout_s is None:
            return _LOOK_S
        return max(0.0, min(_LOOK_S, self._begun + self._timeout_s - time.monotonic()))

    def _timed_out(self, timeout_s: float) -> Outcome:
        """Stop the job, whose time is over."""
        self.forward(signal.SIGTERM, kill=False)
        end = end_of(self._backend, self._job_id)
        return Outcome(
            RunStatus.FAILED, f"the command was stopped after its time of {timeout_s:g} s", end.exit_code, end.signal
        )
