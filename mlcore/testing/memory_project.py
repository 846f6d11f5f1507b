"""A project backend that keeps jobs and output in memory: a fake, and the shortest complete example."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from uuid import uuid4

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import Job, JobStatus


class _Running:
    """A process, the thread that reads it, and its lines so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.more = threading.Condition()
        self.status = JobStatus.RUNNING
        self.cancelled = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        output = self.process.stdout
        if output is not None:
            with output:
                for line in output:
                    with self.more:
                        self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                        self.more.notify_all()
        code = self.process.wait()
        with self.more:
            ended = JobStatus.FAILED if code else JobStatus.FINISHED
            self.status = JobStatus.KILLED if self.cancelled else ended
            self.more.notify_all()


class MemoryBackend:
    """Run jobs as processes of this machine."""

    def __init__(self) -> None:
        """Start without jobs."""
        self._jobs: dict[str, _Running] = {}

    def submit(self, job: Job) -> str:
        """Start the job and return its id at once. Raises InvalidParameterError: the program cannot be started."""
        try:
            process = subprocess.Popen(  # noqa: S603  # running the user's command is what a backend is for
                job.argv,
                cwd=job.directory,
                env={**os.environ, **job.env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as err:
            raise InvalidParameterError(f"cannot start {job.argv[0]!r}: {err.strerror}; is it on PATH?") from err
        job_id = uuid4().hex
        self._jobs[job_id] = _Running(process)
        return job_id

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state. Raises NotFoundError: no such job."""
        return self._find(job_id).status

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the job's output line by line until it ends."""
        running, number = self._find(job_id), 0
        while True:
            with running.more:
                while number == len(running.lines) and running.status is JobStatus.RUNNING:
                    running.more.wait()
                if number == len(running.lines):
                    return
                line = running.lines[number]
            number += 1
            yield line

    def cancel(self, job_id: str) -> None:
        """Stop the job; nothing happens when it has ended."""
        running = self._find(job_id)
        with running.more:
            if running.process.poll() is None:
                running.cancelled = True
                running.process.kill()

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        running = self._find(job_id)
        running.reader.join(timeout_s)
        return running.status

    def close(self) -> None:
        """Stop what still runs."""
        for job_id, running in self._jobs.items():
            self.cancel(job_id)
            running.reader.join()

    def _find(self, job_id: str) -> _Running:
        if job_id not in self._jobs:
            raise NotFoundError(f"no job {job_id!r} in memory: jobs are known to the backend that started them")
        return self._jobs[job_id]
