"""A real server in a process of its own; for the tests beside this module."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

_READY = re.compile(r"mlcore server is ready: (\S+)")
_START_S = 60
_PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"


@frozen
class LiveServer:
    """A server that runs.

    url: where it listens. directory: everything it keeps. artifacts: the directory behind its proxy.
    """

    url: str
    directory: Path
    process: subprocess.Popen[str]
    log: Path

    @property
    def artifacts(self) -> Path:
        return self.directory / "artifacts"

    @property
    def rss_bytes(self) -> int:
        """How much memory the process uses."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def running(
    directory: Path, *options: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[LiveServer]:
    """Run `mlcore server` on a free port with its data in *directory*, without an authority unless *options* name one.

    before: lines of Python that the process runs first.
    """
    (directory / "artifacts").mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    given = [
        *("--port", "0", "--backend-store-uri", f"sqlite:///{directory}/mlcore.db"),
        *("--artifacts-destination", (directory / "artifacts").as_uri(), "--state-dir", str(directory / "state")),
        *(() if "--auth" in options else ("--auth", "none")),
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    program = "\n".join([*before, _PROGRAM])
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", program, "server", *given, *options],
            cwd=directory,
            env={**clean, "HOME": str(directory), **(env or {})},
            stderr=out,
            stdout=out,
            text=True,
        )
        try:
            yield LiveServer(_address(process, log), directory, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + _START_S
    pause = threading.Event()
    while time.monotonic() < deadline:
        found = _READY.search(log.read_text(encoding="utf-8"))
        if found is not None:
            return found[1]
        if process.poll() is not None:
            break
        pause.wait(0.02)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
