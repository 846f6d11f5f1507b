"""Running projects from Python: what is recorded, and what every kind of end becomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import mlcore
from mlcore import projects
from mlcore.delivery.locks import lives
from mlcore.entities import Run, RunStatus
from mlcore.errors import (
    ExecutionError,
    InvalidStateError,
    MlcoreError,
    NotFoundError,
    PluginNotFoundError,
    ProjectError,
    StoreUnavailableError,
)
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Job, JobStatus, ProjectBackend
from mlcore.plugins import current
from mlcore.projects.running_lock import running_lock
from mlcore.testing.memory_project import MemoryBackend

MLPROJECT = """
name: wine
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      name: {default: pinot}
    command: "sh train.sh {alpha} {name}"
  step:
    command: "sh step.sh"
"""

Make = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """Make a project whose entry point `main` is a script of the given text."""

    def make(script: str, **more: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir(exist_ok=True)
        (folder / "MLproject").write_text(MLPROJECT)
        (folder / "train.sh").write_text(script)
        for name, text in more.items():
            (folder / name.replace("_", ".")).write_text(text)
        return folder

    return make


def output_of(run_id: str) -> str:
    return Path(mlcore.artifacts.download_artifacts(run_id=run_id, artifact_path="project/output.log")).read_text()


def last_run() -> Run:
    return mlcore.search_runs(output_format="list", max_results=1)[0]


def test_a_finished_run_tells_what_ran(project: Make) -> None:
    folder = project('echo "$1 $2"')

    submitted = projects.run(folder, parameters={"alpha": 0.25})

    run = mlcore.get_run(submitted.run_id)
    assert submitted.get_status() is RunStatus.FINISHED
    assert submitted.wait()
    assert run.data.params == {"alpha": "0.25", "name": "pinot"}
    assert output_of(run.info.run_id) == "0.25 pinot\n"
    tags = run.data.tags
    assert tags["mlflow.source.type"] == "PROJECT"
    assert tags["mlflow.source.name"] == tags["mlcore.project.uri"] == str(folder)
    assert tags["mlflow.project.entryPoint"] == "main"
    assert (tags["mlflow.project.backend"], tags["mlflow.project.env"]) == ("local", "local")
    assert json.loads(tags["mlcore.project.parameters"]) == {"alpha": 0.25}
    assert "mlcore.heartbeat" not in tags


def test_the_environment_of_a_run_is_kept_with_it(project: Make) -> None:
    run_id = projects.run(project("true")).run_id

    kept = Path(mlcore.artifacts.download_artifacts(run_id=run_id, artifact_path="project"))
    assert any(line.startswith("attrs==") for line in (kept / "requirements.lock.txt").read_text().splitlines())
    assert json.loads((kept / "environment.json").read_text())["manager"] == "local"


def test_a_failed_command_fails_the_run_and_the_call(project: Make) -> None:
    with pytest.raises(ExecutionError, match="exit code 3"):
        projects.run(project("echo before; exit 3"))

    run = last_run()
    assert run.info.status is RunStatus.FAILED
    assert run.data.tags["mlcore.exit.code"] == "3"
    assert run.data.tags["mlcore.error.message"] == "the command ended with exit code 3"
    assert output_of(run.info.run_id) == "before\n"


@pytest.mark.parametrize(
    ("name", "status"), [("KILL", RunStatus.KILLED), ("TERM", RunStatus.KILLED), ("SEGV", RunStatus.FAILED)]
)
def test_a_command_that_a_signal_ends_leaves_the_signal_with_its_run(
    project: Make, name: str, status: RunStatus
) -> None:
    with pytest.raises(ExecutionError, match=f"SIG{name}"):
        projects.run(project(f"ulimit -c 0; kill -{name} $$"))

    run = last_run()
    assert (run.info.status, run.data.tags["mlcore.signal"]) == (status, f"SIG{name}")


def test_what_the_code_says_of_its_run_does_not_decide_how_that_ended(project: Make) -> None:
    code = "import mlcore\nwith mlcore.start_run(): mlcore.log_metric('m', 1)\nraise SystemExit(4)\n"

    with pytest.raises(ExecutionError):
        projects.run(project("python code.py", code_py=code))

    run = last_run()
    assert run.data.metrics == {"m": 1.0}
    assert run.info.status is RunStatus.FAILED
    assert run.data.tags["mlcore.exit.code"] == "4"


@pytest.mark.parametrize(
    ("script", "kept"),
    [
        (r"printf 'no end'", b"no end"),
        (r"printf '\377\376 raw\n'", b"\xff\xfe raw\n"),
        (r"printf 'bar 1%%\rbar 2%%\r\n'", b"bar 1%\rbar 2%\r\n"),
        ("true", b""),
    ],
)
def test_output_is_kept_to_the_byte(
    project: Make, capfdbinary: pytest.CaptureFixture[bytes], script: str, kept: bytes
) -> None:
    run_id = projects.run(project(script)).run_id

    path = mlcore.artifacts.download_artifacts(run_id=run_id, artifact_path="project/output.log")
    assert Path(path).read_bytes() == kept


def test_both_streams_are_in_one_log_in_their_order(project: Make) -> None:
    run_id = projects.run(project("echo one; echo two >&2; echo three")).run_id

    assert output_of(run_id) == "one\ntwo\nthree\n"


def test_what_cannot_run_starts_nothing(project: Make, tmp_path: Path) -> None:
    folder = project("true")
    for wrong, error in (
        ({"uri": tmp_path / "nowhere"}, ProjectError),
        ({"uri": folder, "entry_point": "mian"}, ProjectError),
        ({"uri": folder, "parameters": {"alpha": "high"}}, ProjectError),
        ({"uri": folder, "backend": "moon"}, PluginNotFoundError),
        ({"uri": folder, "backend_config": "{"}, ProjectError),
        ({"uri": folder, "backend_config": tmp_path / "none.json"}, ProjectError),
        ({"uri": folder, "docker_args": {"gpus": "all"}}, ProjectError),
        ({"uri": folder, "docker_auth": {"user": "me"}}, ProjectError),
        ({"uri": folder, "experiment_id": "77"}, NotFoundError),
        ({"uri": folder, "run_id": "f" * 32}, NotFoundError),
    ):
        with pytest.raises(error):
            projects.run(**wrong)

    assert mlcore.search_runs(output_format="list") == []


def test_a_program_that_is_not_there_fails_the_run_and_is_named(project: Make) -> None:
    folder = project("true")
    (folder / "MLproject").write_text("entry_points: {main: {command: no-such-program 1}}")

    with pytest.raises(MlcoreError, match="no-such-program"):
        projects.run(folder)

    run = last_run()
    assert run.info.status is RunStatus.FAILED
    assert "no-such-program" in run.data.tags["mlcore.error.message"]
    assert "no-such-program" in output_of(run.info.run_id)


def test_a_run_belongs_below_the_active_one(project: Make) -> None:
    folder = project("true")
    with mlcore.start_run() as parent:
        child = projects.run(folder).run_id
        mlcore.log_metric("after", 1)

    assert mlcore.get_run(child).data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert mlcore.get_run(parent.info.run_id).data.metrics == {"after": 1.0}
    assert mlcore.get_run(child).data.metrics == {}


def test_a_step_that_a_projects_command_runs_is_nested_in_its_run(project: Make) -> None:
    code = "import mlcore.projects as p\np.run('.', 'step')\n"
    run_id = projects.run(project("python code.py", code_py=code, step_sh="echo a step")).run_id

    step = next(r for r in mlcore.search_runs(output_format="list") if r.info.run_id != run_id)
    assert step.data.tags["mlflow.parentRunId"] == run_id
    assert step.info.experiment_id == mlcore.get_run(run_id).info.experiment_id
    assert output_of(run_id) == "a step\n"


def test_experiment_name_and_run_name_are_the_ones_that_were_asked_for(project: Make) -> None:
    run = mlcore.get_run(projects.run(project("true"), experiment_name="wines", run_name="first").run_id)

    assert mlcore.get_experiment(run.info.experiment_id).name == "wines"
    assert run.info.run_name == "first"


def test_an_existing_run_is_recorded_into(project: Make) -> None:
    with mlcore.start_run() as earlier:
        mlcore.log_metric("m", 1)
    run_id = earlier.info.run_id

    submitted = projects.run(project("echo $MLFLOW_RUN_ID $MLCORE_RUN_ID"), run_id=run_id, run_name="again")

    run = mlcore.get_run(run_id)
    assert submitted.run_id == run_id
    assert output_of(run_id) == f"{run_id} {run_id}\n"
    assert (run.info.run_name, run.data.metrics["m"]) == ("again", 1.0)
    assert run.data.tags["mlflow.source.type"] == "PROJECT"


def test_a_run_that_this_program_has_open_is_not_given_away(project: Make) -> None:
    with mlcore.start_run() as run, pytest.raises(ProjectError, match="is open in this program"):
        projects.run(project("true"), run_id=run.info.run_id)

    mlcore.delete_run(run.info.run_id)
    with pytest.raises(InvalidStateError, match="deleted"):
        projects.run(project("true"), run_id=run.info.run_id)


def test_a_command_is_stopped_when_its_time_is_over(project: Make) -> None:
    with pytest.raises(ExecutionError, match=r"stopped after its time of 0\.3 s"):
        projects.run(project("echo begun; exec sleep 600"), timeout_s=0.3)

    run = last_run()
    assert run.info.status is RunStatus.FAILED
    assert output_of(run.info.run_id) == "begun\n"


def test_passwords_of_this_process_reach_the_command_and_nothing_else(
    project: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hush-hush")
    folder = project('test "$MLFLOW_TRACKING_TOKEN" = hush-hush; echo $?')

    run_id = projects.run(folder, parameters={"name": "https://me:hush-hush@host/x"}).run_id

    run = mlcore.get_run(run_id)
    kept = Path(mlcore.artifacts.download_artifacts(run_id=run_id, artifact_path="project"))
    assert (kept / "output.log").read_text() == "0\n"
    assert "hush-hush" not in repr(run)
    assert [path.name for path in kept.iterdir() if b"hush-hush" in path.read_bytes()] == []


def test_settings_of_the_caller_hold_for_the_command_in_another_directory(project: Make, tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('tracking_uri = "sqlite:///kept/here.db"\nstrict = true\n')
    (tmp_path / "kept").mkdir()
    code = "import mlcore; print(mlcore.get_tracking_uri()); mlcore.log_metric('m', 1)"

    run_id = projects.run(project("python code.py; env | grep STRICT", code_py=code)).run_id

    assert output_of(run_id) == f"sqlite:///{tmp_path}/kept/here.db\nMLCORE_STRICT=true\n"
    assert mlcore.get_run(run_id).data.metrics == {"m": 1.0}


class Backend:
    """The hook of a backend of the test's own."""

    def __init__(self, backend: ProjectBackend) -> None:
        self.backend = backend

    @hookimpl
    def project_backend(self, name: str) -> ProjectBackend | None:
        return self.backend if name == "mine" else None


