"""The example of a workflow, run again: what is the same is not done again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sourcecode

import mlcore
from mlcore.projects import reuse

WORKFLOW = sourcecode.ROOT / "examples" / "projects" / "workflow"


def _run(project: Path, *arguments: str) -> set[str]:
    """Run the workflow and return the names of the steps that were not reused."""
    client = mlcore.Client()
    before = {run.info.run_id for run in client.search_runs(["0"])}
    subprocess.run(
        [sys.executable, "-m", "mlcore.cli", "run", str(project), *arguments],
        env=os.environ,
        check=True,
        capture_output=True,
        timeout=300,
    )
    new = [run for run in client.search_runs(["0"]) if run.info.run_id not in before]
    (main,) = [run for run in new if "mlflow.parentRunId" not in run.data.tags]
    taken = {value for key, value in main.data.tags.items() if key.startswith(reuse.REUSED)}
    made = {run.data.tags["mlflow.project.entryPoint"] for run in new} - {"main"}
    assert taken | made == {"load", "clean", "fit"}
    assert {"slope", "intercept"} <= set(main.data.metrics)
    return made


def test_a_workflow_does_again_only_the_steps_that_something_changed_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    project = shutil.copytree(WORKFLOW, tmp_path / "workflow", ignore=shutil.ignore_patterns("__pycache__"))

    assert _run(project) == {"load", "clean", "fit"}
    assert _run(project, "-P", "max_speed=20") == {"clean", "fit"}
    assert _run(project, "-P", "max_speed=25") == set()
