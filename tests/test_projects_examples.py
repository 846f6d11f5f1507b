"""The example projects run, and record what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlcore import Client
from mlcore.entities import Run
from mlcore.projects.project_file import load_project

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "projects"


def run_example(tmp_path: Path, *arguments: str) -> tuple[str, str]:
    """Run a project by the command line on a copy, as they lie in a checkout; return the output and the store."""
    name = arguments[0]
    shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    store = f"sqlite:///{tmp_path}/runs.db"
    done = subprocess.run(
        [sys.executable, "-m", "mlcore.cli", "run", *arguments, "--env-manager", "local"],
        cwd=tmp_path,
        env={**os.environ, "MLCORE_TRACKING_URI": store},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr, store


def runs(store: str) -> dict[str, Run]:
    found = Client(store).search_runs(["0"])
    return {run.data.tags["mlflow.project.entryPoint"]: run for run in found}


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/MLproject")))
def test_the_file_of_an_example_has_no_fault(name: str) -> None:
    assert load_project(EXAMPLES / name).entry_points


def test_the_workflow_passes_each_steps_file_to_the_next_and_nests_their_runs(tmp_path: Path) -> None:
    output, store = run_example(tmp_path, "workflow", "-P", "max_speed=25")

    found = runs(store)
    assert set(found) == {"main", "load", "clean", "fit"}
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert "distance = -17.58 + 3.93 * speed" in output
    main = found["main"]
    assert main.data.metrics["slope"] == pytest.approx(3.932409)  # Ezekiel's data: every textbook's numbers
    parents = {run.data.tags.get("mlflow.parentRunId") for name, run in found.items() if name != "main"}
    assert parents == {main.info.run_id}


def test_the_shell_example_takes_any_word_for_text(tmp_path: Path) -> None:
    _, store = run_example(tmp_path, "shell", "-P", "word=brown; touch canary")

    run = runs(store)["main"]
    assert (run.data.metrics["count"], run.data.tags["word"]) == (0, "brown; touch canary")
    assert not list(tmp_path.rglob("canary"))


def test_a_script_of_the_shell_example_runs_without_being_in_the_file(tmp_path: Path) -> None:
    output, store = run_example(tmp_path, "shell", "-e", "hello.sh", "-P", "to=world")
    assert f"hello from run {runs(store)['hello.sh'].info.run_id}: --to world" in output