class Dying(MemoryBackend):
    """A backend that stops answering once a job runs."""

    error: MlcoreError = StoreUnavailableError("the cluster is gone")

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        raise self.error


class Forgetful(Dying):
    error = NotFoundError("no job 'x' here")


class Refusing(MemoryBackend):
    def submit(self, job: Job) -> str:
        raise ProjectError("the cluster is full")


@pytest.mark.parametrize(
    ("kind", "why"),
    [(Dying, "the backend lost the job: the cluster is gone"), (Forgetful, "no job 'x'"), (Refusing, "is full")],
)
def test_a_backend_that_dies_leaves_the_run_failed_with_the_reason(
    project: Make, monkeypatch: pytest.MonkeyPatch, kind: type[MemoryBackend], why: str
) -> None:
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.05")
    backend = kind()
    undo = current().register(Backend(backend))
    try:
        with pytest.raises(MlcoreError, match=why):
            projects.run(project("exit 0"), backend="mine")
    finally:
        undo()
        backend.close()

    run = last_run()
    assert run.info.status is RunStatus.FAILED
    assert why in run.data.tags["mlcore.error.message"]


def test_a_backend_without_abilities_is_enough(project: Make) -> None:
    backend = MemoryBackend()
    undo = current().register(Backend(backend))
    try:
        run_id = projects.run(project("echo one; printf two"), backend="mine").run_id
        with pytest.raises(ExecutionError, match="the command failed"):
            projects.run(project("exit 5"), backend="mine")
    finally:
        undo()

    assert output_of(run_id) == "one\ntwo\n"


