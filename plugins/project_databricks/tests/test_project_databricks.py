"""What a run of Databricks gets, what is refused before, and what is told when a workspace fails."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from attrs import evolve
from databricks_places import CLUSTER, TOKEN, Standin, start_standin
from mlcore_project_databricks.backend import DatabricksBackend
from mlcore_project_databricks.login import login_for
from mlcore_project_databricks.runs import RunState

import mlcore
from mlcore import projects
from mlcore.errors import (
    NotFoundError,
    PermissionDeniedError,
    ProjectError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.interfaces import EnvironmentSpec, Job, JobEnd, JobStatus
from mlcore.projects.polling import Patience

# values that a shell, or Databricks' references to values, would act on
ODD = (
    "$(touch canary)", "`touch canary`", "; touch canary", "\ntouch canary\n", "' ; touch canary ; '", "$HOME", "-rf",
    "*", "\\", "ß", "", "{{run.id}}", "{{job.name}}", "%s",
)  # fmt: skip
TELL = "import json, os, sys; print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if k[:2] == 'X_'}]))"
PATIENCE = Patience(0.02, 0.2, 20.0)


@pytest.fixture
def backend(standin: Standin) -> DatabricksBackend:
    return DatabricksBackend(PATIENCE, {"new_cluster": CLUSTER})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


def job(directory: Path, code: str, *arguments: str, **env: str) -> Job:
    return Job("a" * 32, (sys.executable, "-c", code, *arguments), directory, env)


def ran(backend: DatabricksBackend, asked: Job) -> tuple[JobStatus, list[str]]:
    job_id = backend.submit(asked)
    return backend.wait(job_id, 60.0), list(backend.logs(job_id))


def test_no_value_is_acted_on_and_none_is_shown_in_the_workspace(
    backend: DatabricksBackend, standin: Standin, project: Path
) -> None:
    variables = {f"X_{number}": value for number, value in enumerate(ODD)}

    status, lines = ran(backend, job(project, TELL, *ODD, **variables))

    assert status is JobStatus.FINISHED
    assert json.loads(lines[0]) == [list(ODD), variables]
    (task,) = standin.bodies()[-1]["tasks"]
    assert len(task["spark_python_task"]["parameters"]) == 1
    assert "canary" not in json.dumps(standin.bodies())


@pytest.mark.parametrize("storage", ["dbfs:/a place/here", "/Volumes/main/default/lab/a place"])
def test_code_and_output_go_through_dbfs_and_through_volumes(
    backend: DatabricksBackend, standin: Standin, project: Path, storage: str
) -> None:
    (project / "data.bin").write_bytes(os.urandom(1_500_000))  # more than DBFS takes in one request
    asked = job(project, "import os; print(os.path.getsize('data.bin'), 'x' * 300000); print('last')")
    config = {"new_cluster": CLUSTER, "storage": storage}
    before = len(standin.requests())

    first = ran(backend, evolve(asked, config=config))
    sent = [each for each in standin.requests()[before:] if "add-block" in each or each.endswith(".tar.gz")]
    second = ran(backend, evolve(asked, config=config))

    assert first == second == (JobStatus.FINISHED, [f"1500000 {'x' * 300000}", "last"])
    again = [
        each
        for each in standin.requests()[before:]
        if "add-block" in each or (each.startswith("PUT") and "tar" in each)
    ]
    assert len(again) <= len(sent)  # the project is sent once


def test_a_cluster_alone_is_a_configuration_as_mlflow_has_it(
    backend: DatabricksBackend, standin: Standin, project: Path
) -> None:
    assert ran(backend, evolve(job(project, "print(1)"), config=dict(CLUSTER))) == (JobStatus.FINISHED, ["1"])

    assert standin.bodies()[-1]["tasks"][0]["new_cluster"] == CLUSTER


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, "there is no cluster: expected 'new_cluster' with 'spark_version'"),
        ({"node_type_id": "i3.xlarge"}, "there is no cluster"),
        ({"new_cluster": CLUSTER, "librarys": []}, "unknown key 'librarys', did you mean 'libraries'?"),
        ({"new_cluster": CLUSTER, "existing_cluster_id": "x"}, "not both"),
        ({"existing_cluster_id": "x", "storage": "s3://bucket"}, "'storage' is 's3://bucket', expected 'dbfs:/...'"),
        (
            {"existing_cluster_id": "x", "timeout_seconds": "1h"},
            "'timeout_seconds' is '1h', expected a number of seconds",
        ),
    ],
)
def test_a_wrong_backend_configuration_is_refused(
    standin: Standin, project: Path, config: Mapping[str, object], told: str
) -> None:
    asked = evolve(job(project, "pass"), config=config)

    for refusing in (DatabricksBackend().submit, DatabricksBackend().check):
        with pytest.raises(ProjectError, match=told):
            refusing(asked)


def test_a_run_in_a_file_of_this_machine_is_refused(backend: DatabricksBackend, project: Path) -> None:
    asked = job(project, "pass", MLFLOW_TRACKING_URI="sqlite:////tmp/mlcore.db")

    for refusing in (backend.submit, backend.check):
        with pytest.raises(ProjectError, match="cannot record into 'sqlite', which is a place on this machine"):
            refusing(asked)


def test_what_will_be_refused_leaves_no_run(standin: Standin, project: Path, tmp_path: Path) -> None:
    (project / "main.sh").write_text("echo ran")
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/lab.db")

    for config in ({}, {"new_cluster": CLUSTER}):
        with pytest.raises(ProjectError):
            projects.run(project, "main.sh", backend="databricks", backend_config=config)

    assert mlcore.search_runs(output_format="list") == []


def test_files_given_as_parameters_go_along(backend: DatabricksBackend, project: Path, tmp_path: Path) -> None:
    inside, outside, folder = project / "rows.csv", tmp_path / "rows.csv", tmp_path / "rows"
    folder.mkdir()
    for path in (inside, outside, folder / "part"):
        path.write_text(f"of {path.parent.name}")
    code = "import sys; a, b, c = sys.argv[1:]; print(open(a[2:]).read(), open(b).read(), open(c + '/part').read())"
    asked = job(project, code, f"-a{inside}", str(outside), str(folder))

    status, lines = ran(backend, evolve(asked, inputs=(folder, inside, outside)))

    assert (status, lines) == (JobStatus.FINISHED, [f"of project of {tmp_path.name} of rows"])


def test_a_job_gets_the_clusters_own_workspace_and_no_credentials(
    standin: Standin, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "databrickscfg"
    file.write_text(f"[lab]\nhost = {standin.address}/\ntoken = {TOKEN}\n")
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    backend = DatabricksBackend(PATIENCE, {"new_cluster": CLUSTER})
    code = "import os; print(os.environ['MLFLOW_TRACKING_URI'], os.environ.get('DATABRICKS_TOKEN'))"

    job_id = backend.submit(job(project, code, MLFLOW_TRACKING_URI="databricks://lab"))

    assert job_id.endswith("@lab")
    assert backend.wait(job_id, 60.0) is JobStatus.FINISHED
    assert list(DatabricksBackend(PATIENCE).logs(job_id)) == ["databricks None"]


@pytest.mark.parametrize(
    ("token", "error", "told"),
    [
        (
            "dapi-wrong",
            UnauthenticatedError,
            "does not accept the credentials of the environment: Credential was not sent",
        ),
        ("dapi-denied", PermissionDeniedError, "to the credentials of the environment: User does not have permission"),
        ("", UnauthenticatedError, "DATABRICKS_TOKEN is not set"),
    ],
)
def test_missing_wrong_and_weak_credentials_are_told_and_not_shown(
    standin: Standin, project: Path, monkeypatch: pytest.MonkeyPatch, token: str, error: type[Exception], told: str
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", token)

    with pytest.raises(error, match=told) as caught:
        DatabricksBackend(PATIENCE, {"new_cluster": CLUSTER}).submit(job(project, "pass"))
    assert "dapi" not in str(caught.value)


def test_logins_are_found_where_databricks_looks_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".home" / ".databrickscfg"
    with pytest.raises(UnauthenticatedError, match=r"there is no profile 'DEFAULT' in .*\(there: none\)"):
        login_for()
    file.write_text("[DEFAULT]\nhost = adb.example.org\ntoken = s%cret\n[bare]\nhost = https://b.example.org\n[http]\n"
                    "host = http://c.example.org\ntoken = s3cret\n")  # fmt: skip

    found = login_for()
    assert (found.host, found.place, found.token) == ("https://adb.example.org", "DEFAULT", "s%cret")
    assert login_for("https://adb.example.org") == found
    assert "cret" not in repr(found)
    with pytest.raises(UnauthenticatedError, match=r"no profile 'nope' in .*\(there: DEFAULT, bare, http\)"):
        login_for("nope")
    with pytest.raises(UnauthenticatedError, match=r"'bare' .* has no host with a token"):
        login_for("bare")
    with pytest.raises(ProjectError, match="not asked by https"):
        login_for("http")
    file.write_text("token = s3cret\n")
    with pytest.raises(ProjectError, match="MissingSectionHeaderError") as caught:
        login_for()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/runs/submit", "status": 429, "headers": {"retry-after": "0"}, "times": 2},
        {"path": "/runs/submit", "status": 503, "times": 1, "after": True},
        {"path": "/api/", "status": 500, "times": 1},
        {"path": "/runs/get", "status": 503, "times": 14},
        {"path": "/dbfs/read", "status": 503, "times": 14},
    ],
    ids=["too many", "answer lost", "internal", "away", "output away"],
)
def test_faults_that_pass_make_neither_a_second_run_nor_a_failed_one(
    backend: DatabricksBackend, standin: Standin, project: Path, fault: Mapping[str, object]
) -> None:
    standin.fail(fault)

    assert ran(backend, job(project, "print('once')")) == (JobStatus.FINISHED, ["once"])


def test_a_workspace_asks_for_time_and_gets_it(backend: DatabricksBackend, standin: Standin, project: Path) -> None:
    job_id = backend.submit(job(project, "pass"))
    standin.fail({"path": "/runs/get", "status": 429, "headers": {"retry-after": "1"}, "times": 1})
    before = standin.requests().count("GET /api/2.1/jobs/runs/get")

    backend.status(job_id)

    assert standin.requests().count("GET /api/2.1/jobs/runs/get") == before + 2


def test_why_a_cluster_did_not_start_is_told(backend: DatabricksBackend, project: Path) -> None:
    config = {"new_cluster": {**CLUSTER, "spark_version": "broken"}}

    job_id = backend.submit(evolve(job(project, "pass"), config=config))

    assert backend.wait(job_id, 30.0) is JobStatus.FAILED
    assert list(backend.logs(job_id)) == [
        "INTERNAL_ERROR: Cluster could not be launched: the cloud has no such machine"
    ]
    assert backend.ended(job_id).exit_code is None


def test_a_cluster_that_dies_takes_the_command_along_and_is_told(backend: DatabricksBackend, project: Path) -> None:
    config = {"new_cluster": {**CLUSTER, "spark_version": "dying"}}

    status, lines = ran(backend, evolve(job(project, "import time; time.sleep(600)"), config=config))

    assert status is JobStatus.FAILED
    assert lines == [
        "Workload failed, see run output for details", "The Python process exited with exit code 137",
    ]  # fmt: skip


def test_the_commands_exit_code_is_known(backend: DatabricksBackend, project: Path) -> None:
    job_id = backend.submit(job(project, "raise SystemExit(3)"))
    backend.wait(job_id, 60.0)

    assert backend.ended(job_id) == JobEnd(exit_code=3)


def test_another_python_than_asked_for_ends_the_job(backend: DatabricksBackend, project: Path) -> None:
    asked = evolve(job(project, "print('ran')"), environment=EnvironmentSpec(python="3.2.1"))

    status, lines = ran(backend, asked)

    assert status is JobStatus.FAILED
    assert lines[0].startswith("the project asks for Python 3.2, and the cluster has 3.")


@pytest.fixture
def wheels(tmp_path: Path) -> str:
    """Serve a directory with one wheel; return its URL."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_lab-1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_lab.py", "SIZE = 'tiny'\n")
        info = "tiny_lab-1.2.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-lab\nVersion: 1.2\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tiny_lab.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return str(folder)


