"""Answers about logged models."""

from __future__ import annotations

import uuid

from attrs import evolve

from mlcore.entities import (
    Action,
    Field,
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    NewLoggedModel,
    OrderBy,
)
from mlcore.errors import InvalidParameterError
from mlcore.tracking import names
from mlcore.wire import limits
from mlcore.wire import requests_models as m
from mlcore.wire.filter_parser import parse_logged_model_filter, parse_logged_model_order
from mlcore.wire.models_json import logged_model_out
from mlcore.wire.requests_tracking import Tag
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

_FORBIDDEN = "/:.%\"'"


class LoggedModels:
    """The group `logged_models` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access) -> None:
        """Answer from *stores*; *access* says who may name whose run."""
        self._stores = stores
        self._access = access

    def create(self, request: m.CreateLoggedModel, caller: Caller) -> Json:
        """Create a logged model, to be filled and finalized."""
        name = request.name or names.run_name()
        if any(mark in name for mark in _FORBIDDEN):
            raise InvalidParameterError(
                f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain "
                f"the following characters: {list(_FORBIDDEN)}"
            )
        if request.source_run_id:
            self._access.demand_run(caller.principal, Action.READ, request.source_run_id)
            self._stores.tracking.get_run(request.source_run_id)
        new = NewLoggedModel(
            limits.check_run_id(request.model_id) if request.model_id else f"m-{uuid.uuid4().hex}",
            limits.check_experiment_id(request.experiment_id),
            name,
            caller.principal.name,
            request.model_type,
            request.source_run_id,
            _params(request.params),
            _tags(request.tags),
        )
        return self._answer(self._stores.logged_models.create_logged_model(new))

    def get(self, request: m.LoggedModelId, _: Caller) -> Json:
        """Return a logged model."""
        store = self._stores.logged_models
        return self._answer(store.get_logged_model(request.model_id, allow_deleted=request.allow_deleted))

    def finalize(self, request: m.FinalizeLoggedModel, _: Caller) -> Json:
        """Say how the upload of a model ended."""
        return self._answer(self._change(request.model_id, LoggedModelChange(status=request.status)))

    def delete(self, request: m.LoggedModelId, _: Caller) -> Json:
        """Move a logged model to the bin; again does nothing."""
        found = self._stores.logged_models.get_logged_model(request.model_id, allow_deleted=True)
        if found.lifecycle_stage == LifecycleStage.ACTIVE:
            self._change(request.model_id, LoggedModelChange(lifecycle_stage=LifecycleStage.DELETED))
        return {}

    def log_params(self, request: m.LogModelParams, _: Caller) -> Json:
        """Add params."""
        self._change(request.model_id, LoggedModelChange(add_params=_params(request.params)))
        return {}

    def set_tags(self, request: m.SetModelTags, _: Caller) -> Json:
        """Set tags."""
        self._change(request.model_id, LoggedModelChange(set_tags=_tags(request.tags)))
        return {}

    def delete_tag(self, request: m.DeleteModelTag, _: Caller) -> Json:
        """Remove a tag."""
        self._change(request.model_id, LoggedModelChange(delete_tags=(request.tag_key,)))
        return {}

    def search(self, request: m.SearchLoggedModels, _: Caller) -> Json:
        """Return a page of the models that fit."""
        query = LoggedModelQuery(
            tuple(limits.check_experiment_id(one) for one in request.experiment_ids),
            parse_logged_model_filter(request.filter),
            tuple(_order(one) for one in request.order_by),
            tuple((one.dataset_name, one.dataset_digest) for one in request.datasets),
            limits.check_max_results(request.max_results),
            request.page_token or None,
        )
        page = self._stores.logged_models.search_logged_models(query)
        out: Json = {"models": [self.shown(one) for one in page.items]} if page.items else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def shown(self, model: LoggedModel) -> Json:
        """Return a logged model as clients see it."""
        return logged_model_out(evolve(model, artifact_uri=self._stores.places.outward(model.artifact_uri)))

    def _answer(self, model: LoggedModel) -> Json:
        return {"model": self.shown(model)}

    def _change(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        return self._stores.logged_models.update_logged_model(model_id, change)


def _order(given: m.ModelOrder) -> OrderBy:
    if given.field_name.startswith("metrics."):
        return OrderBy(Field("metric", given.field_name.removeprefix("metrics.")), given.ascending)
    (order,) = parse_logged_model_order([given.field_name])
    return OrderBy(order.field, given.ascending)


def _params(given: tuple[Tag, ...]) -> dict[str, str]:
    return {one.key: one.value for one in (limits.param(p.key, p.value, truncate=True) for p in given)}


def _tags(given: tuple[Tag, ...]) -> dict[str, str]:
    return {one.key: one.value for one in (limits.tag(t.key, t.value, truncate=True) for t in given)}
