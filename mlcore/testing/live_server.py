"""A real `mlcore server` in a process of its own, for tests of whatever it serves: pages, authorities, stores."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

_READY = re.compile(r"mlcore server is ready: (\S+)")
_START_S, _STOP_S = 60.0, 20.0
_PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"


@frozen
class LiveServer:
    """A server that runs.

    url: where it listens, on loopback. directory: everything that it keeps. process: the program. log: what it prints.
    """

    url: str
    directory: Path
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def store_uri(self) -> str:
        """The store behind it, for tests that record without the server."""
        return f"sqlite:///{self.directory}/mlcore.db"

    @property
    def artifacts(self) -> Path:
        """The directory behind its proxy of artifacts."""
        return self.directory / "artifacts"

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self.process.pid

    @property
    def rss_bytes(self) -> int:
        """How much memory the process uses; Linux only."""
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8"))
        if found is None:
            raise AssertionError(f"the server is gone:\n{self.log.read_text(encoding='utf-8')}")
        return int(found[1]) * 1024

    @property
    def cpu_s(self) -> float:
        """How much CPU time the process has used, in seconds; Linux only."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_server(
    directory: Path, *options: str, env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Iterator[LiveServer]:
    """Run `mlcore server` on a free port with its data in *directory*, open to all unless *options* name an authority.

    Needs the plugin `mlcore-server`, and `mlcore-store-sql` unless *options* name another store. Settings of the machine
    (`MLCORE_*`, `MLFLOW_*`) are not handed on.

    options: of `mlcore server`. env: variables for the process. before: lines of Python that it runs first.
    Raises AssertionError: it did not start; with what it printed.
    """
    (directory / "artifacts").mkdir(parents=True, exist_ok=True)
    log = directory / "server.log"
    given = [
        *("--port", "0", "--backend-store-uri", f"sqlite:///{directory}/mlcore.db"),
        *("--artifacts-destination", (directory / "artifacts").as_uri(), "--state-dir", str(directory / "state")),
        *(() if "--auth" in options else ("--auth", "none")),
    ]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-c", "\n".join([*before, _PROGRAM]), "server", *given, *options],
            cwd=directory,
            env={**clean, "HOME": str(directory), **(env or {})},
            stdout=out,
            stderr=out,
        )
        try:
            yield LiveServer(_address(process, log), directory, process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
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
        time.sleep(0.02)
    raise AssertionError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")
