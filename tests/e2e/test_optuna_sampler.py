"""The example of a sampler plugin, built as its own manifest says, keeps the contract with the real Optuna."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sourcecode

EXAMPLE = sourcecode.ROOT / "examples" / "optuna_sampler"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the example, unpacked from its wheel, beside the environment's own packages."""
    home = tmp_path_factory.mktemp("optuna")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home / "dist")],
        cwd=EXAMPLE,
        env={**os.environ, "HATCH_QUIET": "2"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    (wheel,) = (home / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(home / "site")
    return home / "site"


def _mlcore(site: Path, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(site), "MLCORE_TRACKING_URI": f"sqlite:///{directory}/store.db"}
    command = [sys.executable, "-m", "mlcore.cli", *arguments]
    return subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, timeout=300, check=False)


def test_the_example_passes_the_contract_of_samplers(site: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "suite" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(EXAMPLE / "pyproject.toml", tmp_path / "suite" / "pyproject.toml")

    done = _mlcore(site, tmp_path, "plugins", "kit", "suite", "--json")

    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert [t for t in report["tests"] if t["outcome"] == "failed"] == []
    assert report["passed"] > 20


def test_a_search_asks_the_installed_sampler(site: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text(
        "import sys, mlcore\nwith mlcore.start_run():\n    mlcore.log_metric('loss', (float(sys.argv[2]) - 0.5) ** 2)\n"
    )

    done = _mlcore(
        site, tmp_path, "run", str(project), "-e", "train.py", "-P", "x=uniform(0,1)",
        "--search", "optuna", "--metric", "loss", "--max-runs", "3", "--seed", "1", "--json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    *runs, last = map(json.loads, done.stdout.splitlines())
    assert [(run["status"], run["value"]) for run in runs] == [
        ("FINISHED", (float(run["params"]["x"]) - 0.5) ** 2) for run in runs
    ]
    assert last["best"]["value"] == min(run["value"] for run in runs)
