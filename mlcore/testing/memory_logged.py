"""The part of the tracking store in memory that keeps logged models."""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod

from attrs import define, evolve, field

from mlcore.entities import (
    DatasetInput,
    Experiment,
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    Page,
    RunInfo,
)
from mlcore.errors import AlreadyExistsError, BadRequestError, InvalidStateError, NotFoundError
from mlcore.testing.memory_paging import page_of
from mlcore.tracking.evaluate_logged import logged_model_matches, sort_logged_models


@define
class Kept:
    """A run with all its points; `binned` when it was deleted together with its experiment."""

    info: RunInfo
    points: dict[tuple[str, int, int, str], Metric] = field(factory=dict)
    params: dict[str, str] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    inputs: dict[tuple[str, str], DatasetInput] = field(factory=dict)
    model_inputs: dict[str, None] = field(factory=dict)
    outputs: dict[ModelOutput, None] = field(factory=dict)
    binned: bool = False


class MemoryLoggedModels(ABC):
    """Keep logged models in a dict."""

    def __init__(self) -> None:
        """Start empty."""
        self.models: dict[str, LoggedModel] = {}
        self._lock = threading.RLock()

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""

    @abstractmethod
    def _writable(self, run_id: str) -> Kept:
        """Return an active run."""

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model of an active experiment; the same model again is returned as it is."""
        with self._lock:
            place = self.get_experiment(new.experiment_id)
            known = self.models.get(new.model_id)
            if known is not None:
                if known.experiment_id != new.experiment_id:
                    raise AlreadyExistsError(
                        f"logged model '{new.model_id}' already exists in experiment '{known.experiment_id}'"
                    )
                return known
            if place.lifecycle_stage is LifecycleStage.DELETED:
                raise InvalidStateError(
                    f"experiment '{new.experiment_id}' must be in the 'active' state: restore it first"
                )
            now = time.time_ns() // 1_000_000
            self.models[new.model_id] = LoggedModel(
                model_id=new.model_id,
                experiment_id=new.experiment_id,
                name=new.name,
                artifact_uri=f"{place.artifact_location}/models/{new.model_id}/artifacts",
                creation_timestamp=now,
                last_updated_timestamp=now,
                creator_id=new.creator_id,
                model_type=new.model_type,
                source_run_id=new.source_run_id,
                params=dict(new.params),
                tags=dict(new.tags),
            )
            return self.models[new.model_id]

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        with self._lock:
            found = self.models.get(model_id)
            if found is None or (found.lifecycle_stage is LifecycleStage.DELETED and not allow_deleted):
                raise NotFoundError(f"logged model with id='{model_id}' not found")
            return found

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step."""
        with self._lock:
            old = self.get_logged_model(model_id, allow_deleted=change.lifecycle_stage is not None)
            for key in change.add_params:
                if key in old.params:
                    raise BadRequestError(f"param {key!r} of logged model '{model_id}' has a value already")
            tags = {**old.tags, **change.set_tags}
            for key in change.delete_tags:
                if tags.pop(key, None) is None:
                    raise NotFoundError(f"no tag with key {key!r} in logged model with id='{model_id}'")
            self.models[model_id] = evolve(
                old,
                status=change.status or old.status,
                lifecycle_stage=change.lifecycle_stage or old.lifecycle_stage,
                params={**old.params, **change.add_params},
                tags=tags,
                last_updated_timestamp=time.time_ns() // 1_000_000,
            )
            return self.models[model_id]

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        with self._lock:
            shown = [
                each
                for each in self.models.values()
                if each.experiment_id in query.experiment_ids and each.lifecycle_stage is LifecycleStage.ACTIVE
            ]
        found = [each for each in shown if logged_model_matches(query.filter, each, query.datasets)]
        return page_of(sort_logged_models(found, query.order_by, query.datasets), query.max_results, query.page_token)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models: the latest point of each key, run and dataset."""
        with self._lock:
            self._writable(run_id)
            for metric in metrics:
                if metric.model_id not in self.models:
                    raise BadRequestError(f"there is no logged model '{metric.model_id}': create it first")
            for metric in metrics:
                model = self.models[metric.model_id]
                measured = {_curve(each): each for each in model.metrics}
                new = evolve(metric, run_id=run_id)
                known = measured.get(_curve(new))
                if known is None or _age(new.point) > _age(known.point):
                    measured[_curve(new)] = new
                self.models[metric.model_id] = evolve(model, metrics=tuple(measured[key] for key in sorted(measured)))

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once."""
        with self._lock:
            kept = self._writable(run_id)
            kept.model_inputs |= dict.fromkeys(inputs)
            kept.outputs |= dict.fromkeys(outputs)


def _curve(metric: ModelMetric) -> tuple[str, str, str, str]:
    return metric.point.key, metric.run_id, metric.dataset_name, metric.dataset_digest


def _age(point: Metric) -> tuple[int, int, bool, float]:
    gap = math.isnan(point.value)
    return point.step, point.timestamp, not gap, 0.0 if gap else point.value
