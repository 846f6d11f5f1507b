"""A copy that is killed anywhere is continued by the next one, and the end is as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import rich_store
import whole_store

from mlcore.moving import Choice, copy_store

# Kills itself at the n-th system call that matters: SQLite's transactions and the moves of files go through these.
KILLED = """
import os, signal, sqlite3, sys
from mlcore.moving import Choice, copy_store

left = int(sys.argv[1])

def watch(event, arguments):
    global left
    if event in ("open", "os.rename", "os.mkdir", "os.remove", "os.replace"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

def spend(step):
    global left
    left -= 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
"""
COPY = """
sys.addaudithook(watch)
copy_store(sys.argv[2], sys.argv[3], choice=Choice(jobs=4), progress=spend)
"""


def test_a_copy_that_is_killed_again_and_again_ends_as_one_that_was_not(tmp_path: Path) -> None:
    source, target = (f"sqlite:///{tmp_path}/{name}/mlcore.db" for name in ("a", "b"))
    rich_store.fill(source)

    rounds = 0
    for rounds in range(1, 40):
        # Each attempt gets further than the one before.
        left = 40 + rounds * 75
        done = subprocess.run(
            [sys.executable, "-c", KILLED + COPY, str(left), source, target],
            env={**os.environ, "MLCORE_STRICT": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        if done.returncode == 0:
            break

    assert rounds > 4, "the copy was never interrupted"
    ignored = ("*/times", "models/*/versions/*/source")
    found = whole_store.differences(whole_store.read_all(source), whole_store.read_all(target), *ignored)
    assert found == []
    assert copy_store(source, target, choice=Choice(jobs=1)).counts.writes == 0