def test_requirements_are_installed_for_the_job_alone(backend: DatabricksBackend, project: Path, wheels: str) -> None:
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=wheels)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        lines = ("--no-index", f"--find-links http://127.0.0.1:{server.server_address[1]}/", "tiny-lab==1.2")
        asked = Job("a" * 32, ("python", "-c", "import tiny_lab; print(tiny_lab.SIZE)"), project)

        found = ran(backend, evolve(asked, environment=EnvironmentSpec(requirements=lines)))
        server.shutdown()

    assert found == (JobStatus.FINISHED, ["tiny"])


def test_a_workspace_that_is_gone_is_told_as_that_and_not_as_a_failed_job(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "mortal"
    home.mkdir()
    standin, process = start_standin(home)
    monkeypatch.setenv("DATABRICKS_HOST", standin.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    backend = DatabricksBackend(Patience(0.02, 0.1, 0.5), {"new_cluster": CLUSTER})
    job_id = backend.submit(job(project, "pass"))
    backend.wait(job_id, 30.0)
    process.kill()
    process.wait()

    with pytest.raises(StoreUnavailableError, match=r"without an answer for .* It may be running still"):
        backend.wait(job_id, None)


def test_an_unknown_run_of_the_workspace_is_not_found(backend: DatabricksBackend, standin: Standin) -> None:
    with pytest.raises(NotFoundError, match=f"no job '999999@{standin.address}' in the workspace"):
        backend.status(f"999999@{standin.address}")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"life_cycle_state": "QUEUED"}, JobStatus.PENDING),
        ({"life_cycle_state": "TERMINATING", "result_state": "SUCCESS"}, JobStatus.RUNNING),
        ({"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"}, JobStatus.FAILED),
        ({"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}, JobStatus.KILLED),
        ({"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}, JobStatus.FINISHED),
        ({"life_cycle_state": "SKIPPED"}, JobStatus.FAILED),
        ({"life_cycle_state": "INTERNAL_ERROR"}, JobStatus.FAILED),
    ],
)
def test_every_published_state_has_a_meaning(state: Mapping[str, str], expected: JobStatus) -> None:
    assert RunState.of({"state": state}).status is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"state": "BLOCKED"}, JobStatus.PENDING),
        ({"state": "TERMINATED", "termination_details": {"code": "SUCCESS"}}, JobStatus.FINISHED),
        ({"state": "TERMINATED", "termination_details": {"code": "USER_CANCELED"}}, JobStatus.KILLED),
        (
            {"state": "TERMINATED", "termination_details": {"code": "CLUSTER_ERROR", "message": "gone"}},
            JobStatus.FAILED,
        ),
    ],
)
def test_the_newer_way_to_tell_states_is_understood(status: Mapping[str, object], expected: JobStatus) -> None:
    assert RunState.of({"status": status}).status is expected


def test_the_vendors_client_understands_our_request_and_the_stand_in(
    backend: DatabricksBackend, standin: Standin, project: Path, require: Callable[[str, bool, str], None]
) -> None:
    there = importlib.util.find_spec("databricks") is not None
    require("databricks-sdk", there, "pip install databricks-sdk")
    assert ran(backend, job(project, "print('judged')"))[0] is JobStatus.FINISHED
    body = json.dumps(standin.bodies()[-1])

    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("sdk_judge.py")), standin.address, TOKEN, body],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["same"]
    assert (told["result"], told["logs"], told["size"]) == ("SUCCESS", "judged\n", 2_500_000)
    assert b64decode(told["end"]) == b"x" * 10
