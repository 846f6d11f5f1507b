"""A process that ends the jobs of this one when this one is gone, even by SIGKILL."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading

from mlcore_project_local import orphans

_LOGGER = logging.getLogger("mlcore.projects")


class Guard:
    """Watches over the jobs of this process; started with the first of them."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._jobs: dict[int, str] = {}
        self._lock = threading.Lock()
        self._owner = 0
        self._pipe: int | None = None

    def watch(self, pid: int, started: str, grace_s: float) -> None:
        """Let the process group *pid* end with this process: by SIGTERM, and SIGKILL after *grace_s* seconds."""
        if not hasattr(os, "killpg"):  # pragma: no cover
            return
        with self._lock:
            self._jobs[pid] = line = f"+ {pid} {started} {grace_s}\n"
            self._tell(line)

    def release(self, pid: int) -> None:
        """Forget a process that has ended."""
        with self._lock:
            if self._jobs.pop(pid, None) is not None:
                self._tell(f"- {pid}\n")

    def _tell(self, line: str) -> None:
        if self._owner != os.getpid():  # the copy of a process has a guard of its own, for its own jobs
            self._close()
            self._jobs = {pid: each for pid, each in self._jobs.items() if each == line}
            self._owner = os.getpid()
        try:
            if self._pipe is not None:
                os.write(self._pipe, line.encode())
                return
        except OSError:  # somebody has ended the guard
            self._close()
        if not self._jobs:
            return
        try:
            self._pipe = _started()
            os.write(self._pipe, "".join(self._jobs.values()).encode())
        except OSError as err:
            self._close()
            _LOGGER.warning("commands will go on when this process is killed, as nobody can watch over them: %s", err)

    def _close(self) -> None:
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.close(self._pipe)
            self._pipe = None


def _started() -> int:
    """Start the process; return the end of a pipe by which it is told of jobs."""
    read, write = os.pipe()
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", orphans.__file__, str(os.getpid())],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, read, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
            setpgroup=0,  # what a terminal sends to all of a group is not for it
        )
    except BaseException:
        os.close(write)
        raise
    finally:
        os.close(read)
    return write
