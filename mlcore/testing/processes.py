"""Processes that work on a store while its contract suite watches: started together, or killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

Start = Callable[..., subprocess.Popen[str]]
_TIMEOUT_S = 60


def start_worker(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start the module *program* with *arguments*; it finds the same packages as this process."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-m", program, *arguments],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def all_at_once(children: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Let all start at one moment; return the last that each says."""
    for child in children:
        if child.stdout is not None:
            child.stdout.readline()
    for child in children:
        if child.stdin is not None:
            child.stdin.write("go\n")
            child.stdin.flush()
    found = [child.communicate(timeout=_TIMEOUT_S) for child in children]
    return [out.strip() or err for out, err in found]


def kill_while_working(child: subprocess.Popen[str], after: int, delay_s: float) -> int:
    """Kill a process some time after it has confirmed its step number *after*; return how many it confirmed."""
    with child:
        if child.stdin is None or child.stdout is None:
            raise OSError("the process has no pipes")
        child.stdin.write("go\n")
        child.stdin.flush()
        heard = [child.stdout.readline() for _ in range(after + 1)]
        time.sleep(delay_s)
        child.kill()
        heard += child.stdout.readlines()
        if child.stderr is not None:
            heard += [] if heard[0] else child.stderr.readlines()
    assert heard[0].strip() == "ready", "".join(heard)
    return len([line for line in heard[1:] if line.endswith("\n")])


def say(text: str) -> None:
    """Tell the watching process a line, at once."""
    os.write(1, f"{text}\n".encode())


def in_a_fork(work: Callable[[], object]) -> Callable[[], int]:
    """Do *work* in a fork of this process; return what waits for it and gives its exit code: 0, it ended well."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)

    def wait() -> int:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    return wait
