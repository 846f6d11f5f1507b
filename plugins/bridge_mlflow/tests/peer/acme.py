"""What a vendor's distribution for MLflow may bring, on MLflow's own classes; `conftest.py` gives it its metadata."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from pathlib import Path

from mlflow.deployments import BaseDeploymentClient
from mlflow.exceptions import MlflowException
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.submitted_run import SubmittedRun
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking import sqlalchemy_store
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking.context.abstract_context import RunContextProvider


def _path(uri: str) -> str:
    return uri.partition(":")[2]


class _Ids(threading.local):
    """In place of the module `uuid` in MLflow's store: the next id of a run, when somebody wants one."""

    wanted: str | None = None

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(self.wanted) if self.wanted else uuid.uuid4()


class SqlStore(SqlAlchemyStore):
    """A store that gives a run the id that the bridge was asked for, which MLflow's own ones do not."""

    ids = _Ids()

    def create_run(self, experiment_id, user_id, start_time, tags, run_name):
        sqlalchemy_store.uuid = self.ids
        self.ids.wanted = next((tag.value for tag in tags if tag.key == "mlcore.clientRunId"), None)
        try:
            return super().create_run(experiment_id, user_id, start_time, tags, run_name)
        finally:
            self.ids.wanted = None


def sql_store(store_uri: str, artifact_uri: str | None) -> SqlAlchemyStore:
    """A tracking store in SQLite: `acme-sql:/directory`, `acme-ids:/directory` for runs with the wanted ids."""
    kind = SqlStore if store_uri.startswith("acme-ids:") else SqlAlchemyStore
    return kind(f"sqlite:///{_path(store_uri)}/acme.db", artifact_uri or f"{_path(store_uri)}/artifacts")


def sql_registry(store_uri: str) -> RegistryStore:
    """A registry in SQLite: `acme-sql:/directory`."""
    return RegistryStore(f"sqlite:///{_path(store_uri)}/acme.db")


class OldRepository(LocalArtifactRepository):
    """A repository as for MLflow before 2.20: its constructor takes the URI alone."""

    def __init__(self, artifact_uri: str) -> None:
        super().__init__(Path(_path(artifact_uri)).as_uri())


class Context(RunContextProvider):
    """Tags from the environment."""

    def in_context(self) -> bool:
        return "ACME_TEAM" in os.environ

    def tags(self) -> dict[str, object]:
        return {"acme.team": os.environ["ACME_TEAM"], "acme.floor": 3, "acme.room": None}


class BrokenContext(RunContextProvider):
    """A provider that leaves the program."""

    def in_context(self) -> bool:
        raise SystemExit(7)

    def tags(self) -> dict[str, str]:
        return {}


class Client(BaseDeploymentClient):
    """A target in memory, as old as MLflow 1.13: nothing knows endpoints."""

    made: dict[str, dict[str, object]] = {}

    def create_deployment(self, name, model_uri, flavor=None, config=None):
        if not name.isidentifier():
            raise MlflowException(f"invalid name {name!r}", INVALID_PARAMETER_VALUE)
        if name in self.made:
            raise MlflowException(f"{name} exists", RESOURCE_ALREADY_EXISTS)
        self.made[name] = {
            "name": name,
            "flavor": flavor or "python_function",
            "model_uri": model_uri,
            **(config or {}),
        }
        return self.made[name]

    def update_deployment(self, name, model_uri=None, flavor=None, config=None):
        self.get_deployment(name)
        self.made[name] |= {"model_uri": model_uri or self.made[name]["model_uri"], **(config or {})}
        return {"flavor": flavor}

    def delete_deployment(self, name):
        self.get_deployment(name)
        del self.made[name]

    def list_deployments(self):
        return [{name: found} for name, found in self.made.items()]  # as mlflow-torchserve does it

    def get_deployment(self, name):
        if name not in self.made:
            raise MlflowException(f"nothing is called {name}", RESOURCE_DOES_NOT_EXIST)
        return self.made[name]

    def predict(self, deployment_name, df):
        self.get_deployment(deployment_name)
        return df.sum(axis=1) if hasattr(df, "columns") else [2 * each for each in df]


def run_local(name, model_uri, flavor=None, config=None):
    """Write down that it was called."""
    Path(config["to"]).write_text(f"{name} {model_uri} {flavor}", encoding="utf-8")


def target_help():
    """Return a text."""
    return "acme"


class Submitted(SubmittedRun):
    """A process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__()
        self.process = process

    @property
    def run_id(self) -> str:
        return "theirs"

    def wait(self) -> bool:
        return self.process.wait() == 0

    def get_status(self) -> str:
        code = self.process.poll()
        return "RUNNING" if code is None else "FINISHED" if code == 0 else "KILLED" if code < 0 else "FAILED"

    def cancel(self) -> None:
        self.process.terminate()
        self.process.wait()


class Backend(AbstractBackend):
    """Runs a project's entry point as MLflow reads it."""

    def run(self, project_uri, entry_point, params, version, backend_config, tracking_uri, experiment_id):
        from mlflow.projects.utils import load_project

        command = load_project(project_uri).get_entry_point(entry_point).compute_command(params, None)
        return Submitted(subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=project_uri))
