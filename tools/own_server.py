"""Start our own server for tests: a process of its own, on loopback, emptied between tests."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class OwnServer:
    """A running server with an SQLite file and a directory of artifacts."""

    uri: str
    folder: Path

    def empty(self) -> None:
        """Bring it back to how it was after its start, but for the keys of metrics, which the server knows by heart.

        No request may be under way.
        """
        with closing(self._database()) as used:
            used.execute("ATTACH ? AS new", (str(self.folder / "new.db"),))
            named = "SELECT name FROM new.sqlite_master WHERE type = 'table' AND name NOT IN ('mlcore_metric_keys')"
            tables = [name for (name,) in used.execute(named)]
            used.execute("PRAGMA foreign_keys = OFF")
            with used:
                used.execute("BEGIN IMMEDIATE")
                for table in tables:
                    used.execute(f'DELETE FROM main."{table}"')  # noqa: S608  # names of our own schema
                    used.execute(f'INSERT INTO main."{table}" SELECT * FROM new."{table}"')  # noqa: S608  # names of our own schema
        for child in (self.folder / "artifacts").iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()

    def keep_as_new(self) -> None:
        """Note how it is now, for `empty`."""
        with closing(sqlite3.connect(self.folder / "new.db")) as new, closing(self._database()) as used:
            used.backup(new)

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "mlcore.db", timeout=30)


@contextmanager
def own_server(*options: str) -> Iterator[OwnServer]:
    """Start `mlcore server`, open to everybody on this machine unless *options* say otherwise."""
    folder = Path(tempfile.mkdtemp(prefix="mlcore-server-"))
    (folder / "artifacts").mkdir()
    command = [sys.executable, "-m", "mlcore.cli", "server", "--port", "0", "--no-access-log"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlcore.db"]
    command += ["--artifacts-destination", str(folder / "artifacts"), *(options or ("--auth", "none"))]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))}
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env={**environ, "HOME": str(folder)}, stdout=out, stderr=out)
    try:
        server = OwnServer(_uri(process, log), folder)
        _create_all(server)
        server.keep_as_new()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _uri(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if "is ready: " in line:
                return line.partition("is ready: ")[2].strip()
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"mlcore's server did not start:\n{log.read_text(encoding='utf-8')[-4000:]}")


def _create_all(server: OwnServer) -> None:
    """Let the server open its stores, so that the file is what `empty` should bring back."""
    import urllib.request

    for path in ("experiments/get?experiment_id=0", "registered-models/search?max_results=1"):
        with urllib.request.urlopen(f"{server.uri}/api/2.0/mlflow/{path}", timeout=30):  # noqa: S310  # made above
            pass
