"""`mlcore run`: what it says, how it exits, and what signals do, with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mlcore
from mlcore.delivery.locks import lives
from mlcore.delivery.outgoing import Stretch
from mlcore.delivery.replaying import Target
from mlcore.delivery.spool import RunFolder
from mlcore.entities import Entry, Run, RunChange, RunState, RunStatus
from mlcore.tracking.names import now_ms
from mlcore.tracking.session import current_session

Start = Callable[..., "subprocess.Popen[bytes]"]

SLEEPER = """
import signal, sys, time
if "stubborn" in sys.argv:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), lambda *_: print("no", flush=True))
print("up", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(
        "name: wine\nentry_points:\n"
        "  main: {command: 'sh -c \"exit 0\"'}\n"
        "  fail: {command: 'bash fail.sh'}\n"
        "  sleep: {parameters: {how: {default: kindly}}, command: 'python sleeper.py {how}'}\n"
    )
    (folder / "fail.sh").write_text("echo said; printf half; exit 3")
    (folder / "sleeper.py").write_text(SLEEPER)
    return folder


@pytest.fixture
def start(tmp_path: Path, project: Path) -> Iterator[Start]:
    """Start `mlcore run` on the project; what is left of it is killed after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlcore.cli", "run", *arguments],
            cwd=tmp_path,
            env={**os.environ, "MLCORE_CACHE_DIR": str(tmp_path / "cache"), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def the_run() -> Run:
    return mlcore.search_runs(output_format="list", max_results=1)[0]


def job_pid(tmp_path: Path) -> int:
    begun = next((tmp_path / "cache" / "jobs").glob("*/begin.json"))
    return int(json.loads(begun.read_text())["pid"])


def test_output_goes_to_standard_output_and_the_rest_to_standard_error(start: Start) -> None:
    process = start("project", "-e", "fail")

    out, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert out == b"said\nhalf"
    first, last = err.decode().splitlines()
    run = the_run()
    assert first == f"run {run.info.run_id} of wine fail (local, environment local)"
    assert last.startswith(f"run {run.info.run_id} is FAILED after ")
    assert last.endswith(": the command ended with exit code 3")


def test_json_is_one_object_on_standard_output(start: Start) -> None:
    process = start("project", "-e", "fail", "--json")

    out, err = process.communicate(timeout=60)

    told = json.loads(out)
    assert (told["status"], told["exit_code"], told["message"]) == (
        "FAILED",
        3,
        "the command ended with exit code 3",
    )
    assert told["run_id"] == the_run().info.run_id
    assert b"said\nhalf" in err


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_the_command_and_the_run_is_killed(start: Start, tmp_path: Path, name: str) -> None:
    process = start("project", "-e", "sleep")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    pid = job_pid(tmp_path)

    process.send_signal(getattr(signal, name))

    process.communicate(timeout=60)
    assert process.returncode == (130 if name == "SIGINT" else -getattr(signal, name))
    assert not lives(pid)
    run = the_run()
    assert (run.info.status, run.data.tags["mlcore.signal"]) == (RunStatus.KILLED, name)
    assert [file.path for file in mlcore.artifacts.list_artifacts(f"runs:/{run.info.run_id}/project")][1:2] == [
        "project/output.log"
    ]


def test_a_command_that_will_not_end_is_killed_by_the_second_signal(start: Start, tmp_path: Path) -> None:
    process = start("project", "-e", "sleep", "-P", "how=stubborn")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    pid = job_pid(tmp_path)

    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"no\n"
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not lives(pid)
    assert the_run().info.status is RunStatus.KILLED


def test_a_run_whose_runner_was_killed_shows_as_lost(start: Start, tmp_path: Path) -> None:
    process = start("project", "-e", "sleep", MLCORE_HEARTBEAT_S="0.02")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    pid = job_pid(tmp_path)

    process.kill()
    process.wait()

    os.killpg(pid, signal.SIGKILL)
    run_id = the_run().info.run_id
    until = time.monotonic() + 60
    while mlcore.get_run(run_id).state is not RunState.LOST and time.monotonic() < until:
        time.sleep(0.05)
    assert mlcore.get_run(run_id).state is RunState.LOST


def test_with_no_block_the_id_of_the_run_is_all_of_the_output(start: Start) -> None:
    process = start("project", "-e", "sleep", "--no-block")
    out, err = process.communicate(timeout=60)
    pid = int(err.decode().split()[-1])

    os.kill(pid, signal.SIGTERM)

    run_id = out.decode().strip()
    until = time.monotonic() + 60
    while lives(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert process.returncode == 0
    assert mlcore.get_run(run_id).info.status is RunStatus.KILLED


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "missing argument 'URI'"),
        (("project", "-P", "alpha"), 2, "'alpha' has no name and value: expected NAME=VALUE"),
        (("project", "-P", "a=1", "-P", "a=2"), 2, "'a' is given twice"),
        (("project", "-e", "slep"), 1, "did you mean 'sleep'?"),
        (("project", "-c", '{"grace": 1}'), 1, "unknown key 'grace' in the configuration of the backend 'local'"),
        (("--reproduce", "f" * 32), 1, "f" * 32),
    ],
)
def test_what_cannot_be_is_said_and_nothing_starts(
    capfd: pytest.CaptureFixture[str], project: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    from mlcore.cli import main

    assert main(["run", *arguments]) == code
    assert said in capfd.readouterr().err
    assert mlcore.search_runs(output_format="list") == []


def test_a_run_is_made_again_from_its_commit_and_its_changes(capfd: pytest.CaptureFixture[str], project: Path) -> None:
    from mlcore.cli import main

    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", project, "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (project / "fail.sh").write_text("echo changed $2")
    assert main(["run", "project", "-e", "fail", "-P", "depth=3"]) == 0
    first = the_run()
    (project / "fail.sh").write_text("echo another one")
    capfd.readouterr()

    assert main(["run", "--reproduce", first.info.run_id]) == 0

    again = the_run()
    assert capfd.readouterr().out == "changed 3\n"
    assert again.data.params == first.data.params
    assert again.data.tags["mlcore.project.reproduces"] == first.info.run_id
    assert again.data.tags["mlflow.source.git.commit"] == first.data.tags["mlflow.source.git.commit"]
    assert again.data.tags["mlflow.source.git.dirty"] == "true"


def test_what_cannot_be_the_same_in_a_run_that_is_made_again_is_said(
    capfd: pytest.CaptureFixture[str], project: Path
) -> None:
    from mlcore.cli import main

    assert main(["run", "project"]) == 0
    capfd.readouterr()

    assert main(["run", "--reproduce", the_run().info.run_id]) == 0

    assert "note: the code was in no repository" in capfd.readouterr().err
    with mlcore.start_run() as own:
        pass
    assert main(["run", "--reproduce", own.info.run_id]) == 1
    assert "is not of a project" in capfd.readouterr().err


def test_an_end_that_is_delivered_late_does_not_undo_a_later_one(tmp_path: Path) -> None:
    with mlcore.start_run() as run:
        pass
    store, begun = current_session().store(), now_ms() - 60_000
    store.update_run(run.run_id, RunChange(RunStatus.FAILED, end_time=begun + 20))
    late = [
        Stretch(0, 1, Entry(1, begun, RunChange(RunStatus.RUNNING))),
        Stretch(1, 2, Entry(2, begun + 10, RunChange(RunStatus.FINISHED, end_time=begun + 10))),
    ]

    refused = Target(store, RunFolder(tmp_path / run.run_id, run.run_id), run.run_id).deliver("w", late)

    assert refused == []
    assert mlcore.get_run(run.run_id).info.status is RunStatus.FAILED
