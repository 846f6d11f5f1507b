"""MLflow's own clients, unmodified, move artifacts through a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.testing.live_server import LiveServer

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[2] / ".cache" / "peers"
# The last needs a Python that few machines still have.
RELEASES = {"3.17": "mlflow", "2.22": "mlflow-2.22", "1.30": "mlflow-1.30"}
IN_PARTS = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "5242880",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "5242880",
}

Require = Callable[[str, bool, str], None]


@pytest.mark.parametrize(
    ("release", "parts"),
    [
        ("3.17", {}),
        ("3.17", IN_PARTS),
        pytest.param("2.22", {}, marks=pytest.mark.slow),
        pytest.param("1.30", {}, marks=pytest.mark.slow),
    ],
    ids=["3.17", "3.17 that wants multipart uploads", "2.22", "1.30"],
)
def test_an_mlflow_client_moves_its_artifacts(
    live_server: LiveServer, tmp_path: Path, require: Require, release: str, parts: dict[str, str]
) -> None:
    python = PEERS / RELEASES[release] / "bin" / "python"
    if release == "1.30" and not python.exists():
        pytest.skip("MLflow 1.30 is absent: no Python that it supports was found by `make peer`")
    require(f"mlflow {release}", python.exists(), "make peer")
    environment = {**os.environ, **parts, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}

    done = subprocess.run(
        [str(python), "-W", "ignore", str(HERE / "mlflow_files.py"), live_server.url, str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        timeout=170,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen.pop("version").startswith(release)
    assert seen.pop("root") == ["big", "texts", "tree"]
    assert seen.pop("tree") == {
        "tree/Grüße.txt": 11000,
        "tree/MLmodel": 7000,
        "tree/empty": 0,
        "tree/page.html": 9000,
        "tree/plain.txt": 9000,
        "tree/sub": None,
        "tree/with space.csv": 14000,
    }
    assert seen.pop("again")
    assert seen == {
        "uri": True,
        "of a file": [],
        "same tree": True,
        "same file": True,
        "missing": "refused",
        "model": [2, 4, 6],
        "deleted": [],
    }
