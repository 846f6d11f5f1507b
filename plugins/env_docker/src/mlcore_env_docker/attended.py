"""Run a container in the foreground, and see that it does not outlive whoever runs it.

A program of its own, of the standard library alone: `python attended.py NAME docker run --name NAME ...`. Signals reach
the container. `docker run` is a client only: killed by SIGKILL it would leave its container at work. So a second process
waits for the end of the first, which it sees at a pipe, whatever ended it, and stops the container then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType

_WATCH = "--watch"
_ENDED = b"ended"
_TRIES, _PAUSE_S = 20, 0.25  # the engine may still be making the container


def main(arguments: Sequence[str]) -> int:
    """Run the command, or watch over the one that does; return the exit code, as a shell has it."""
    if arguments[0] == _WATCH:
        return watch(arguments[1], arguments[2])
    name, *command = arguments
    read, write = os.pipe()
    watcher = [sys.executable, "-I", "-S", __file__, _WATCH, name, command[0]]
    quiet = subprocess.DEVNULL
    subprocess.Popen(watcher, stdin=read, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603  # an argument list
    os.close(read)
    code = run(command)
    with contextlib.suppress(OSError):  # somebody has ended the watcher
        os.write(write, _ENDED)
    return code


def run(command: Sequence[str]) -> int:
    """Run a command to its end, passing signals on; return its exit code."""
    # a session of its own: what a terminal sends to all of a group would reach the client twice
    process = subprocess.Popen(command, start_new_session=True)  # noqa: S603  # an argument list

    def passed_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, passed_on)
    code = process.wait()
    return code if code >= 0 else 128 - code


def watch(name: str, docker: str) -> int:
    """Wait until the other process is gone; stop the container unless it had ended before."""
    if sys.stdin.buffer.read() == _ENDED:
        return 0
    quiet = subprocess.DEVNULL
    for _ in range(_TRIES):
        killed = subprocess.run([docker, "kill", name], stdout=quiet, stderr=quiet, check=False)  # noqa: S603  # an argument list
        if killed.returncode == 0:
            break
        time.sleep(_PAUSE_S)
    subprocess.run([docker, "rm", "--force", name], stdout=quiet, stderr=quiet, check=False)  # noqa: S603  # an argument list
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
