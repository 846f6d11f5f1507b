"""A real server with pages, in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

_READY = re.compile(r"mlcore server is ready: (\S+)")
_START_S = 60
_PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"


@frozen
class UiServer:
    """A server that runs: where it listens, what it keeps."""

    url: str
    directory: Path
    pid: int

    @property
    def store_uri(self) -> str:
        return f"sqlite:///{self.directory}/mlcore.db"

    def cpu_s(self) -> float:
        """How much CPU time the process has used, in seconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(
    directory: Path, *options: str, env: dict[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[UiServer]:
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
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", "\n".join([*before, _PROGRAM]), "server", *given, *options],
            cwd=directory,
            env={**clean, "HOME": str(directory), **(env or {})},
            stdout=out,
            stderr=out,
        )
        try:
            yield UiServer(_address(process, log), directory, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        found = _READY.search(log.read_text(encoding="utf-8"))
        if found is not None:
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
