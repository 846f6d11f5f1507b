"""A project backend of MLflow behind our contract.

MLflow's backends run projects, ours run commands. So a command becomes a project of one entry point: a folder with an
`MLproject` and a script that sets the environment, goes to the job's directory and runs the command. A backend on
another machine has to see both by the same path.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, cast

from attrs import define, field

from mlcore.errors import MlcoreError, NotFoundError, PluginError, UnsupportedError
from mlcore.interfaces.project_backend import Job, JobStatus
from mlcore.plugin_index import PluginEntry
from mlcore.wire.yaml_text import dump_yaml
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import built, quiet

_STATES = {
    "SCHEDULED": JobStatus.PENDING,
    "PENDING": JobStatus.PENDING,
    "RUNNING": JobStatus.RUNNING,
    "FINISHED": JobStatus.FINISHED,
    "FAILED": JobStatus.FAILED,
    "KILLED": JobStatus.KILLED,
}
_ENDED = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.KILLED)


class TheirBackend(Protocol):
    """MLflow's AbstractBackend."""

    run: Callable[..., TheirSubmission]


class TheirSubmission(Protocol):
    """MLflow's SubmittedRun."""

    def wait(self) -> bool:
        """Wait for the end; return whether it went well."""
        ...

    def get_status(self) -> object:
        """Return MLflow's name of the state, in some plugins the number that stands for it."""
        ...

    def cancel(self) -> object:
        """Stop it."""
        ...


@define
class _Submitted:
    theirs: TheirSubmission
    folder: Path
    ended: JobStatus | None = None
    waiter: threading.Thread | None = None
    failed: MlcoreError | None = None
    lock: threading.Lock = field(factory=threading.Lock)


def open_backend(entry: PluginEntry) -> BridgedBackend:
    """Open the backend."""
    make = built(entry)
    with Guard(entry, "opening the backend"), quiet():
        return BridgedBackend(cast(TheirBackend, make()), entry)


class BridgedBackend:
    """Jobs on a backend that was written for MLflow; they are known in this process only."""

    def __init__(self, theirs: TheirBackend, entry: PluginEntry) -> None:
        """Run jobs on *theirs*, which the plugin of *entry* has opened."""
        self._theirs = theirs
        self._entry = entry
        self._jobs: dict[str, _Submitted] = {}

    def submit(self, job: Job) -> str:
        """Start the job and return its id."""
        folder = Path(tempfile.mkdtemp(prefix="mlcore-job-"))
        try:
            _write_project(folder, job)
            with Guard(self._entry, "run"):
                theirs = self._theirs.run(
                    project_uri=str(folder),
                    entry_point="main",
                    params={},
                    version=None,
                    backend_config=dict(job.config),
                    tracking_uri=job.env.get("MLFLOW_TRACKING_URI") or job.env.get("MLCORE_TRACKING_URI"),
                    experiment_id=job.env.get("MLFLOW_EXPERIMENT_ID") or job.env.get("MLCORE_EXPERIMENT_ID") or "0",
                )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if theirs is None:
            shutil.rmtree(folder, ignore_errors=True)
            raise PluginError(f"{self._entry} failed in run: it returned None, expected a SubmittedRun")
        job_id = uuid.uuid4().hex
        self._jobs[job_id] = _Submitted(theirs, folder)
        return job_id

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state as the backend knows it. Raises NotFoundError: no such job."""
        return self._status(self._find(job_id))

    def logs(self, job_id: str) -> Iterator[str]:
        """Raise UnsupportedError: MLflow's backends keep what a job prints to themselves."""
        self._find(job_id)
        raise UnsupportedError(f"{self._entry} tells nothing of what a job prints: look at the backend's own logs")

    def cancel(self, job_id: str) -> None:
        """Stop the job; nothing happens when it has ended."""
        found = self._find(job_id)
        if self._status(found) in _ENDED:
            return
        with Guard(self._entry, "cancel"):
            found.theirs.cancel()

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        found = self._find(job_id)
        with found.lock:
            if found.waiter is None:
                found.waiter = threading.Thread(target=self._wait, args=(found,), daemon=True)
                found.waiter.start()
        found.waiter.join(timeout_s)
        if found.failed is not None:
            raise found.failed
        return self._status(found)

    def _wait(self, found: _Submitted) -> None:
        """Wait in a thread of its own: MLflow's `wait` knows no timeout."""
        try:
            with Guard(self._entry, "wait"):
                went_well = found.theirs.wait()
            told = self._told(found)
        except MlcoreError as err:
            found.failed = err
        else:
            found.ended = told if told in _ENDED else JobStatus.FINISHED if went_well else JobStatus.FAILED

    def _status(self, found: _Submitted) -> JobStatus:
        status = found.ended or self._told(found)
        if status in _ENDED:
            found.ended = status
            shutil.rmtree(found.folder, ignore_errors=True)
        return status

    def _told(self, found: _Submitted) -> JobStatus:
        with Guard(self._entry, "get_status"):
            told = found.theirs.get_status()
            if isinstance(told, int):
                from mlcore_bridge_mlflow.records import entities

                told = entities().RunStatus.to_string(told)
        return _STATES.get(str(told).rpartition(".")[2].upper(), JobStatus.RUNNING)

    def _find(self, job_id: str) -> _Submitted:
        if job_id not in self._jobs:
            raise NotFoundError(f"no job {job_id!r}: jobs of bridged backends are known to the process that made them")
        return self._jobs[job_id]


def _write_project(folder: Path, job: Job) -> None:
    """Write a project whose `main` is the job; the script is readable by its owner only, for the environment's sake."""
    lines = ["#!/bin/sh", *(f"export {shlex.quote(f'{key}={value}')}" for key, value in sorted(job.env.items()))]
    lines += [f"cd {shlex.quote(str(job.directory))} || exit 1", f"exec {shlex.join(job.argv)}", ""]
    script = folder / "mlcore_job.sh"
    script.touch(mode=0o700)
    script.write_text("\n".join(lines), encoding="utf-8")
    project = {
        "name": f"mlcore-{job.run_id}",
        "entry_points": {"main": {"command": f"sh {shlex.quote(str(script))}"}},
    }
    (folder / "MLproject").write_text(dump_yaml(project), encoding="utf-8")
