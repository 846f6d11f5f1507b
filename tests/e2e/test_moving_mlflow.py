"""Stores that MLflow's releases wrote are copied without loss: MLflow itself says what is in them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import whole_store
from attrs import frozen

from mlcore.moving import copy_store

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[1] / ".cache" / "peers"


@frozen
class Written:
    """A store that MLflow filled; said: what it read back. release: such as `mlflow-2.22`."""

    uri: str
    said: dict[str, dict[str, dict[str, object]]]
    release: str


@pytest.fixture(scope="module", params=["mlflow-1.30", "mlflow-2.22", "mlflow"])
def release(request: pytest.FixtureRequest, require) -> str:
    python = PEERS / request.param / "bin" / "python"
    require(request.param, python.exists(), "make peer")
    return request.param


@pytest.fixture(scope="module")
def both(release: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    """Let MLflow fill a directory and a database; one process for both, as it is slow to start."""
    folder = tmp_path_factory.mktemp("written")
    uris = {"mlruns": (folder / "mlruns").as_uri(), "sqlite": f"sqlite:///{folder}/mlflow.db"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    extra = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(folder)}
    python = PEERS / release / "bin" / "python"
    done = subprocess.run(
        [str(python), str(HERE / "mlflow_filler.py"), str(folder), *uris.values()],
        cwd=folder,
        env={**clean, **extra},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [json.loads(line[10:]) for line in done.stdout.splitlines() if line.startswith("READ BACK ")]
    return {kind: Written(uri, each, release) for (kind, uri), each in zip(uris.items(), said, strict=True)}


@pytest.fixture(params=["mlruns", "sqlite"])
def written(request: pytest.FixtureRequest, both: dict[str, Written]) -> Written:
    return both[request.param]


def test_a_store_of_mlflow_arrives_as_mlflow_reads_it(written: Written, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/t/mlcore.db"

    report = copy_store(written.uri, target)

    assert report.failures == ()
    arrived = _as_mlflow_says(whole_store.read_all(target))
    for run in written.said["runs"].values() if written.release == "mlflow-1.30" else ():
        if run["experiment"] == "gone":
            run["stage"] = "deleted"  # with its experiment, as in later releases
    assert whole_store.differences(written.said, arrived, "models/*/versions/*/times") == []


def test_a_second_copy_of_a_store_of_mlflow_writes_nothing(written: Written, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/t/mlcore.db"
    copy_store(written.uri, target)

    assert copy_store(written.uri, target).counts.writes == 0


def _as_mlflow_says(store: dict[str, object]) -> dict[str, object]:
    """Leave what the script tells, in its form."""
    plain = json.loads(json.dumps(store))
    for run in plain["runs"].values():
        run["histories"] = {key: sorted(points) for key, points in run["histories"].items()}
        run["artifacts"] = sorted(run["artifacts"])
        for name in ("name", "latest", "inputs", "models read", "models made"):
            del run[name]
    for experiment in plain["experiments"].values():
        del experiment["id"], experiment["times"]
    for model in plain["models"].values():
        del model["times"]
        model["versions"] = {
            number: {key: version[key] for key in ("stage", "run", "tags", "times")}
            for number, version in model["versions"].items()
        }
    return {name: plain[name] for name in ("experiments", "runs", "models")}
