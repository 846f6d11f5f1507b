"""Runs of projects are stopped by their id, from any process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

import mlcore
from mlcore import projects
from mlcore.cli import main
from mlcore.entities import RunStatus
from mlcore.errors import ProjectError
from mlcore.projects.cancelling import cancel
from mlcore.projects.submitted import SubmittedRun
from mlcore.tracking.session import current_session

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")


@pytest.fixture
def begun(tmp_path: Path) -> SubmittedRun:
    """A run that would go on for ten minutes, attended by a process of its own."""
    (tmp_path / "main.sh").write_text(f"echo $$ > {tmp_path}/pid; echo up; sleep 600")
    submitted = projects.run(tmp_path, "main.sh", synchronous=False)
    assert next(submitted.logs()) == "up"
    return submitted


def test_a_run_of_another_process_is_stopped_by_its_id(begun: SubmittedRun) -> None:
    assert main(["runs", "stop", begun.run_id]) == 0

    assert not begun.wait(60)
    assert begun.get_status() is RunStatus.KILLED
    assert not cancel(begun.run_id, current_session())


def test_a_handle_of_another_process_cancels_the_run(begun: SubmittedRun) -> None:
    SubmittedRun(begun.run_id, current_session()).cancel()

    assert not begun.wait(60)
    assert begun.get_status() is RunStatus.KILLED


def test_a_command_ends_when_the_process_that_attends_it_is_killed(begun: SubmittedRun, tmp_path: Path) -> None:
    assert begun.watcher_pid is not None
    os.kill(begun.watcher_pid, signal.SIGKILL)
    pid, deadline = int((tmp_path / "pid").read_text()), time.monotonic() + 60

    while _is_at_work(pid) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert not _is_at_work(pid)


def test_a_run_that_is_none_of_a_project_is_not_stopped() -> None:
    with mlcore.start_run() as run, pytest.raises(ProjectError, match="is no run of a project"):
        cancel(run.info.run_id, current_session())


def _is_at_work(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_bytes().rpartition(b")")[2].split()[0] != b"Z"
