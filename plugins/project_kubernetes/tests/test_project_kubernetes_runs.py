"""Whole runs on a stand-in of Kubernetes, recorded by a real server that the pods reach."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import own_server
import pytest

import mlcore
from mlcore import projects
from mlcore.errors import ExecutionError, ProjectError

MLPROJECT = f"""
name: wine
docker_env: {{image: "python:3.11-slim"}}
entry_points:
  main:
    parameters: {{alpha: float, rows: {{type: path, default: rows.csv}}}}
    command: {sys.executable} train.py --alpha={{alpha}} {{rows}}
"""
TRAIN = """
import sys
import mlcore

with mlcore.start_run():
    mlcore.log_metric("alpha", float(sys.argv[1].partition("=")[2]))
    mlcore.log_text(sys.argv[2], "rows.txt")
print("trained")
"""


@pytest.fixture(scope="module")
def tracking() -> Iterator[str]:
    with own_server.own_server() as server:
        yield server.uri


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "MLproject").write_text(MLPROJECT)
    (directory / "train.py").write_text(TRAIN)
    (directory / "rows.csv").write_text("1,2")
    return directory


CONFIG = {"repository-uri": "registry.example.com/team/wine"}


@pytest.mark.usefixtures("cluster")
def test_a_run_on_the_cluster_is_recorded_as_one_on_this_machine_is(project: Path, tracking: str) -> None:
    mlcore.set_tracking_uri(tracking)

    submitted = projects.run(
        str(project), parameters={"alpha": "0.5"}, backend="kubernetes", backend_config=dict(CONFIG)
    )

    run = mlcore.get_run(submitted.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"alpha": 0.5}
    assert run.data.tags["mlflow.project.backend"] == "kubernetes"
    assert "default/wine-" in run.data.tags["mlcore.project.jobId"]
    told = [
        mlcore.artifacts.load_text(f"runs:/{submitted.run_id}/{name}") for name in ("rows.txt", "project/output.log")
    ]
    assert told[0] == "/mlflow/projects/code/rows.csv"
    assert "trained" in told[1]


@pytest.mark.usefixtures("cluster")
def test_a_run_whose_image_nobody_can_pull_is_failed_and_says_why(project: Path, tracking: str) -> None:
    mlcore.set_tracking_uri(tracking)

    with pytest.raises(ExecutionError):
        projects.run(
            str(project),
            parameters={"alpha": "0.5"},
            backend="kubernetes",
            backend_config={"image": "registry.example.com/none:1"},
        )

    (run,) = mlcore.search_runs(filter_string="attributes.status = 'FAILED'", output_format="list")
    output = mlcore.artifacts.load_text(f"runs:/{run.info.run_id}/project/output.log")
    assert "ImagePullBackOff" in output


@pytest.mark.usefixtures("cluster")
def test_a_store_that_pods_do_not_reach_is_refused(project: Path, tmp_path: Path) -> None:
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/lab.db")

    with pytest.raises(ProjectError, match="the Kubernetes cluster 'lab' cannot record into 'sqlite'"):
        projects.run(str(project), parameters={"alpha": "1"}, backend="kubernetes", backend_config=dict(CONFIG))
    assert mlcore.search_runs(output_format="list") == []


VOLUMES = MLPROJECT.replace('-slim"', "-slim\", volumes: ['/data:/data']")
UNSET = MLPROJECT.replace('-slim"', '-slim", environment: [MLCORE_TEST_NOT_SET]')


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("text", "config", "told"),
    [
        (MLPROJECT, {"repository-uri": 5}, "repository-uri: expected a text, got 5"),
        (MLPROJECT, {}, "needs repository-uri"),
        (MLPROJECT, {**CONFIG, "kube-context": "none"}, "has no context 'none'"),
        (MLPROJECT, {**CONFIG, "kube-job-template-path": "none.yaml"}, "kube-job-template-path: no file"),
        (VOLUMES, CONFIG, "docker_env.volumes are paths of one machine"),
        (UNSET, CONFIG, "are not set: 'MLCORE_TEST_NOT_SET'"),
    ],
)
def test_what_will_be_refused_leaves_no_run(
    project: Path, tracking: str, text: str, config: dict[str, object], told: str
) -> None:
    (project / "MLproject").write_text(text)
    mlcore.set_tracking_uri(tracking)
    mlcore.set_experiment("refused")

    with pytest.raises(ProjectError, match=told):
        projects.run(str(project), parameters={"alpha": "1"}, backend="kubernetes", backend_config=config)

    assert mlcore.search_runs(output_format="list") == []
