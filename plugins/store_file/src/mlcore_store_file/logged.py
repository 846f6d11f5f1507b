"""The part of the store that keeps logged models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlcore.entities import (
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    ModelMetric,
    NewLoggedModel,
    Page,
)
from mlcore.errors import AlreadyExistsError, BadRequestError, NotFoundError
from mlcore.tracking.evaluate_logged import logged_model_matches, sort_logged_models
from mlcore.uris import join
from mlcore_store_file.experiments import Experiments
from mlcore_store_file.following import Tail
from mlcore_store_file.layout import names_in
from mlcore_store_file.logged_state import CHANGED, CREATED, MEASURED, LoggedState, plain
from mlcore_store_file.paging import page_of
from mlcore_store_file.part import Place


class LoggedModels:
    """Read and record logged models."""

    def __init__(self, place: Place, experiments: Experiments) -> None:
        """Use the store at *place*."""
        self._place = place
        self._experiments = experiments
        self._known: dict[Path, tuple[Tail, LoggedState]] = {}

    def create(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model of an active experiment; the same again is returned as it is."""
        with self._place.lock:
            known = self._find(new.model_id)
            if known is not None:
                if self._experiments.state(new.experiment_id) is None and new.experiment_id != "0":
                    raise NotFoundError(f"no experiment with id='{new.experiment_id}'")
                if known.experiment_id != new.experiment_id:
                    raise AlreadyExistsError(
                        f"logged model '{new.model_id}' already exists in experiment '{known.experiment_id}'"
                    )
                return known
            self._experiments.active(new.experiment_id)
            data = {
                "model_id": new.model_id,
                "experiment_id": new.experiment_id,
                "name": new.name,
                "creator_id": new.creator_id,
                "model_type": new.model_type,
                "source_run_id": new.source_run_id,
                "params": dict(new.params),
                "tags": dict(new.tags),
            }
            self._note(new.model_id, CREATED, data)
            return self.get(new.model_id)

    def get(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        with self._place.lock:
            found = self._find(model_id)
        if found is None or (found.lifecycle_stage is LifecycleStage.DELETED and not allow_deleted):
            raise NotFoundError(f"logged model with id='{model_id}' not found")
        return found

    def change(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step."""
        with self._place.lock:
            old = self.get(model_id, allow_deleted=change.lifecycle_stage is not None)
            for key in change.add_params:
                if key in old.params:
                    raise BadRequestError(f"param {key!r} of logged model '{model_id}' has a value already")
            for key in change.delete_tags:
                if key not in old.tags and key not in change.set_tags:
                    raise NotFoundError(f"no tag with key {key!r} in logged model with id='{model_id}'")
            data: dict[str, object] = {
                "params": dict(change.add_params),
                "tags": dict(change.set_tags),
                "removed": list(change.delete_tags),
            }
            if change.status is not None:
                data["status"] = change.status.value
            if change.lifecycle_stage is not None:
                data["stage"] = change.lifecycle_stage.value
            self._note(model_id, CHANGED, data)
            return self.get(model_id, allow_deleted=True)

    def search(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        names = names_in(self._place.layout.logged)
        with self._place.lock:
            every = [self._read(self._place.layout.logged / name) for name in names]
        shown = [
            each
            for each in every
            if each is not None
            and each.experiment_id in query.experiment_ids
            and each.lifecycle_stage is LifecycleStage.ACTIVE
        ]
        found = [each for each in shown if logged_model_matches(query.filter, each, query.datasets)]
        return page_of(sort_logged_models(found, query.order_by, query.datasets), query.max_results, query.page_token)

    def measure(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models."""
        with self._place.lock:
            by_model: dict[str, list[list[object]]] = {}
            for each in metrics:
                if each.model_id not in by_model and self._find(each.model_id) is None:
                    raise BadRequestError(f"there is no logged model '{each.model_id}': create it first")
                point = each.point
                by_model.setdefault(each.model_id, []).append(
                    [
                        point.key,
                        plain(point.value),
                        point.timestamp,
                        point.step,
                        run_id,
                        each.dataset_name,
                        each.dataset_digest,
                    ]
                )
            for model_id, points in by_model.items():
                self._note(model_id, MEASURED, {"points": points})

    def _note(self, model_id: str, name: str, data: Mapping[str, object]) -> None:
        self._place.note(self._place.layout.logged_model(model_id), model_id, name, data)

    def _find(self, model_id: str) -> LoggedModel | None:
        return self._read(self._place.layout.logged_model(model_id))

    def _read(self, folder: Path) -> LoggedModel | None:
        tail, state = self._known.get(folder) or (Tail(folder, self._place.faults), LoggedState())
        try:
            state.take(tail.news())
        except (FileNotFoundError, NotADirectoryError):
            self._known.pop(folder, None)
            return None
        if not state.made:
            return None
        self._known[folder] = (tail, state)
        self._place.clock.seen(state.greatest_at)
        experiment_id, model_id = str(state.made["experiment_id"]), str(state.made["model_id"])
        location = self._experiments.location(experiment_id, self._experiments.state(experiment_id))
        return state.shown(join(location, "models", model_id, "artifacts"))