def test_a_run_that_nobody_waits_for_goes_on_in_a_process_of_its_own(project: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    folder = project(f"echo begun; cat {gate}; exit 0")

    submitted = projects.run(folder, synchronous=False)

    lines = submitted.logs()
    assert next(lines) == "begun"
    assert submitted.get_status() is RunStatus.RUNNING
    assert not submitted.wait(0.01)
    gate.write_text("opened\n")
    assert list(lines) == ["opened"]
    assert submitted.wait(60)
    assert submitted.get_status() is RunStatus.FINISHED
    assert list(submitted.logs()) == ["begun", "opened"]


def test_a_cancelled_run_is_killed_with_all_its_processes(project: Make, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    submitted = projects.run(project(f"sleep 600 & echo $! > {pid}; echo up; wait"), synchronous=False)
    assert next(submitted.logs()) == "up"

    submitted.cancel()
    submitted.cancel()

    assert submitted.get_status() is RunStatus.KILLED
    assert not submitted.wait()
    assert not lives(int(pid.read_text()))


def test_runs_of_several_threads_do_not_disturb_each_other(project: Make) -> None:
    folder, found = project("echo $1"), {}

    def work(number: int) -> None:
        found[number] = projects.run(folder, parameters={"alpha": number}).run_id

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {number: output_of(run_id) for number, run_id in found.items()} == {n: f"{n}\n" for n in range(4)}


def test_a_thread_that_logs_while_a_project_runs_means_the_programs_own_run(project: Make) -> None:
    with mlcore.start_run() as run:
        threading.Thread(target=lambda: mlcore.log_metric("m", 1)).start()
        child = projects.run(project("sleep 0.2")).run_id

    assert mlcore.get_run(run.info.run_id).data.metrics == {"m": 1.0}
    assert mlcore.get_run(child).data.metrics == {}


def test_importing_the_api_costs_nothing() -> None:
    code = "import sys, mlcore.projects; print([m for m in sys.modules if m.startswith('mlcore.projects.')])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_lock_of_the_running_environment_follows_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = running_lock()
    assert running_lock() == before

    (site / "acme-1.5.dist-info").mkdir()
    (site / "acme-1.5.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.5\n")

    assert set(running_lock()) - set(before) == {"acme==1.5"}


class _Looks:
    """A finder of distributions that finds none and counts how often it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def find_spec(self, *_: object) -> None:
        return None

    def find_distributions(self, *_: object) -> list[object]:
        self.count += 1
        return []


def test_what_is_installed_is_looked_up_once_for_runs_that_begin_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = _Looks()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, looks])
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))

    threads = [threading.Thread(target=running_lock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert looks.count == 1


def test_a_store_beside_the_program_is_nothing_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = _Looks()
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, looks])
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "work"))
    running_lock()

    (tmp_path / "work" / "mlcore.db").write_text("")
    running_lock()

    assert looks.count == 1


def test_a_token_in_place_of_a_user_is_in_no_record(project: Make) -> None:
    run_id = projects.run(project("exit 0"), parameters={"name": "https://ghp_abc@host/a.git"}).run_id

    run = mlcore.get_run(run_id)
    assert run.data.params["name"] == "https://***@host/a.git"
    assert "ghp_abc" not in str(run.data.tags)
