"""Jobs as processes of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import Job, JobEnd, JobStatus
from mlcore.projects.cache import cache_directory
from mlcore_project_local.config import grace_of
from mlcore_project_local.guard import Guard
from mlcore_project_local.job_folder import Begin, JobFolder, prune
from mlcore_project_local.lines import lines_of
from mlcore_project_local.orphans import started

_PIECE = 1 << 16
_SOONEST_S, _LATEST_S = 0.005, 0.2  # between two looks at a file that somebody else writes
# what people and systems stop programs with; by any other signal a program ends because it is broken
_STOPS = {
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGKILL", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
}
_guard = Guard()  # one for all jobs of this process


class _Mine:
    """A job of this process, and the thread that waits for its end."""

    def __init__(self, process: subprocess.Popen[bytes], folder: JobFolder, grace_s: float) -> None:
        self.process = process
        self.grace_s = grace_s
        self.has_ended = threading.Event()
        self._folder = folder
        threading.Thread(target=self._wait, name="mlcore-job", daemon=True).start()

    def _wait(self) -> None:
        code = self.process.wait()
        _guard.release(self.process.pid)
        self._folder.end(code)
        self.has_ended.set()


class LocalBackend:
    """Run jobs as processes of this machine, each in a process group of its own.

    They end with the process that submitted them, however that ends.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Keep what belongs to jobs below *root*, by default in the user's cache directory."""
        self._root = root or cache_directory() / "jobs"
        self._mine: dict[str, _Mine] = {}

    def check(self, job: Job) -> None:
        """Look at the configuration. Raises ProjectError: an unknown key, or a value that cannot be used."""
        grace_of(job.config)

    def submit(self, job: Job) -> str:
        """Start the job and return its id at once. Raises InvalidParameterError: the program cannot be started."""
        grace_s = grace_of(job.config)
        prune(self._root)
        job_id = uuid4().hex
        folder = JobFolder(self._root / job_id)
        folder.make()
        try:
            with folder.output.open("ab") as output:
                process = subprocess.Popen(  # noqa: S603  # running the user's command is what a backend is for
                    job.argv,
                    cwd=job.directory,
                    env={**os.environ, **job.env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as err:
            folder.delete()
            raise InvalidParameterError(_not_started(job, err)) from err
        except BaseException:
            folder.delete()
            raise
        folder.begin(process.pid)
        _guard.watch(process.pid, started(process.pid), grace_s)
        self._mine[job_id] = _Mine(process, folder, grace_s)
        return job_id

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state. Raises NotFoundError: no such job."""
        return self._status(self._find(job_id))

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the job's output line by line until it ends; a very long line comes in pieces."""
        return lines_of(self.output(job_id))

    def output(self, job_id: str) -> Iterator[bytes]:
        """Yield the job's output in pieces as it comes, until the job ends."""
        folder, pause_s = self._find(job_id), _SOONEST_S
        with folder.output.open("rb") as file:
            while True:
                has_ended = self._has_ended(folder)  # asked first, lest the last words are missed
                piece = file.read(_PIECE)
                if piece:
                    pause_s = _SOONEST_S
                    yield piece
                elif has_ended:
                    return
                else:
                    self._await(folder, pause_s)
                    pause_s = min(2 * pause_s, _LATEST_S)

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        folder, pause_s = self._find(job_id), _SOONEST_S
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._has_ended(folder):
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            if job_id in self._mine:
                self._mine[job_id].has_ended.wait(left)
                continue
            time.sleep(pause_s if left is None else min(pause_s, left))
            pause_s = min(2 * pause_s, _LATEST_S)
        return self._status(folder)

    def ended(self, job_id: str) -> JobEnd:
        """Return how a job ended; an empty record while it goes on."""
        end = self._find(job_id).ended()
        if end is None:
            return JobEnd()
        if end.code is None:
            return JobEnd(reason="the process that started it was gone, nobody saw how it ended")
        if end.code < 0:
            return JobEnd(signal=_name(-end.code))
        return JobEnd(exit_code=end.code)

    def signal(self, job_id: str, number: int) -> None:
        """Send a signal to all processes of the job; nothing happens when it has ended."""
        folder = self._find(job_id)
        if folder.ended() is None:
            _send(folder.begun(), number)

    def cancel(self, job_id: str) -> None:
        """Stop the job: SIGTERM, and SIGKILL when it is still there after its time; return when it has ended."""
        folder = self._find(job_id)
        if self._has_ended(folder):
            return
        folder.mark_cancelled()
        begun, mine = folder.begun(), self._mine.get(job_id)
        _send(begun, signal.SIGTERM)
        with contextlib.suppress(NotFoundError):  # who started it has seen its end, and forgotten it
            self.wait(job_id, mine.grace_s if mine else grace_of({}))
        _send(begun, getattr(signal, "SIGKILL", signal.SIGTERM))  # also to what the command has left behind
        with contextlib.suppress(NotFoundError):
            self.wait(job_id, None)

    def forget(self, job_id: str) -> None:
        """Delete what is kept of a job that has ended."""
        folder = JobFolder(self._root / job_id)
        if folder.exists and folder.ended() is not None:
            folder.delete()
            self._mine.pop(job_id, None)

    def _find(self, job_id: str) -> JobFolder:
        folder = JobFolder(self._root / job_id)
        if not job_id.isalnum() or not folder.exists:
            raise self._unknown(job_id)
        return folder

    def _unknown(self, job_id: str) -> NotFoundError:
        return NotFoundError(f"no job {job_id!r} on this machine: nothing is kept of it in {str(self._root)!r}")

    def _has_ended(self, folder: JobFolder) -> bool:
        mine = self._mine.get(folder.path.name)
        if mine:
            return mine.has_ended.is_set()
        return folder.ended() is not None or not folder.exists  # who started it has ended, and forgotten it

    def _await(self, folder: JobFolder, pause_s: float) -> None:
        mine = self._mine.get(folder.path.name)
        if mine:
            mine.has_ended.wait(pause_s)
        else:
            time.sleep(pause_s)

    def _status(self, folder: JobFolder) -> JobStatus:
        if not self._has_ended(folder):
            return JobStatus.RUNNING
        end = folder.ended()
        if end is None:
            raise self._unknown(folder.path.name)
        if end.code == 0:
            return JobStatus.FINISHED
        killed = end.is_cancelled or (end.code is not None and -end.code in _STOPS)
        return JobStatus.KILLED if killed else JobStatus.FAILED


def _send(begun: Begin | None, number: int) -> None:
    if begun is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone; or, on macOS, a zombie
        if sys.platform == "win32":  # pragma: no cover
            os.kill(begun.pid, signal.SIGTERM)
        else:
            os.killpg(begun.pid, number)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _not_started(job: Job, err: OSError) -> str:
    why = err.strerror or str(err)
    if not job.directory.is_dir():
        return f"cannot start {job.argv[0]!r}: there is no directory {str(job.directory)!r}"
    return f"cannot start {job.argv[0]!r}: {why.lower()}; is it on PATH?"
