"""What a Ray job gets, what is refused before, and what is told when a cluster fails."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from attrs import evolve
from mlcore_project_ray.backend import RayBackend
from ray_places import Standin, start_standin

from mlcore.errors import (
    NotFoundError,
    PermissionDeniedError,
    ProjectError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.interfaces import EnvironmentSpec, Job, JobEnd, JobStatus
from mlcore.projects.polling import Patience

# values that a shell would act on
SHELL = (
    "$(touch canary)", "`touch canary`", "; touch canary", "& touch canary", "| touch canary", "> canary",
    "\ntouch canary\n", "' ; touch canary ; '", '" ; touch canary ; "', "$HOME", "${IFS}", "-rf", "--", "*", "~", "\\",
    "!!", "a\tb", "ß", "", "#", "{a,b}", "%s", "{{run.id}}",
)  # fmt: skip
TELL = "import json, os, sys; print(json.dumps([sys.argv[1:], {k: v for k, v in os.environ.items() if k[:2] == 'X_'}]))"


@pytest.fixture
def backend(standin: Standin) -> RayBackend:
    return RayBackend(Patience(0.02, 0.2, 20.0))


def job(directory: Path, code: str, *arguments: str, **env: str) -> Job:
    return Job("a" * 32, (sys.executable, "-c", code, *arguments), directory, env)


def ran(backend: RayBackend, asked: Job) -> tuple[JobStatus, list[str]]:
    job_id = backend.submit(asked)
    return backend.wait(job_id, 60.0), list(backend.logs(job_id))


def project(home: Path, **files: str) -> Path:
    directory = home / "project"
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text)
    return directory


def assert_nothing_is_acted_on(backend: RayBackend, directory: Path) -> None:
    variables = {f"X_{number}": value for number, value in enumerate(SHELL)}

    status, lines = ran(backend, job(directory, TELL, *SHELL, **variables))

    assert status is JobStatus.FINISHED
    assert json.loads(lines[0]) == [list(SHELL), variables]
    _, found = ran(backend, job(directory, "import os; print(os.path.exists('canary'))"))
    assert found == ["False"]


def test_no_value_becomes_a_word_of_the_shell(backend: RayBackend, tmp_path: Path) -> None:
    assert_nothing_is_acted_on(backend, project(tmp_path))


def test_a_real_cluster_gets_project_variables_and_arguments_unchanged(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a" * 44)
    directory = project(tmp_path, **{"data.txt": "found me"})
    variables = {f"X_{number}": value for number, value in enumerate(SHELL)}
    asked = job(
        directory,
        f"{TELL}; print(open('data.txt').read(), flush=True); os.write(1, b'\\xff\\n'); raise SystemExit(3)",
        *SHELL,
        **variables,
    )

    status, lines = ran(
        RayBackend(Patience(0.1, 1.0, 60.0)), evolve(asked, config={"address": cluster, "own_directory": True})
    )

    assert status is JobStatus.FAILED
    assert json.loads(lines[0]) == [list(SHELL), variables]
    assert lines[1:] == ["found me", "\ufffd"]


def test_a_program_stays_executable_and_what_a_run_does_not_need_stays_here(
    backend: RayBackend, tmp_path: Path
) -> None:
    directory = project(tmp_path, **{"go.sh": "#!/bin/sh\nls -A\n", "data.bin": "x"})
    (directory / "go.sh").chmod(0o700)
    (directory / "empty").mkdir()
    for unwanted in (".git", "mlruns", "__pycache__"):
        (directory / unwanted).mkdir()
        (directory / unwanted / "file").write_text("x")

    _, lines = ran(backend, Job("a" * 32, ("./go.sh",), directory, config={"excludes": ["*.bin"]}))

    assert lines == ["empty", "go.sh"]


def test_the_same_project_is_sent_once(backend: RayBackend, standin: Standin, tmp_path: Path) -> None:
    directory = project(tmp_path, **{"a.py": f"print('{tmp_path}')"})
    first, second = (backend.submit(job(directory, "pass")) for _ in range(2))
    os.utime(directory / "a.py", (1, 1))
    backend.submit(job(directory, "pass"))
    (directory / "a.py").write_text("print('other')")
    backend.submit(job(directory, "pass"))

    sent = [each for each in standin.requests() if each.startswith("PUT")]
    assert first != second
    assert len(set(sent)) == len(sent)
    assert len(sent) >= 2


def test_a_link_out_of_the_project_is_refused(backend: RayBackend, tmp_path: Path) -> None:
    directory = project(tmp_path)
    (tmp_path / "secret").write_text("x")
    (directory / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(ProjectError, match="the link 'link' leads out of it"):
        backend.submit(job(directory, "pass"))


def test_a_project_too_large_is_refused_with_its_largest_files(
    backend: RayBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcore_project_ray.backend._LIMIT_BYTES", 1000)
    directory = project(tmp_path, **{"small": "x"})
    (directory / "data.bin").write_bytes(os.urandom(5000))

    with pytest.raises(ProjectError, match=r"larger than 0 MB when packed; its largest files: 'data.bin'"):
        backend.submit(job(directory, "pass"))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"adress": "http://ray:8265"}, "unknown key 'adress', did you mean 'address'?"),
        (
            {"address": "ray://ray:10001"},
            r"'address' is 'ray://ray:10001', expected the URL of the cluster's dashboard",
        ),
        ({"entrypoint_num_gpus": "two"}, "'entrypoint_num_gpus' is 'two', expected a number of GPUs"),
        ({"runtime_env": {"working_dir": "x"}}, "'runtime_env' has 'working_dir'"),
        ({"excludes": "data", "any_python": 1}, "'excludes' is 'data'.*; 'any_python' is 1"),
    ],
)
def test_a_wrong_backend_configuration_is_refused(
    backend: RayBackend, tmp_path: Path, config: Mapping[str, object], told: str
) -> None:
    asked = evolve(job(project(tmp_path), "pass"), config=config)

    for refusing in (backend.submit, backend.check):
        with pytest.raises(ProjectError, match=told):
            refusing(asked)


def test_a_run_in_a_file_of_this_machine_is_refused_elsewhere(backend: RayBackend, tmp_path: Path) -> None:
    asked = job(project(tmp_path), "pass", MLFLOW_TRACKING_URI="sqlite:////tmp/mlcore.db")

    for refusing in (backend.submit, backend.check):
        with pytest.raises(ProjectError, match="cannot record into 'sqlite', which is a place on this machine"):
            refusing(evolve(asked, config={"address": "http://ray.example.org:8265"}))
    assert ran(backend, asked)[0] is JobStatus.FINISHED  # whose cluster is on this machine


def test_a_server_of_this_machine_alone_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlcore.projects.reach import check_tracking

    with caplog.at_level(logging.WARNING):
        check_tracking({"MLFLOW_TRACKING_URI": "http://user:secret@localhost:5000"}, "the Ray cluster")
        check_tracking({"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}, "the Ray cluster")

    assert [record.message.count("http://localhost:5000") for record in caplog.records] == [1]
    assert "secret" not in caplog.text


def test_how_a_job_ended_is_known(backend: RayBackend, tmp_path: Path) -> None:
    job_id = backend.submit(job(project(tmp_path), "raise SystemExit(3)"))
    backend.wait(job_id, 60.0)

    assert backend.ended(job_id) == JobEnd(exit_code=3)


def test_requirements_go_into_the_runtime_environment(backend: RayBackend, standin: Standin, tmp_path: Path) -> None:
    asked = evolve(
        job(project(tmp_path), "pass"), environment=EnvironmentSpec(requirements=("attrs", "no-such-requirement"))
    )

    job_id = backend.submit(asked)

    assert backend.wait(job_id, 30.0) is JobStatus.FAILED
    assert list(backend.logs(job_id)) == ["pip says", "no such requirement"]
    assert backend.ended(job_id) == JobEnd(reason="pip says\nno such requirement")


def test_a_requirement_that_is_a_path_of_this_machine_is_refused(backend: RayBackend, tmp_path: Path) -> None:
    asked = evolve(job(project(tmp_path), "pass"), environment=EnvironmentSpec(requirements=("-e /home/me/code",)))

    for refusing in (backend.submit, backend.check):
        with pytest.raises(ProjectError, match="'-e /home/me/code' is a path of this machine"):
            refusing(asked)


def test_another_python_than_asked_for_ends_the_job(backend: RayBackend, tmp_path: Path) -> None:
    asked = evolve(job(project(tmp_path), "print('ran')"), environment=EnvironmentSpec(python="3.2.1"))

    status, lines = ran(backend, asked)

    assert status is JobStatus.FAILED
    assert lines[0].startswith("the project asks for Python 3.2, and the cluster has 3.")
    assert ran(backend, evolve(asked, config={"any_python": True})) == (JobStatus.FINISHED, ["ran"])


@pytest.mark.parametrize(
    ("token", "error", "told"),
    [
        ("", UnauthenticatedError, "wants a token: set RAY_AUTH_TOKEN"),
        ("s3cret", PermissionDeniedError, "refuses the token"),
    ],
)
def test_missing_and_wrong_tokens_are_told(
    standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, error: type[Exception], told: str
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", token)

    with pytest.raises(error, match=told) as caught:
        RayBackend().submit(job(project(tmp_path), "pass"))
    assert "s3cret" not in str(caught.value)


def test_a_token_is_read_from_rays_file(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text("a-token\n")
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(path))

    assert ran(RayBackend(Patience(0.02, 0.2, 20.0)), job(project(tmp_path), "pass"))[0] is JobStatus.FINISHED


def test_another_server_than_rays_is_told(backend: RayBackend, standin: Standin, tmp_path: Path) -> None:
    standin.fail({"path": "/api/version", "status": 404, "times": 1})

    with pytest.raises(ProjectError, match="no dashboard of a Ray cluster answers at 'http://127"):
        backend.submit(job(project(tmp_path), "pass"))


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "POST", "path": "/api/jobs/", "status": 500, "text": "No available agent to submit job", "times": 4},
        {"method": "POST", "path": "/api/jobs/", "status": 503, "times": 1, "after": True},
        {"path": "/api/jobs/", "status": 429, "headers": {"retry-after": "0"}, "times": 2},
    ],
    ids=["not ready", "answer lost", "too many"],
)
def test_a_job_is_submitted_once_through_passing_faults(
    backend: RayBackend, standin: Standin, tmp_path: Path, fault: Mapping[str, object]
) -> None:
    standin.fail(fault)

    assert ran(backend, job(project(tmp_path), "print('once')")) == (JobStatus.FINISHED, ["once"])


def test_a_cluster_that_does_not_answer_for_a_while_is_waited_for(
    backend: RayBackend, standin: Standin, tmp_path: Path
) -> None:
    job_id = backend.submit(job(project(tmp_path), "print('ended')"))
    standin.fail({"path": "/api/jobs/", "status": 503, "times": 12})

    assert backend.wait(job_id, 60.0) is JobStatus.FINISHED


@pytest.fixture
def mortal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], tuple[Standin, subprocess.Popen[str]]]:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-token")
    home = tmp_path / "mortal"
    home.mkdir()
    return lambda port: start_standin(home, port)


def test_a_cluster_that_is_gone_is_told_as_that_and_not_as_a_failed_job(
    mortal: Callable[[int], tuple[Standin, subprocess.Popen[str]]], tmp_path: Path
) -> None:
    standin, process = mortal(0)
    backend = RayBackend(Patience(0.02, 0.1, 0.5))
    asked = job(project(tmp_path), "import time; time.sleep(1)")
    job_id = backend.submit(evolve(asked, config={"address": standin.address}))
    process.kill()
    process.wait()

    with pytest.raises(StoreUnavailableError, match=r"without an answer for .* It may be running still"):
        backend.wait(job_id, None)
    with pytest.raises(StoreUnavailableError, match="cannot reach"):
        backend.status(job_id)

    _, again = mortal(int(standin.address.rpartition(":")[2]))
    try:
        with pytest.raises(NotFoundError, match="a cluster that was started anew has forgotten its jobs"):
            backend.wait(job_id, None)
    finally:
        again.kill()
        again.wait()


def test_another_process_can_ask_for_a_job_by_its_id(backend: RayBackend, tmp_path: Path) -> None:
    job_id = backend.submit(job(project(tmp_path), "print('told')"))
    code = (
        "import sys; from mlcore_project_ray.backend import RayBackend; b = RayBackend();"
        "print(b.wait(sys.argv[1], 30.0), list(b.logs(sys.argv[1])), 'ray' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, job_id], capture_output=True, text=True, check=True,
        env={**os.environ, "RAY_API_SERVER_ADDRESS": ""},
    )  # fmt: skip

    assert done.stdout == "FINISHED ['told'] False\n"


def test_a_project_runs_on_a_cluster_and_is_recorded(standin: Standin, tmp_path: Path) -> None:
    import mlcore
    from mlcore import projects

    directory = project(tmp_path, **{"main.py": "import os\nprint('ran as', os.environ['MLFLOW_RUN_ID'])\n"})
    mlcore.set_tracking_uri("sqlite:///mlcore.db")

    done = projects.run(str(directory), "main.py", backend="ray", backend_config={"address": standin.address})

    assert done.wait()
    assert mlcore.get_run(done.run_id).info.status == "FINISHED"
    kept = mlcore.download_artifacts(run_id=done.run_id, artifact_path="project/output.log")
    assert Path(kept).read_text() == f"ran as {done.run_id}\n"
