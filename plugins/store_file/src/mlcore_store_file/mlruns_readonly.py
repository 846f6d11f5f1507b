"""An `mlruns` tree that is only read: what would change it is refused, and told how it can be done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    LoggedModel,
    LoggedModelChange,
    ModelMetric,
    ModelOutput,
    ModelVersion,
    NewLoggedModel,
    NewRun,
    RegisteredModel,
    Run,
    RunChange,
    RunInfo,
)
from mlcore.errors import UnsupportedError
from mlcore.uris import file_uri
from mlcore_store_file.mlruns_reading import MlrunsReader
from mlcore_store_file.mlruns_versions import MlrunsRegistryReader

# The arguments of methods that are refused are named as the contract names them, and not used.
# ruff: noqa: ARG002


class ReadOnlyTracking(MlrunsReader):
    """Experiments and runs that MLflow keeps, read in place."""

    def __init__(self, root: Path) -> None:
        """Read the tree at *root*; nothing is locked or written, so read-only media work."""
        super().__init__(root, locking=False)

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def create_run(self, new: NewRun) -> Run:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)


class ReadOnlyRegistry(MlrunsRegistryReader):
    """Registered models that MLflow keeps, read in place."""

    def __init__(self, root: Path) -> None:
        """Read the tree at *root*; nothing is locked or written."""
        super().__init__(root, locking=False)

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def delete_model(self, name: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        run_link: str | None,
        description: str,
        tags: Mapping[str, str],
    ) -> ModelVersion:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def delete_version(self, name: str, version: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Refuse. Raises UnsupportedError."""
        raise _refused(self._tree.root)


def _refused(root: str) -> UnsupportedError:
    uri = file_uri(root)
    return UnsupportedError(
        f"{root!r} holds runs that MLflow keeps, and is only read: to write there in MLflow's own layout, use the URI "
        f"'{uri}?layout=mlflow'; to take everything over into a store of mlcore, run "
        f"'mlcore --tracking-uri sqlite:///mlcore.db import --from {uri}'"
    )
