"""What is asked for wrongly is refused while there is no run, and leaves a run that exists as it is."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

import mlcore
from mlcore import projects
from mlcore.entities import RunStatus
from mlcore.errors import ExecutionError, InvalidParameterError, MlcoreError, PluginNotFoundError, ProjectError
from mlcore.projects import submitted
from mlcore.tracking.session import current_session


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose entry point takes anything and writes it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(
        "name: wine\nentry_points: {main: {parameters: {lr: string}, command: 'echo {lr}'}}\n"
    )
    return folder


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"env_manager": "vitualenv"}, PluginNotFoundError, "did you mean 'virtualenv'"),
        ({"timeout_s": -1}, ProjectError, "timeout_s is -1; expected a number of seconds above 0"),
        ({"timeout_s": "3"}, ProjectError, "timeout_s is '3'"),
        ({"timeout_s": math.nan}, ProjectError, "timeout_s is nan"),
        ({"parameters": "lr=1"}, ProjectError, "parameters is 'lr=1'; expected a mapping"),
        ({"parameters": {1: 2}}, ProjectError, "parameters has the name 1"),
        ({"docker_args": ["gpus"]}, ProjectError, "docker_args is ['gpus']; expected a mapping"),
        ({"entry_point": 5}, ProjectError, "entry_point is 5; expected a text"),
        ({"uri": None}, ProjectError, "uri is None; expected a text"),
        ({"backend_config": "[1]"}, ProjectError, "expected a JSON object as '{...}', got [1]"),
        ({"backend_config": ["a"]}, ProjectError, "backend_config is ['a']; expected a mapping"),
        ({"parameters": {"lr": 1, "k" * 300: 1}}, InvalidParameterError, "kkk"),
    ],
)
def test_a_wrong_request_makes_no_run(
    project: Path, wrong: dict[str, object], error: type[MlcoreError], said: str
) -> None:
    with pytest.raises(error) as told:
        projects.run(**{"uri": project, "parameters": {"lr": 1}, **wrong})  # type: ignore[arg-type]  # which is the point

    assert said in str(told.value)
    assert mlcore.search_runs(output_format="list") == []


def test_params_that_a_run_cannot_take_leave_it_as_it_was(project: Path) -> None:
    with mlcore.start_run() as earlier:
        mlcore.log_param("lr", "0.1")
    before = mlcore.get_run(earlier.info.run_id)

    with pytest.raises(ProjectError, match=r"parameter 'lr' is '9', and run '\w+' has recorded '0\.1'"):
        projects.run(project, run_id=before.info.run_id, parameters={"lr": 9})

    assert mlcore.get_run(before.info.run_id) == before
    assert projects.run(project, run_id=before.info.run_id, parameters={"lr": 0.1}).wait()


def test_a_password_that_was_not_kept_can_be_given_again(project: Path) -> None:
    first = projects.run(project, parameters={"lr": "https://me:hush@host/x"}).run_id
    with pytest.raises(ProjectError, match=r"give it again by -P lr=\.\.\.") as told:
        projects.reproduce(first)
    assert "hush" not in str(told.value)

    from mlcore.cli import main

    assert main(["run", "--reproduce", first, "-P", "lr=https://me:hush@host/x"]) == 0

    again = mlcore.search_runs(output_format="list", max_results=1)[0]
    assert again.data.tags["mlcore.project.reproduces"] == first
    log = mlcore.artifacts.download_artifacts(run_id=again.info.run_id, artifact_path="project/output.log")
    assert Path(log).read_text() == "https://me:hush@host/x\n"


def test_a_project_is_loaded_from_the_text_of_its_path(project: Path) -> None:
    assert projects.load_project(str(project)).name == "wine"


@pytest.mark.parametrize(
    ("option", "value", "said"), [("--env-manager", "nope", "'nope'"), ("-c", '{"grace": 1}', "unknown key 'grace'")]
)
def test_a_search_that_no_run_of_can_be_makes_no_run(
    project: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, said: str
) -> None:
    from mlcore.cli import main

    assert main(["run", str(project), "-P", "lr=1,2", "--search", "grid", option, value]) == 1
    assert said in capsys.readouterr().err
    assert mlcore.search_runs(output_format="list") == []


def test_a_run_that_will_not_stop_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitted, "_KINDLY_S", 0.1)
    monkeypatch.setattr(submitted, "_BY_FORCE_S", 0.1)
    stubborn = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(flush=True)\nwhile True: time.sleep(1)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        with pytest.raises(ExecutionError, match=f"did not stop within 0.2 s.*{watcher.pid}"):
            projects.SubmittedRun("r", current_session(), watcher=watcher).cancel()
        watcher.kill()


def test_a_run_goes_on_to_its_end_when_nobody_reads_what_is_said_of_it(project: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "mlcore.cli", "run", str(project), "-P", "lr=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        process.wait(60)

    run = mlcore.search_runs(output_format="list")[0]
    assert run.info.status is RunStatus.FINISHED
    log = mlcore.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="project/output.log")
    assert Path(log).read_text() == "1\n"
