"""Jobs in a Databricks workspace, by the Jobs API."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from uuid import uuid4

from mlcore.errors import MlcoreError, NotFoundError, ProjectError
from mlcore.interfaces import EnvironmentSpec, Job, JobEnd, JobStatus
from mlcore.projects.packing import tarball, with_inputs_along
from mlcore.projects.polling import ENDED, Patience
from mlcore.projects.reach import check_tracking
from mlcore_project_databricks.login import login_for
from mlcore_project_databricks.options import DatabricksOptions
from mlcore_project_databricks.output import OutputReader
from mlcore_project_databricks.runs import RunState
from mlcore_project_databricks.storage import Storage, storage_at
from mlcore_project_databricks.workspace import Workspace

_API = "/api/2.1/jobs/runs"
_LIMIT_BYTES = 500 << 20
_JOB = "job.json"
_LOGGER = logging.getLogger("mlcore.projects")


class DatabricksBackend:
    """Run projects as one-time runs of Databricks.

    An id is `RUN@PLACE`, a number of Databricks and a profile or host.
    """

    environment_kinds: tuple[str, ...] = ("local", "python")

    def __init__(self, patience: Patience | None = None, config: Mapping[str, object] | None = None) -> None:
        """Connect to nothing yet.

        patience: how often to ask a workspace, and how long to bear that it does not answer.
        config: of jobs that bring none.
        """
        self._config = config or {}
        self._patience = patience or Patience(1.0, 10.0)
        self._workspaces: dict[str, Workspace] = {}

    def check(self, job: Job) -> None:
        """Look at configuration, login and requirements, and whether the job could record; the workspace is not asked.

        Raises ProjectError: something of it is not as it should be. UnauthenticatedError: there is no login.
        """
        options = DatabricksOptions.of(job.config or self._config)
        env, profile = _env(job)
        login = login_for(options.profile or profile)
        check_tracking(env, f"the Databricks workspace {login.host!r}", is_told=False)
        _requirements(job.environment)

    def submit(self, job: Job) -> str:
        """Send the project, unless the workspace has these very files, and have a run made for its command."""
        options = DatabricksOptions.of(job.config or self._config)
        env, profile = _env(job)
        workspace = self._workspace(options.profile or profile)
        check_tracking(env, f"the Databricks workspace {workspace.login.host!r}")
        job, along = with_inputs_along(job)
        requirements = _requirements(job.environment)
        packed = tarball(job.directory, excludes=options.excludes, along=along, limit_bytes=_LIMIT_BYTES)
        storage = storage_at(workspace, options.storage)
        archive = _kept(storage, f"code/{packed.digest}.tar.gz", packed.content)
        runner = _kept(storage, f"runner/{_runner()[0]}.py", _runner()[1])
        token = f"{job.run_id[:12]}-{uuid4().hex[:12]}"
        described = {
            "argv": job.argv,
            "env": env,
            "archive": storage.mounted(archive),
            "output": storage.mounted(f"jobs/{token}"),
            "requirements": requirements,
            "python": None if options.any_python else _python(job.environment),
        }
        storage.write(f"jobs/{token}/{_JOB}", json.dumps(described).encode())
        task = {
            "task_key": "project",
            # a path and nothing else: Databricks fills in parameters with {{...}}, and shows them to all who see the run
            "spark_python_task": {
                "python_file": storage.program(runner),
                "parameters": [storage.mounted(f"jobs/{token}/{_JOB}")],
            },
            **options.cluster,
            **({"libraries": options.libraries} if options.libraries else {}),
        }
        request: dict[str, object] = {
            "run_name": f"mlcore: {job.name or job.directory.name}",
            "idempotency_token": token,
            "tasks": [task],
        }
        if options.timeout_s is not None:
            request["timeout_seconds"] = options.timeout_s
        run_id = workspace.post(f"{_API}/submit", request)["run_id"]
        return f"{run_id}@{workspace.login.place}"

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state as the workspace tells it. Raises NotFoundError, StoreUnavailableError."""
        return self._state(job_id).status

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the job's output line by line until it ends; what Databricks says of an end that the command did not make."""
        about = f"job {job_id!r}"
        reader: OutputReader | None = None
        pause = self._patience.first_s
        while True:
            state = self._patience.ask(partial(self._state, job_id), about)
            reader = reader or self._reader(job_id, state)
            # before the end is looked at, no output is missed; after it, none comes
            found: list[str] = []
            if reader is not None:
                self._patience.ask(partial(_extend, found, reader), f"the output of {about}")
            yield from found
            if state.status in ENDED:
                yield from reader.rest() if reader else ()
                yield from self._reason(job_id, state, reader)
                return
            pause = self._patience.first_s if found else min(1.3 * pause, self._patience.most_s)
            time.sleep(pause)

    def cancel(self, job_id: str) -> None:
        """Ask Databricks to end the run; nothing happens when it has ended."""
        number, workspace = self._found(job_id)
        if self.status(job_id) not in ENDED:
            workspace.post(f"{_API}/cancel", {"run_id": number})

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed."""
        return self._patience.wait(partial(self.status, job_id), timeout_s, f"job {job_id!r}")

    def ended(self, job_id: str) -> JobEnd:
        """Return how a job ended: the command's exit code, or what Databricks says."""
        state = self._state(job_id)
        if state.status not in ENDED:
            return JobEnd()
        reader = self._reader(job_id, state)
        code = reader.exit_code() if reader else None
        return JobEnd(exit_code=code, reason="" if code is not None else state.reason)

    def _state(self, job_id: str) -> RunState:
        number, workspace = self._found(job_id)
        try:
            return RunState.of(workspace.get(f"{_API}/get", run_id=number))
        except NotFoundError as err:
            raise NotFoundError(f"no job {job_id!r} in the workspace {workspace.login.host!r}: {err}") from err

    def _found(self, job_id: str) -> tuple[int, Workspace]:
        number, _, place = job_id.partition("@")
        if not (number.isascii() and number.isdigit()):
            raise NotFoundError(f"no job {job_id!r}: an id of databricks is RUN@PLACE, where RUN is a number")
        return int(number), self._workspace(place)

    def _workspace(self, place: str) -> Workspace:
        if place not in self._workspaces:
            self._workspaces[place] = Workspace(login_for(place), self._patience.first_s)
        return self._workspaces[place]

    def _reader(self, job_id: str, state: RunState) -> OutputReader | None:
        """Find a job's output by the path that its task was given."""
        path = state.parameters[0] if state.parameters else ""
        root, is_ours, token = path.removesuffix(f"/{_JOB}").rpartition("/jobs/")
        if not is_ours:
            return None
        place = f"dbfs:{root.removeprefix('/dbfs')}" if root.startswith("/dbfs/") else root
        return OutputReader(storage_at(self._found(job_id)[1], place), f"jobs/{token}")

    def _reason(self, job_id: str, state: RunState, reader: OutputReader | None) -> list[str]:
        """Return what Databricks says of a job that failed before its command did."""
        if state.status is not JobStatus.FAILED or (reader is not None and reader.exit_code() is not None):
            return []
        try:
            found = self._found(job_id)[1].get(f"{_API}/get-output", run_id=state.task_run_id)
        except MlcoreError as err:
            _LOGGER.debug("no output of run %s: %s", job_id, err)
            found = {}
        texts = (state.reason, str(found.get("error") or ""), str(found.get("error_trace") or ""))
        return [line for text in texts for line in text.splitlines()]


