"""Logged models out of MLflow's tables; releases before 3.0 have none."""

# ruff: noqa: ARG002 - what would change something has the contract's arguments, and refuses

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from mlcore.entities import (
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    Page,
)
from mlcore.errors import NotFoundError
from mlcore.tracking.evaluate_logged import logged_model_matches, sort_logged_models
from mlcore_store_sql import paging
from mlcore_store_sql.dialects import Row
from mlcore_store_sql.mlflow_file import MlflowFile

_STATUS = (
    LoggedModelStatus.UNSPECIFIED,
    LoggedModelStatus.PENDING,
    LoggedModelStatus.READY,
    LoggedModelStatus.UPLOAD_FAILED,
)
_SELECT = (
    "SELECT model_id, experiment_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, "
    "status_message, model_type, source_run_id, lifecycle_stage FROM logged_models "
)


class MlflowLoggedModels:
    """The store's methods for logged models; those that would change something raise UnsupportedError."""

    def __init__(self, file: MlflowFile) -> None:
        """Read *file*."""
        self._file = file

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        for found in self._logged("WHERE model_id IN ({ids})", (model_id,)):
            if allow_deleted or found.lifecycle_stage == LifecycleStage.ACTIVE:
                return found
        raise NotFoundError(f"logged model with id={model_id!r} not found")

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        skip = paging.offset(query.page_token)
        numbers = [int(each) for each in dict.fromkeys(query.experiment_ids) if each.isascii() and each.isdigit()]
        found = [
            each
            for each in self._logged("WHERE experiment_id IN ({ids}) AND lifecycle_stage = 'active'", numbers)
            if logged_model_matches(query.filter, each, query.datasets)
        ]
        chosen = sort_logged_models(found, query.order_by, query.datasets)[skip : skip + query.max_results + 1]
        return paging.page(chosen, skip, query.max_results)

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"create the logged model {new.name!r}")

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"change the logged model {model_id!r}")

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"record into the run {run_id!r}")

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"record into the run {run_id!r}")

    def _logged(self, condition: str, values: Sequence[object]) -> list[LoggedModel]:
        if not self._file.has("logged_models"):
            return []
        rows = list(self._file.rows_of(_SELECT + condition, values))
        ids = [row[0] for row in rows]
        params = self._texts("logged_model_params", "param", ids)
        tags = self._texts("logged_model_tags", "tag", ids)
        metrics = self._metrics(ids)
        return [self._model(row, params[row[0]], tags[row[0]], metrics[row[0]]) for row in rows]

    def _model(
        self, row: Row, params: Mapping[str, str], tags: Mapping[str, str], metrics: Sequence[ModelMetric]
    ) -> LoggedModel:
        model_id, experiment, name, place, created, changed, status, message, kind, run_id, stage = row
        return LoggedModel(
            model_id,
            str(experiment),
            name or "",
            self._file.located(place),
            created or 0,
            changed or 0,
            _STATUS[status] if 0 <= (status or 0) < len(_STATUS) else LoggedModelStatus.UNSPECIFIED,
            status_message=message or "",
            creator_id=tags.get("mlflow.user", ""),
            model_type=kind or "",
            source_run_id=run_id or "",
            params=params,
            tags=tags,
            metrics=tuple(metrics),
            lifecycle_stage=LifecycleStage(stage or "active"),
        )

    def _texts(self, table: str, what: str, ids: Sequence[str]) -> Mapping[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        if self._file.has(table):
            statement = f"SELECT model_id, {what}_key, {what}_value FROM {table} WHERE model_id IN ({{ids}}) ORDER BY {what}_key"  # noqa: S608  # names only
            for model_id, key, value in self._file.rows_of(statement, ids):
                found[model_id][key] = value or ""
        return found

    def _metrics(self, ids: Sequence[str]) -> Mapping[str, list[ModelMetric]]:
        """Return the latest point of each key, run and dataset; MLflow keeps them all."""
        found: dict[str, list[ModelMetric]] = defaultdict(list)
        if not self._file.has("logged_model_metrics"):
            return found
        latest: dict[tuple[str, str, str, str, str], tuple[int, int, float]] = {}
        for model_id, key, run_id, name, digest, step, at, value in self._file.rows_of(
            "SELECT model_id, metric_name, run_id, dataset_name, dataset_digest, metric_step, metric_timestamp_ms, "
            "metric_value FROM logged_model_metrics WHERE model_id IN ({ids})",
            ids,
        ):
            curve = (model_id, key, run_id or "", name or "", digest or "")
            point = (step or 0, at or 0, math.nan if value is None else float(value))
            if curve not in latest or not point < latest[curve]:
                latest[curve] = point
        for (model_id, key, run_id, name, digest), (step, at, value) in sorted(latest.items()):
            found[model_id].append(ModelMetric(model_id, run_id, Metric(key, value, at, step), name, digest))
        return found
