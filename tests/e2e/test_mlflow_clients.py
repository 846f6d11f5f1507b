"""MLflow's own clients, unmodified, of every line of releases, against our server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from own_server import own_server

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent.parent / ".cache" / "peers"
CLIENTS = {"3.17": "mlflow", "2.22": "mlflow-2.22", "1.30": "mlflow-1.30"}
OPTIONAL = {"1.30"}  # it needs a Python that few machines still have

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with own_server() as found:
        yield found.uri


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
