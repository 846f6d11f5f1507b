"""End the jobs of a process that is gone: a program of its own, of the standard library alone.

`python orphans.py PID` reads of jobs from standard input, until the process *PID* is gone, whatever ended it: a line
`+ PID STARTED GRACE_S` for one that began, `- PID` for one that has ended. What is left then is stopped.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Mapping

_LOOK_S = 1.0  # a copy of the process, which `os.fork` makes, holds the pipe open
_PAUSE_S = 0.05


def main(parent: int) -> int:
    """Wait until the process *parent* is gone, and stop the jobs that it has left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # sent to all of a terminal or service, whose jobs end in their own way
    stop(left_by(parent))
    return 0


def left_by(parent: int) -> dict[int, tuple[str, float]]:
    """Return process id, begin and grace in seconds of the jobs that go on when *parent* is gone."""
    jobs: dict[int, tuple[str, float]] = {}
    rest = b""
    while True:
        gone = os.getppid() != parent
        if select.select([0], [], [], 0 if gone else _LOOK_S)[0]:
            piece = os.read(0, 1 << 16)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                _take(jobs, line.decode().split(" "))
            if piece:
                continue
            return jobs
        if gone:
            return jobs


def _take(jobs: dict[int, tuple[str, float]], words: list[str]) -> None:
    if words[0] == "+":
        jobs[int(words[1])] = (words[2], float(words[3]))
    else:
        jobs.pop(int(words[1]), None)


def stop(jobs: Mapping[int, tuple[str, float]]) -> None:
    """Send SIGTERM to process groups, and SIGKILL to those that are there when their time is over."""
    begun = time.monotonic()
    left = {
        pid: grace_s for pid, (since, grace_s) in jobs.items() if started(pid) == since and _send(pid, signal.SIGTERM)
    }
    while left:
        for pid, grace_s in list(left.items()):
            if not _send(pid, 0):
                del left[pid]
            elif time.monotonic() - begun >= grace_s:
                _send(pid, signal.SIGKILL)
                del left[pid]
        time.sleep(_PAUSE_S)


def _send(group: int, number: int) -> bool:
    """Send a signal; return whether there was anybody to get it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def started(pid: int) -> str:
    """Return when the system started a process, in its own units; empty where that cannot be seen."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  # pathlib would be most of this program's start
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
