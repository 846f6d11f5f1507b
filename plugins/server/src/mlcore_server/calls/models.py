"""Answers about registered models."""

from __future__ import annotations

from attrs import evolve

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import InvalidParameterError
from mlcore.registry.names import check_alias, check_model_name, check_registry_tags, check_version
from mlcore.wire import limits
from mlcore.wire import requests_registry as r
from mlcore.wire.models_json import model_out, version_out
from mlcore.wire.requests_tracking import Tag
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

STAGES = ("None", "Staging", "Production", "Archived")
_MOST_MODELS = 1000


class Models:
    """The group `models` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def create(self, request: r.CreateModel, caller: Caller) -> Json:
        """Create a registered model."""
        name, tags = check_model_name(request.name), registry_tags(request.tags)
        mover = self._stores.mover(caller)
        return self._answer(mover.create_model(name, description=request.description, tags=tags))

    def get(self, request: r.ModelName, _: Caller) -> Json:
        """Return a registered model."""
        return self._answer(self._stores.registry.get_model(request.name))

    def update(self, request: r.UpdateModel, _: Caller) -> Json:
        """Describe a registered model."""
        changed = self._stores.registry.update_model(request.name, new_name=None, description=request.description)
        return self._answer(changed)

    def rename(self, request: r.RenameModel, caller: Caller) -> Json:
        """Give a registered model another name."""
        new_name = check_model_name(request.new_name)
        return self._answer(self._stores.mover(caller).rename_model(request.name, new_name))

    def delete(self, request: r.ModelName, caller: Caller) -> Json:
        """Remove a registered model with its versions."""
        self._stores.mover(caller).delete_model(request.name)
        return {}

    def search(self, request: r.SearchModels, _: Caller) -> Json:
        """Return a page of the registered models that fit."""
        return self._page(request, request.filter, request.order_by)

    def list(self, request: r.SearchModels, _: Caller) -> Json:
        """Return a page of all registered models; for clients of MLflow 1.x."""
        return self._page(request, "", ())

    def latest(self, request: r.LatestVersions, _: Caller) -> Json:
        """Return the newest version of each stage that is asked for."""
        wanted = {check_stage(stage) for stage in request.stages} or set(STAGES)
        found = [v for v in self._stores.registry.get_model(request.name).latest_versions if v.current_stage in wanted]
        found.sort(key=lambda version: int(version.version))
        return {"model_versions": [shown_version(self._stores, one) for one in found]} if found else {}

    def set_tag(self, request: r.SetModelTag, _: Caller) -> Json:
        """Set a tag."""
        (value,) = registry_tags((Tag(key=request.key, value=request.value),)).values()
        self._stores.registry.set_tag(request.name, None, request.key, value)
        return {}

    def delete_tag(self, request: r.DeleteModelTag, _: Caller) -> Json:
        """Remove a tag; a missing one is fine."""
        if request.key in self._stores.registry.get_model(request.name).tags:
            self._stores.registry.set_tag(request.name, None, request.key, None)
        return {}

    def set_alias(self, request: r.SetAlias, caller: Caller) -> Json:
        """Point an alias to a version."""
        alias, version = check_alias(request.alias), check_version(request.version)
        self._stores.mover(caller).move_alias(request.name, alias, version)
        return {}

    def get_alias(self, request: r.Alias, _: Caller) -> Json:
        """Return the version that an alias points to; `latest` is the newest one."""
        registry = self._stores.registry
        model = registry.get_model(request.name)
        if request.alias.lower() == "latest" and model.latest_versions:
            newest = max(model.latest_versions, key=lambda version: int(version.version))
            found = registry.get_version(request.name, newest.version)
        elif request.alias in model.aliases:
            found = registry.get_version_by_alias(request.name, request.alias)
        else:
            known = ", ".join(sorted(model.aliases)) or "none"
            raise InvalidParameterError(
                f"Registered model alias {request.alias} not found. Aliases of the model: {known}."
            )
        return {"model_version": shown_version(self._stores, found)}

    def delete_alias(self, request: r.Alias, caller: Caller) -> Json:
        """Remove an alias; a missing one is fine."""
        if request.alias in self._stores.registry.get_model(request.name).aliases:
            self._stores.mover(caller).move_alias(request.name, request.alias, None)
        return {}

    def _page(self, request: r.SearchModels, filter_string: str, order_by: tuple[str, ...]) -> Json:
        most = limits.check_max_results(request.max_results, _MOST_MODELS) if request.max_results > 0 else 100
        page: Page[RegisteredModel] = self._stores.registry.search_models(
            filter_string, order_by=order_by, max_results=most, page_token=request.page_token or None
        )
        out: Json = {"registered_models": [self._shown(one) for one in page.items]} if page.items else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def _answer(self, model: RegisteredModel) -> Json:
        return {"registered_model": self._shown(model)}

    def _shown(self, model: RegisteredModel) -> Json:
        versions = tuple(placed(self._stores, version) for version in model.latest_versions)
        return model_out(evolve(model, latest_versions=versions))


def placed(stores: Stores, version: ModelVersion) -> ModelVersion:
    """Return a version with its source as clients call it."""
    return evolve(version, source=stores.places.outward(version.source))


def shown_version(stores: Stores, version: ModelVersion) -> Json:
    """Return a version as clients see it."""
    return version_out(placed(stores, version))


def check_stage(stage: str) -> str:
    """Return the canonical spelling of a stage."""
    for known in STAGES:
        if stage.lower() == known.lower():
            return known
    raise InvalidParameterError(f"Invalid Model Version stage: {stage}. Value must be one of {', '.join(STAGES)}.")


def registry_tags(given: tuple[Tag, ...]) -> dict[str, str]:
    """Return checked tags; of several with one key the last wins."""
    return check_registry_tags({one.key: one.value for one in given})
