"""Start MLflow's own server for tests: on loopback, in its own environment, emptied between tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 240.0


@dataclass(frozen=True)
class MlflowServer:
    """A running server with an SQLite file and a directory of artifacts."""

    uri: str
    folder: Path

    def empty(self) -> None:
        """Bring it back to how it was after its start; no request may be under way."""
        with closing(sqlite3.connect(self.folder / "new.db")) as new, closing(self._database()) as used:
            new.backup(used)
        shutil.rmtree(self.folder / "artifacts", ignore_errors=True)
        (self.folder / "artifacts").mkdir()

    def keep_as_new(self) -> None:
        """Note how it is now, for `empty`."""
        with closing(sqlite3.connect(self.folder / "new.db")) as new, closing(self._database()) as used:
            used.backup(new)

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "mlflow.db", timeout=30)


@contextmanager
def mlflow_server(python: Path) -> Iterator[MlflowServer]:
    """Start the server of the MLflow that *python* has."""
    folder = Path(tempfile.mkdtemp(prefix="mlflow-server-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [str(python), "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))},
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "HOME": str(folder),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    server = MlflowServer(f"http://127.0.0.1:{port}", folder)
    try:
        _wait(server, process)
        server.keep_as_new()
        yield server
    finally:
        _stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: MlflowServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    asked = f"{server.uri}/api/2.0/mlflow/experiments/get?experiment_id=0"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(asked, timeout=5):  # noqa: S310  # the URL was made above
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"MLflow's server did not start:\n{(server.folder / 'log').read_text()[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill it with its workers, which are in the session that was started for it; its data is thrown away anyway."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
