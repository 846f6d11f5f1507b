"""Handles of projects' runs, as `mlflow.projects.run` returns them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mlcore.entities import Run, RunStatus
from mlcore.errors import ArtifactNotFoundError, ExecutionError, NotFoundError
from mlcore.hookspecs import HookSpecs
from mlcore.projects import cancelling, run_tags
from mlcore.tracking.client import Client
from mlcore.tracking.session import Session

_SOONEST_S, _LATEST_S = 0.05, 1.0
_KINDLY_S, _BY_FORCE_S = 60.0, 30.0


class SubmittedRun:
    """A run of a project: already ended, or attended by a process of its own."""

    def __init__(
        self,
        run_id: str,
        session: Session,
        *,
        watcher: subprocess.Popen[bytes] | None = None,
        reused: bool = False,
    ) -> None:
        """Point at a run; `run` makes these.

        watcher: the process that attends it; None when it has ended.
        reused: it is an earlier run of the same, that stands for the one that was asked for.
        """
        self.run_id: str = run_id
        self.reused: bool = reused
        self._session = session
        self._watcher = watcher

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.run_id}>"

    @property
    def watcher_pid(self) -> int | None:
        """The process that attends the run; None when it was attended by this one. SIGTERM to it stops the run."""
        return self._watcher.pid if self._watcher is not None else None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; return whether the run is FINISHED, False also when *timeout_s* seconds have passed."""
        if self._watcher is not None:
            try:
                self._watcher.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return False
        return self.get_status() is RunStatus.FINISHED

    def get_status(self) -> RunStatus:
        """Return the run's status as its store has it now; see `Run.state` for runs that are lost."""
        return self._stored().info.status

    def cancel(self) -> None:
        """Stop the command and end the run as KILLED; nothing happens when it has ended.

        Of a handle that `run` did not make, and of a run whose watcher is gone, the job is stopped by its id.
        Raises ExecutionError: it has not stopped after a minute and a half, the last third of which by force.
        """
        if self._watcher is None or self._watcher.poll() is not None:
            cancelling.cancel(self.run_id, self._session)
        else:
            for patience_s in (_KINDLY_S, _BY_FORCE_S):  # the second signal kills what does not end
                self._watcher.send_signal(signal.SIGTERM)
                try:
                    self._watcher.wait(patience_s)
                except subprocess.TimeoutExpired:
                    continue
                return
            raise ExecutionError(
                f"run {self.run_id!r} did not stop within {_KINDLY_S + _BY_FORCE_S:g} s: its backend does not answer. "
                f"Process {self._watcher.pid} goes on trying"
            )

    def logs(self) -> Iterator[str]:
        """Yield the output of the command line by line: as it comes while the run goes on, and later what was kept."""
        pause_s = _SOONEST_S
        while self._watcher is not None and self._watcher.poll() is None:
            run = self._stored()
            job_id, backend_name = run.data.tags.get(run_tags.JOB_ID), run.data.tags.get(run_tags.BACKEND)
            if job_id and backend_name:
                backend = self._session.plugins.first(HookSpecs.project_backend, name=backend_name)
                with contextlib.suppress(NotFoundError):  # its output has become an artifact
                    lines = backend.logs(job_id)
                    yield next(lines, "")
                    yield from lines
                    return
                self._watcher.wait()
                break
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LATEST_S)
        yield from self._kept()

    def _kept(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
            try:
                path = Client(session=self._session).download_artifacts(self.run_id, run_tags.OUTPUT, folder)
            except ArtifactNotFoundError:
                return
            with Path(path).open("r", encoding="utf-8", errors="replace", newline="\n") as file:
                for line in file:
                    yield line.rstrip("\r\n")

    def _stored(self) -> Run:
        return Client(session=self._session).get_run(self.run_id)
