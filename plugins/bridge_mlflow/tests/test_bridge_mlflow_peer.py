"""The bridge beside a real MLflow and plugins from its community: the contract suites run in their environment.

The files in `peer/` are test modules of that environment, where MLflow is; here each is one test.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "peer"
LIMIT_S = 1800  # a minute or two, on a machine with nothing else to do


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """Return a folder in memory where there is one: MLflow's SQL stores wait for the disk in every call."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["artifacts", "others", "registry", "tracking"])
def test_plugins_of_mlflow_pass_the_contracts_through_the_bridge(
    peer_mlflow_plugins: Path, name: str, tmp_path: Path, memory: Path
) -> None:
    options = ["-q", "-c", str(HERE / "pytest.ini"), f"--confcutdir={HERE}", f"--basetemp={memory / 'base'}"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "PYTHON"))}

    done = subprocess.run(
        [str(peer_mlflow_plugins), "-m", "pytest", *options, str(HERE / f"contract_{name}.py")],
        cwd=tmp_path,
        env={**kept, "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )

    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert passed is not None
    assert int(passed[1]) > 40


def test_a_program_without_the_setting_imports_neither_bridge_nor_mlflow(
    peer_mlflow_plugins: Path, tmp_path: Path
) -> None:
    code = (
        "import sys; from mlcore.plugins import Plugins; from mlcore.hookspecs import HookSpecs\n"
        "found = Plugins.discover(); found.every(HookSpecs.run_context)\n"
        "print([e.key for e in found.installed()], [m for m in sys.modules if 'mlflow' in m])"
    )

    done = subprocess.run(
        [str(peer_mlflow_plugins), "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['mlflow'] []"


def test_the_program_lists_real_plugins_and_imports_none_of_them(peer_mlflow_plugins: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from mlcore.cli import main\n"
        "try: main(['plugins', 'list'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.startswith(('mlflow', 'ario', 'plugin.'))))"
    )
    kept = {**os.environ, "MLCORE_BRIDGES": "mlflow"}

    done = subprocess.run(
        [str(peer_mlflow_plugins), "-c", code], cwd=tmp_path, env=kept, capture_output=True, text=True, check=True
    )

    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert ["artifact_repo", "artifactory", "mlflow-jfrog-plugin", "1.0.2"] in [line[:4] for line in lines]
    assert ["run_context", "ario", "ar-io-mlflow", "0.3.0"] in [line[:4] for line in lines]
    assert ["deployer", "http", "mlflow"] in [line[:3] for line in lines]
    assert all("(bridge: mlflow)" in line[5] for line in lines if line[0] in ("artifact_repo", "run_context"))
    assert lines[-1] == ["[]"]


def test_a_check_loads_real_plugins_through_the_bridge(peer_mlflow_plugins: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(peer_mlflow_plugins), "-m", "mlcore.cli", "plugins", "check", "artifactory", "--timeout", "60"],
        cwd=tmp_path,
        env={**os.environ, "MLCORE_BRIDGES": "mlflow:mlflow-jfrog-plugin", "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = [line.split("\t")[:5] for line in done.stdout.splitlines()]
    assert ["artifact_repo", "artifactory", "mlflow-jfrog-plugin", "1.0.2", "ok"] in found
