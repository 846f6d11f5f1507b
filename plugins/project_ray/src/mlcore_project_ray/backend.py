"""Jobs on a Ray cluster, by the Ray Jobs API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import Job, JobEnd, JobStatus
from mlcore.projects.packing import with_inputs_along, zipped
from mlcore.projects.polling import ENDED, Patience
from mlcore.projects.reach import check_tracking, is_here
from mlcore_project_ray.dashboard import Dashboard
from mlcore_project_ray.options import RayOptions, default_address
from mlcore_project_ray.request import entrypoint, runtime_env

_STATUS = {
    "PENDING": JobStatus.PENDING,
    "RUNNING": JobStatus.RUNNING,
    "SUCCEEDED": JobStatus.FINISHED,
    "FAILED": JobStatus.FAILED,
    "STOPPED": JobStatus.KILLED,
}
_LIMIT_BYTES = 100 << 20  # what a dashboard takes in one request
_COMMAND_FAILED = "JOB_ENTRYPOINT_COMMAND_ERROR"  # its own output says why; any other failure is told by Ray alone
_SHARE = 10  # of the time, reading the log anew and anew may take one part in so many


class RayBackend:
    """Run projects as Ray jobs.

    An id is `SUBMISSION@ADDRESS`; without an address, the cluster of Ray's own variables is meant.
    """

    environment_kinds: tuple[str, ...] = ("local", "python")

    def __init__(self, patience: Patience | None = None) -> None:
        """Connect to nothing yet.

        patience: how often to ask a cluster, and how long to bear that it does not answer.
        """
        self._patience = patience or Patience()
        self._dashboards: dict[str, Dashboard] = {}

    def check(self, job: Job) -> None:
        """Look at the configuration and the requirements, and whether the job could record; the cluster is not asked.

        Raises ProjectError: something of it is not as it should be.
        """
        options = RayOptions.of(job.config)
        address = options.address.rstrip("/")
        if not is_here(urlsplit(address).hostname or ""):
            check_tracking(job.env, f"the Ray cluster {address!r}", is_told=False)
        runtime_env(job, options, "")

    def submit(self, job: Job) -> str:
        """Send the project, unless the cluster has these very files, and start its command."""
        options = RayOptions.of(job.config)
        address = options.address.rstrip("/")
        along: Mapping[str, Path] = {}
        if not is_here(urlsplit(address).hostname or ""):
            check_tracking(job.env, f"the Ray cluster {address!r}")
            job, along = with_inputs_along(job)
        dashboard = self._dashboard(address)
        dashboard.check()
        packed = zipped(job.directory, excludes=options.excludes, along=along, limit_bytes=_LIMIT_BYTES)
        submission = f"mlcore-{job.run_id[:12]}-{uuid4().hex[:8]}"
        own = f"_{submission}" if options.own_directory else ""
        package = dashboard.upload(f"_ray_pkg_{packed.digest[:32]}{own}.zip", packed.content)
        dashboard.submit(
            {
                "submission_id": submission,
                "entrypoint": entrypoint(job, options),
                "runtime_env": runtime_env(job, options, package),
                "metadata": {"mlcore.run_id": job.run_id, "job_name": job.name or submission, **options.metadata},
                **options.resources,
            }
        )
        return f"{submission}@{address}"

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state as the cluster tells it. Raises NotFoundError, StoreUnavailableError."""
        return _status(self._info(job_id))

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the job's output line by line until it ends; what Ray adds is left out, unless Ray tells why it failed."""
        submission, dashboard = self._found(job_id)
        pause = self._patience.first_s
        told = 0
        while True:
            info = self._patience.ask(partial(dashboard.job, submission), f"job {job_id!r}")
            began = time.monotonic()
            read = partial(dashboard.log, submission, str(info.get("driver_node_id") or ""))
            lines, has_begun = _output(self._patience.ask(read, f"the output of job {job_id!r}"), info)
            took_s = time.monotonic() - began
            has_ended = _status(info) in ENDED
            # the last line may still grow
            whole = lines if has_ended else lines[: max(told, len(lines) - 1)]
            yield from whole[told:]
            pause = self._patience.first_s if len(whole) > told else min(1.3 * pause, self._patience.most_s)
            told = len(whole)
            if has_ended:
                yield from () if has_begun and info.get("error_type") in (None, _COMMAND_FAILED) else _reason(info)
                return
            time.sleep(max(pause, _SHARE * took_s))

    def cancel(self, job_id: str) -> None:
        """Ask Ray to end the job, by SIGTERM and then SIGKILL; nothing happens when it has ended."""
        submission, dashboard = self._found(job_id)
        if _status(dashboard.job(submission)) not in ENDED:
            dashboard.stop(submission)

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        return self._patience.wait(partial(self.status, job_id), timeout_s, f"job {job_id!r}")

    def ended(self, job_id: str) -> JobEnd:
        """Return how a job ended: the command's exit code, or why Ray could not run it."""
        info = self._info(job_id)
        if _status(info) not in ENDED:
            return JobEnd()
        code = info.get("driver_exit_code")
        has_told = info.get("error_type") in (None, _COMMAND_FAILED)
        return JobEnd(
            code if isinstance(code, int) else None, reason="" if has_told else str(info.get("message") or "")
        )

    def _info(self, job_id: str) -> Mapping[str, object]:
        submission, dashboard = self._found(job_id)
        return dashboard.job(submission)

    def _found(self, job_id: str) -> tuple[str, Dashboard]:
        submission, _, address = job_id.partition("@")
        try:
            return submission, self._dashboard(address or default_address())
        except InvalidParameterError as err:
            raise NotFoundError(f"no job {job_id!r}: an id of ray is SUBMISSION@ADDRESS, but {err}") from err

    def _dashboard(self, address: str) -> Dashboard:
        if address not in self._dashboards:
            self._dashboards[address] = Dashboard(address, pause_s=self._patience.first_s)
        return self._dashboards[address]


def _status(info: Mapping[str, object]) -> JobStatus:
    return _STATUS.get(str(info.get("status")), JobStatus.PENDING)


def _output(log: str, info: Mapping[str, object]) -> tuple[list[str], bool]:
    """Return the lines that the command wrote so far, and whether it was started."""
    header = f"Running entrypoint for job {info.get('submission_id')}: {info.get('entrypoint')}\n"
    _, found, output = log.partition(header.replace("\r\n", "\n").replace("\r", "\n"))
    lines = output.split("\n")
    if lines[-1] == "" and _status(info) in ENDED:
        lines.pop()
    return lines, bool(found)


def _reason(info: Mapping[str, object]) -> list[str]:
    return str(info.get("message") or "").splitlines() if _status(info) is JobStatus.FAILED else []
