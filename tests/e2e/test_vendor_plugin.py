"""A stranger's plugin, installed from its wheel beside the kernel alone, serves the unchanged quick start by its URI."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import sourcecode
from packaging.requirements import Requirement

ROOT = sourcecode.ROOT
VENDOR = ROOT / "examples" / "vendor_plugin"
Run = Callable[..., subprocess.CompletedProcess[str]]

ARTIFACTS = """
import mlcore
with mlcore.start_run() as run:
    mlcore.log_text("sunny", "notes/weather.txt")
    mlcore.log_dict({"a": 1}, "config.json")
path = mlcore.artifacts.download_artifacts(f"runs:/{run.info.run_id}/notes/weather.txt")
print(open(path).read(), mlcore.get_run(run.info.run_id).data.tags["acme.bench"])
"""


def _needed(names: Iterable[str]) -> set[str]:
    """The names and everything that they require in this environment."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        requirements = [Requirement(line) for line in importlib.metadata.requires(name) or []]
        waiting += [r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})]
    return found


def _copy_installed(names: Iterable[str], site: Path) -> None:
    """Copy installed distributions as they are: what an installer would do, without a network."""
    for name in names:
        dist = importlib.metadata.distribution(name)
        for file in dist.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(dist.locate_file(file), site / file)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the kernel, the vendor's plugin, pytest, and no plugin of ours."""
    home = tmp_path_factory.mktemp("vendor")
    venv.create(home / "venv", with_pip=False, symlinks=True)
    (site,) = (home / "venv").glob("lib/python*/site-packages")
    kernel = [line for line in importlib.metadata.requires("mlcore-kernel") or [] if "extra" not in line]
    _copy_installed(_needed([*(Requirement(line).name for line in kernel), "pytest", "hypothesis"]), site)
    for folder in (ROOT, VENDOR):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home / "dist")],
            cwd=folder,
            env={**os.environ, "HATCH_QUIET": "2"},
            check=True,
            capture_output=True,
            timeout=120,
        )
    for wheel in (home / "dist").glob("*.whl"):
        with zipfile.ZipFile(wheel) as file:
            file.extractall(site)
    return home / "venv" / "bin" / "python"


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    def go(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return subprocess.run(
            [str(python), "-P", *arguments],
            cwd=tmp_path,
            env={**kept, "MLCORE_TRACKING_URI": f"zip://{tmp_path}/lab.zip", **environ},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return go


def test_the_vendors_plugin_is_the_only_one_and_in_order(run: Run) -> None:
    checked = run("-m", "mlcore.cli", "plugins", "check", "--json")

    found = [json.loads(line) for line in checked.stdout.splitlines()]
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert [(f["hook"], f["key"], f["distribution"], f["status"]) for f in found] == [
        ("artifact_repo", "zip", "acme-zip", "ok"),
        ("run_context", "acme", "acme-zip", "ok"),
        ("tracking_store", "zip", "acme-zip", "ok"),
        ("ui_extensions", "acme", "acme-zip", "ok"),
    ]


def test_the_unchanged_quick_start_records_into_the_vendors_store(run: Run, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "index.md").read_text("utf-8")
    quick_start = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert quick_start is not None

    done = run("-c", quick_start[1])
    listed = run("-m", "mlcore.cli", "runs", "search", "-n", "first steps", "--json")

    assert done.returncode == 0, done.stderr
    assert '"hello"' in listed.stdout
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith(".")) == ["lab.zip", "lab.zip.lock"]
    with zipfile.ZipFile(tmp_path / "lab.zip") as file:
        assert [name for name in file.namelist() if name.startswith("runs/")]


def test_artifacts_and_tags_go_to_the_vendor_too(run: Run, tmp_path: Path) -> None:
    done = run("-c", ARTIFACTS, ACME_BENCH="north 7")

    assert (done.returncode, done.stdout) == (0, "sunny north 7\n"), done.stderr
    with zipfile.ZipFile(tmp_path / "lab.zip") as file:
        assert len([n for n in file.namelist() if n.endswith("/artifacts/notes/weather.txt")]) == 1


def test_doctor_finds_the_vendors_place_in_order(run: Run) -> None:
    run("-c", ARTIFACTS, ACME_BENCH="north 7")

    done = run("-m", "mlcore.cli", "doctor", "--json")

    found = {record["check"]: record for record in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 0, done.stdout
    assert found["store"]["status"] == "ok"
    assert found["artifacts"]["status"] == "ok"


@pytest.mark.slow
def test_the_installed_plugin_passes_its_contract_suites(run: Run, tmp_path: Path) -> None:
    shutil.copytree(VENDOR / "tests", tmp_path / "suite" / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(VENDOR / "pyproject.toml", tmp_path / "suite" / "pyproject.toml")

    done = run("-m", "mlcore.cli", "plugins", "kit", "suite", "--json")

    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert [t for t in report["tests"] if t["outcome"] == "failed"] == []
    assert done.returncode == 0
    assert report["passed"] > 100
