"""Commands end with the process that runs them, even when nothing is left that could end them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")

_RUNNER = """
    import os, signal, sys, time
    from pathlib import Path
    from mlcore_project_local.backend import LocalBackend
    from mlcore.interfaces import Job

    backend = LocalBackend(Path("jobs"))
    argv = ("bash", "-c", sys.argv[1])
    backend.submit(Job("r" * 32, argv, Path.cwd(), config={"grace_s": float(sys.argv[2])}))
    while not Path("pid").exists():
        time.sleep(0.01)
    exec(sys.argv[3])
"""


def run_and_end(folder: Path, command: str, *, by: str, grace_s: float = 60.0) -> int:
    """Submit a command from a process that then ends; return the process id that the command wrote into `pid`."""
    runner = [sys.executable, "-c", textwrap.dedent(_RUNNER), command, str(grace_s), by]
    subprocess.run(runner, cwd=folder, check=False, timeout=60)
    return int((folder / "pid").read_text())


def is_at_work(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != b"Z"


def has_ended(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while is_at_work(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_at_work(pid)


KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
TOLD = "echo $$ > pid.new; mv pid.new pid"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
class TestACommandWhoseRunnerIsGone:
    @pytest.mark.parametrize("by", [KILLED, "os._exit(0)"])
    def test_ends(self, tmp_path: Path, by: str) -> None:
        assert has_ended(run_and_end(tmp_path, f"{TOLD}; sleep 600", by=by))

    def test_may_end_in_its_own_way(self, tmp_path: Path) -> None:
        command = f"trap 'echo saved > saved; exit' TERM; {TOLD}; while :; do sleep 0.05; done"

        assert has_ended(run_and_end(tmp_path, command, by=KILLED))

        assert (tmp_path / "saved").read_text() == "saved\n"

    def test_is_killed_when_it_does_not_end_in_its_time(self, tmp_path: Path) -> None:
        command = f"trap '' TERM; {TOLD}; while :; do sleep 0.05; done"

        assert has_ended(run_and_end(tmp_path, command, by=KILLED, grace_s=0.1))

    def test_ends_when_a_copy_of_the_runner_lives_on(self, tmp_path: Path) -> None:
        by = f"copy = os.fork() or time.sleep(600); Path('copy').write_text(str(copy)); {KILLED}"

        pid = run_and_end(tmp_path, f"{TOLD}; sleep 600", by=by)

        copy = int((tmp_path / "copy").read_text())
        try:
            assert has_ended(pid)
            assert is_at_work(copy)
        finally:
            os.kill(copy, signal.SIGKILL)


def test_the_output_of_a_command_that_ended_with_its_runner_is_there_for_others(tmp_path: Path) -> None:
    from mlcore_project_local.backend import LocalBackend

    pid = run_and_end(tmp_path, f"echo begun; {TOLD}; sleep 600", by=KILLED)
    assert has_ended(pid)
    job_id = next((tmp_path / "jobs").iterdir()).name

    assert list(LocalBackend(tmp_path / "jobs").logs(job_id)) == ["begun"]