def _extend(found: list[str], reader: OutputReader) -> None:
    for line in reader.lines():  # one by one: what was read before the workspace stopped to answer is not read again
        found.append(line)


def _env(job: Job) -> tuple[Mapping[str, str], str]:
    """Return the job's variables and the profile that its tracking URI names; a cluster knows its own workspace."""
    env = dict(job.env)
    profile = ""
    for name in ("MLFLOW_TRACKING_URI", "MLCORE_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLCORE_REGISTRY_URI"):
        scheme, _, rest = env.get(name, "").partition("://")
        if scheme in ("databricks", "databricks-uc"):
            profile = profile or rest
            env[name] = scheme
    return env, profile


def _kept(storage: Storage, name: str, content: bytes) -> str:
    """Store what is named by its content, unless it is there; return the name."""
    if not storage.exists(name):
        storage.write(name, content)
    return name


@cache
def _runner() -> tuple[str, bytes]:
    """Return the runner's text and hash."""
    content = Path(__file__).with_name("job_runner.py").read_bytes()
    return hashlib.sha256(content).hexdigest()[:16], content


def _requirements(spec: EnvironmentSpec | None) -> tuple[str, ...]:
    lines = spec.requirements if spec else ()
    for line in lines:
        if any(word.startswith(("/", "file:", "./", "../")) for word in line.split()):
            raise ProjectError(
                f"the requirement {line!r} is a path of this machine, which a cluster does not have: put a wheel where the "
                "cluster's pip finds it, or the code into the project"
            )
    return lines


def _python(spec: EnvironmentSpec | None) -> str | None:
    return ".".join(spec.python.split(".")[:2]) if spec and spec.python else None
