"""End processes and remove their folder when the process that started them is gone, however it ended.

usage: guard.py FOLDER; standard input: one process id a line, and `done` when there is nothing left to do. The end of
the input without it means that whoever wrote it was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Wait for the end of the input."""
    pids: list[int] = []
    for line in sys.stdin:
        if line.strip() == "done":
            return
        pids.append(int(line))
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
