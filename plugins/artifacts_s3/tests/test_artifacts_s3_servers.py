"""The servers of these tests end with the process that started them, even when it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3_servers

SCRIPT = """
import sys, tempfile, time
sys.path.insert(0, sys.argv[1])
tempfile.tempdir = sys.argv[2]
import s3_servers
with s3_servers.rclone("bucket") as server:
    print(*server.pids, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder that the server may enter: it runs as nobody when the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_and_its_folder_go_with_the_process_that_is_killed(require, place: Path, sent: int) -> None:
    require("rclone", s3_servers.program("rclone") is not None, s3_servers.PIP_INSTALL)
    command = [sys.executable, "-c", SCRIPT, str(Path(s3_servers.__file__).parent), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert _runs(pid)

        process.send_signal(sent)
        process.wait(5)

    deadline = time.monotonic() + 10
    while (_runs(pid) or list(place.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(pid)
    assert list(place.iterdir()) == []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An orphan that nobody has fetched is over as well.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
