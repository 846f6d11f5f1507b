"""Projects go both ways: those written for MLflow run by `mlcore run`, with MLflow's own client in them, and ours by `mlflow run`."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from own_server import own_server

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent.parent / "examples" / "projects"
Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with own_server() as found:
        yield found.uri


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, peer_mlflow: Path, require: Require) -> Path:
    """The Python of an environment that has mlcore and MLflow, as people who move from one to the other have it."""
    folder = tmp_path_factory.mktemp("both")
    venv.create(folder, symlinks=True)
    theirs = next((peer_mlflow.parent.parent / "lib").glob("python3.*/site-packages"))
    python = f"python3.{sys.version_info.minor}"
    require("mlflow", theirs.parent.name == python, f"make peer with {python}, not {theirs.parent.name}")
    packages = next((folder / "lib").glob("python3.*/site-packages"))
    added = [path for path in (*site.getsitepackages(), str(theirs)) if Path(path).is_dir()]
    (packages / "both.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in added), "utf-8")
    return folder / "bin" / "python"


def call(url: str, path: str, **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(f"{url}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def run_of(url: str, run_id: str) -> dict[str, Any]:
    """Return a run's status, params, last metrics and tags, and its artifacts' paths."""
    run = call(url, f"runs/get?run_id={run_id}")["run"]
    named = {
        kind: {each["key"]: each["value"] for each in run["data"].get(kind, [])}
        for kind in ("params", "metrics", "tags")
    }
    files = call(url, f"artifacts/list?run_id={run_id}").get("files", [])
    return {"status": run["info"]["status"], **named, "artifacts": {file["path"] for file in files}}


def environment(url: str, *, path: Path | None = None) -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "MLCORE_"))}
    found |= {"MLFLOW_TRACKING_URI": url, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    return found | ({"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"} if path else {})


def newest(url: str, entry: str) -> str:
    found = call(
        url, "runs/search", experiment_ids=["0"], filter=f"tags.`mlflow.project.entryPoint` = '{entry}'", max_results=1
    )
    return str(found["runs"][0]["info"]["run_id"])


def test_a_project_written_for_mlflow_runs_unchanged_with_mlflows_client_inside(
    both: Path, server: str, tmp_path: Path
) -> None:
    project = shutil.copytree(HERE / "mlflow_project", tmp_path / "project")
    data = tmp_path / "fires $(touch canary).csv"
    data.write_text("x\ny\n", "utf-8")

    done = subprocess.run(
        [str(both), "-m", "mlcore.cli", "run", str(project), "--env-manager", "local", "-P", f"data_file={data}"],
        env=environment(server),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    seen = run_of(server, newest(server, "main"))
    assert seen["status"] == "FINISHED"
    assert seen["params"] == {"data_file": str(data), "regularization": "0.1", "max_runs": "3", "rows": "2"}
    assert seen["metrics"] == {"loss": 1 / 3}
    assert seen["artifacts"] >= {"results", "project"}
    assert (seen["tags"]["client"][:2], seen["tags"]["validated"]) == ("3.", "no")
    assert (seen["tags"]["mlflow.source.type"], seen["tags"]["mlflow.project.env"]) == ("PROJECT", "local")
    step = run_of(server, newest(server, "validate"))
    assert (step["status"], step["tags"]["level"], step["params"]) == ("FAILED", "7.0", {"level": "7"})
    assert step["tags"]["mlflow.parentRunId"] == newest(server, "main")
    assert not list(tmp_path.rglob("canary"))


def test_mlflow_runs_our_example(peer_mlflow: Path, server: str, tmp_path: Path) -> None:
    project = shutil.copytree(EXAMPLES / "elasticnet", tmp_path / "elasticnet")

    done = subprocess.run(
        [str(peer_mlflow), "-m", "mlflow", "run", str(project), "--env-manager", "local", "-P", "alpha=0.3"],
        env=environment(server, path=peer_mlflow.parent),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    seen = run_of(server, newest(server, "main"))
    assert (seen["status"], seen["tags"]["estimator"]) == ("FINISHED", "ElasticNet")
    assert seen["params"] == {"alpha": "0.3", "l1_ratio": "0.1", "seed": "7"}
    assert 50 < seen["metrics"]["rmse"] < 60
    assert seen["artifacts"] == {"weights.json"}
