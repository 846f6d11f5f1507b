"""The contracts of run contexts, deployers, backends and repositories of old, and a run that uses several plugins."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import acme
import pytest
from artifactory import REPOSITORY, TOKEN, Artifactory

from mlcore.errors import (
    AlreadyExistsError,
    InvalidParameterError,
    MissingDependencyError,
    NotFoundError,
    PluginError,
    UnsupportedError,
)
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo, Deployer, Job, JobStatus, ProjectBackend
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import ArtifactRepoContract, ProjectBackendContract, RunContextContract
from mlcore.testing.run_context import RunContext

EVERYTHING = Settings(bridges=("mlflow",))
LOGS = "MLflow's backends have no way to tell what a job prints"


class TestArioContext(RunContextContract):
    """ar-io-mlflow, from its own distribution."""

    @pytest.fixture
    def run_context(self) -> RunContext:
        plugins = Plugins.discover(Settings(bridges=("mlflow:ar-io-mlflow",)))
        hook = plugins.load("run_context", "ario").run_context
        hook()  # a provider of MLflow imports MLflow, and all that it brings, the first time
        return hook


class TestOldRepository(ArtifactRepoContract):
    """A repository whose constructor MLflow 3 itself cannot call any more."""

    @pytest.fixture
    def repo(self, tmp_path: Path) -> Iterator[ArtifactRepo]:
        repo = Plugins.discover(EVERYTHING).first(HookSpecs.artifact_repo, uri=f"acme-old:{tmp_path / 'artifacts'}")
        yield repo
        repo.close()


class TestBackend(ProjectBackendContract):
    expected_failures = {
        "test_a_program_that_is_not_there_is_named": "MLflow's backends start a shell, which finds no program later",
    } | dict.fromkeys(
        (
            "test_a_cancelled_job_is_killed",
            "test_jobs_run_side_by_side_under_ids_of_their_own",
            "test_arguments_reach_the_job_as_they_are",
            "test_a_job_sees_its_variables",
            "test_a_job_runs_in_its_directory",
            "test_output_comes_line_by_line_in_order_and_whole",
            "test_errors_of_the_job_are_in_its_output",
            "test_output_that_is_no_text_is_no_obstacle",
            "test_output_can_be_read_while_the_job_runs",
            "test_output_can_be_read_again",
            "test_output_that_is_read_while_the_job_runs_ends_with_it",
        ),
        LOGS,
    )

    @pytest.fixture
    def backend(self) -> ProjectBackend:
        return Plugins.discover(EVERYTHING).first(HookSpecs.project_backend, name="acme")


def test_a_job_reaches_the_backend_with_arguments_variables_and_directory(tmp_path: Path) -> None:
    backend = Plugins.discover(EVERYTHING).first(HookSpecs.project_backend, name="acme")
    code = "import os, sys; open('said', 'w').write(repr((sys.argv[1:], os.environ['ODD'])))"
    job = Job("a" * 32, (sys.executable, "-c", code, "a b", "$HOME", "quote'\""), tmp_path, {"ODD": "x'; $(id)\n y"})

    status = backend.wait(backend.submit(job), 60)

    assert status is JobStatus.FINISHED
    assert (tmp_path / "said").read_text("utf-8") == repr((["a b", "$HOME", "quote'\""], "x'; $(id)\n y"))


def test_what_a_job_prints_is_told_to_be_elsewhere(tmp_path: Path) -> None:
    backend = Plugins.discover(EVERYTHING).first(HookSpecs.project_backend, name="acme")
    job_id = backend.submit(Job("a" * 32, ("true",), tmp_path))

    with pytest.raises(UnsupportedError, match=r"acme-mlflow 1\.2 .* tells nothing of what a job prints"):
        backend.logs(job_id)


@pytest.fixture
def deployer() -> Iterator[Deployer]:
    acme.Client.made.clear()
    yield Plugins.discover(EVERYTHING).first(HookSpecs.deployer, name="acme", target_uri="acme:/there")
    acme.Client.made.clear()


def test_a_model_is_deployed_listed_updated_and_deleted(deployer: Deployer) -> None:
    made = deployer.create("one", "models:/m/1", None, {"size": "2"})
    deployer.update("one", "models:/m/2", None, {})

    assert (made.name, made.flavor, made.model_uri, made.detail) == (
        "one",
        "python_function",
        "models:/m/1",
        {"size": "2"},
    )
    assert [(each.name, each.model_uri) for each in deployer.list()] == [("one", "models:/m/2")]
    assert deployer.get("one").model_uri == "models:/m/2"
    deployer.delete("one", {})
    deployer.delete("one", {})
    assert deployer.list() == ()


def test_faults_of_a_deployment_client_are_ours_and_name_the_plugin(deployer: Deployer) -> None:
    deployer.create("one", "models:/m/1", None, {})

    with pytest.raises(AlreadyExistsError, match=r"one exists \(from acme-mlflow 1\.2 .*in create_deployment\)"):
        deployer.create("one", "models:/m/2", None, {})
    with pytest.raises(NotFoundError, match="nothing is called two"):
        deployer.get("two")
    with pytest.raises(InvalidParameterError, match="invalid name 'a b'"):
        deployer.create("a b", "models:/m/2", None, {})
    with pytest.raises(UnsupportedError, match=r"acme-mlflow 1\.2 .* does not support explanations"):
        deployer.explain("one", b'{"inputs": [1]}', "application/json")


@pytest.mark.parametrize(
    ("body", "kind", "answer"),
    [
        (b'{"inputs": [1, 2]}', "application/json", b'{"predictions":[2,4]}'),
        (b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}', "application/json", b'{"predictions":[3]}'),
        (b"a,b\n1,2\n3,4\n", "text/csv; charset=utf-8", b'{"predictions":[3,7]}'),
    ],
)
def test_a_request_reaches_a_client_as_it_knows_it(deployer: Deployer, body: bytes, kind: str, answer: bytes) -> None:
    deployer.create("one", "models:/m/1", None, {})

    found, answered = deployer.predict("one", body, kind)

    assert (found.replace(b" ", b""), answered) == (answer, "application/json")


def test_a_model_runs_locally_as_the_plugin_does_it(deployer: Deployer, tmp_path: Path) -> None:
    deployer.run_local("one", "models:/m/1", None, {"to": str(tmp_path / "said")})

    assert (tmp_path / "said").read_text("utf-8") == "one models:/m/1 None"


def test_targets_that_mlflow_itself_brings_are_bridged_too() -> None:
    deployer = Plugins.discover(EVERYTHING).first(HookSpecs.deployer, name="http", target_uri="http://127.0.0.1:9/")

    assert isinstance(deployer, Deployer)


@pytest.mark.parametrize(
    ("hook", "arguments", "said"),
    [
        (HookSpecs.project_backend, {"name": "acme-raises"}, r"ValueError: ACME_URL is not set"),
        (HookSpecs.deployer, {"name": "acme-exits", "target_uri": "acme-exits"}, r"SystemExit: 7"),
    ],
)
def test_a_plugin_that_breaks_at_its_import_hurts_only_who_asks_for_it(
    hook: object, arguments: dict[str, str], said: str
) -> None:
    plugins = Plugins.discover(EVERYTHING)

    with pytest.raises(PluginError, match=rf"acme-mlflow 1\.2 \(entry point acme-.*{said}"):
        plugins.first(hook, **arguments)

    assert isinstance(plugins.first(HookSpecs.project_backend, name="acme"), ProjectBackend)


def test_without_mlflow_the_pip_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setattr("mlcore_bridge_mlflow.loading.find_spec", lambda name: None)

    with pytest.raises(MissingDependencyError, match=r"acme-mlflow 1\.2 .* needs MLflow.*: pip install mlflow"):
        Plugins.discover(EVERYTHING).first(HookSpecs.project_backend, name="acme")


def test_a_run_goes_through_the_plugins_of_three_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracking by acme-mlflow, artifacts by mlflow-jfrog-plugin, tags by ar-io-mlflow, under the fluent API."""
    import mlcore

    server = Artifactory()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTIFACTORY_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("ARTIFACTORY_NO_SSL", "true")
    monkeypatch.setenv("MLCORE_BRIDGES", "mlflow")
    monkeypatch.setenv("MLCORE_TRACKING_URI", f"acme-sql:{tmp_path}")
    monkeypatch.setenv("MLCORE_ARTIFACT_ROOT", f"artifactory://{server.host}/artifactory/{REPOSITORY}/runs")
    started = time.time_ns() // 1_000_000

    with mlcore.start_run(run_name="first") as run:
        mlcore.log_param("depth", 3)
        mlcore.log_metric("loss", 0.5, step=1)
        mlcore.log_metric("loss", 0.25, step=2)
        mlcore.log_text("hello", "notes/a.txt")
    found = mlcore.search_runs(
        filter_string="(metrics.loss < 0.3 OR metrics.loss > 7) AND NOT params.depth > 5", output_format="list"
    )

    assert [each.info.run_id for each in found] == [run.info.run_id]
    assert (found[0].info.run_name, found[0].info.status) == ("first", "FINISHED")
    assert found[0].info.start_time >= started
    assert (found[0].data.params, found[0].data.metrics) == ({"depth": "3"}, {"loss": 0.25})
    assert found[0].data.tags["ario.enabled"] == "true"
    assert "mlcore.clientRunId" not in found[0].data.tags
    stored = [name for name in server.files if name.endswith("notes/a.txt")]
    assert [server.files[name] for name in stored] == [b"hello"]
    server.stop()
