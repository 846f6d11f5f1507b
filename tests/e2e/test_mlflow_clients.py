"""MLflow's own clients, unmodified, of every line of releases, against our server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent.parent / ".cache" / "peers"
CLIENTS = {"3.17": "mlflow", "2.22": "mlflow-2.22", "1.30": "mlflow-1.30"}
OPTIONAL = {"1.30"}  # it needs a Python that few machines still have

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "mlcore.cli", "server", "--port", "0", "--auth", "none", "--no-access-log"]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen(command, cwd=folder, stderr=out) as process:
        try:
            yield _url(process, log)
        finally:
            process.terminate()
            process.wait(30)


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the server says where it is."""
    import time

    for _ in range(600):
        for line in log.read_text(encoding="utf-8").splitlines():
            if "is ready: " in line:
                return line.partition("is ready: ")[2]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, require: Require) -> Path:
    """The Python of an environment with one release of MLflow."""
    release = request.param
    python = PEERS / CLIENTS[release] / "bin" / "python"
    if release in OPTIONAL and not python.exists():
        pytest.skip(f"MLflow {release} is absent: no Python that it supports was found by `make peer`")
    require(f"mlflow {release}", python.exists(), "make peer")
    return python


def test_an_mlflow_client_does_all_that_its_users_do(client: Path, server: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONWARNINGS": "ignore"}

    done = subprocess.run(
        [str(client), str(HERE / "mlflow_client.py"), server],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    version = seen.pop("version")
    assert seen == _expected(version)


def _expected(version: str) -> dict[str, object]:
    has_aliases = not version.startswith("1.")
    return {
        "experiments": {
            "twice": "RESOURCE_ALREADY_EXISTS",
            "deleted": "deleted",
            "restored": "active",
            "names": [f"flow-{version}", f"flow-{version}-renamed"],
            "tags": {"team": "red"},
            "missing": None,
        },
        "fluent": {
            "conflict": "INVALID_PARAMETER_VALUE",
            "status": "FINISHED",
            "params": {"depth": "3", "kind": "tree", "lr": "0.1"},
            "loss": 0.2,
            "is_nan": True,
            "mood": "good",
            "run_name": "first",
            "parent": True,
            "history": [[step, 1.0 / (step + 1)] for step in range(5)],
        },
        "by_client": {
            "deleted": "deleted",
            "status": "KILLED",
            "counts": [7, 100, False],
            "last": 993.0,
            "unknown": "RESOURCE_DOES_NOT_EXIST",
        },
        "search": {
            "pages": [[6.0, 5.0], [4.0, 3.0], [2.0, 1.0]],
            "failed": 1,
            "bad": "INVALID_PARAMETER_VALUE",
            "frame": 1,
        },
        "artifacts": {
            "uri": "mlflow-artifacts:",
            "listed": ["files/big.bin", "files/deep", "files/one.bin"],
            "big": 5_000_000,
            "content": "hello",
            "found": [
                "files/big.bin",
                "files/deep/er/ü three.bin",
                "files/deep/two.bin",
                "files/one.bin",
                "notes/a.txt",
                "notes/b.json",
            ],
        },
        "models": {"predicted": [2, 4], "files": 5},
        "registry": {
            "versions": ["1", "2", "3"],
            "latest": [["None", "3"], ["Production", "2"]],
            "production": ["2"],
            "search": ["3", "2"],
            "tags": {"k": "v"},
            "description": "third",
            "named": [f"model-{version}"],
            "download": "mlflow-artifacts",
            "gone": "RESOURCE_DOES_NOT_EXIST",
        }
        | ({"alias": "2"} if has_aliases else {}),
    }
