"""Answers about model versions."""

from __future__ import annotations

from mlcore.artifacts.resolve import LoggedModelName, ModelVersionName, parse_models_uri, parse_runs_uri
from mlcore.entities import Action, ModelVersion, Page, Resource
from mlcore.errors import InvalidParameterError
from mlcore.registry.names import check_version
from mlcore.uris import redacted, scheme
from mlcore.wire import limits
from mlcore.wire import requests_registry as r
from mlcore.wire.requests_adoption import AdoptVersion
from mlcore.wire.requests_tracking import Tag
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.models import check_stage, registry_tags, shown_version
from mlcore_server.stores import Stores

_MOST_VERSIONS = 200_000


class Versions:
    """The group `versions` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access) -> None:
        """Answer from *stores*; *access* says who may make a version of whose model."""
        self._stores = stores
        self._access = access

    def create(self, request: r.CreateVersion, caller: Caller) -> Json:
        """Add a version."""
        made = self._stores.mover(caller).create_version(
            request.name,
            self.source(request, caller),
            run_id=request.run_id or None,
            run_link=request.run_link or None,
            description=request.description,
            tags=registry_tags(request.tags),
        )
        return self._answer(made)

    def get(self, request: r.Version, _: Caller) -> Json:
        """Return a version."""
        return self._answer(self._found(request))

    def update(self, request: r.UpdateVersion, _: Caller) -> Json:
        """Describe a version."""
        return self._answer(
            self._stores.registry.update_version(
                request.name,
                check_version(request.version),
                description=request.description,
                stage=None,
                archive_existing=False,
            )
        )

    def delete(self, request: r.Version, caller: Caller) -> Json:
        """Remove a version."""
        # forced: MLflow's clients delete what is in Production; ours ask first
        self._stores.mover(caller).delete_version(request.name, check_version(request.version), force=True)
        return {}

    def transition(self, request: r.TransitionStage, caller: Caller) -> Json:
        """Move a version to a stage."""
        stage = check_stage(request.stage)
        if request.archive_existing_versions and stage not in ("Staging", "Production"):
            raise InvalidParameterError(
                f"Model version transition cannot archive existing model versions because '{stage}' is not an Active "
                "stage. Valid stages are ['Staging', 'Production']"
            )
        moved = self._stores.mover(caller).move_stage(
            request.name,
            check_version(request.version),
            stage,
            archive_existing=request.archive_existing_versions,
        )
        return self._answer(moved)

    def search(self, request: r.SearchVersions, _: Caller) -> Json:
        """Return a page of the versions that fit."""
        page: Page[ModelVersion] = self._stores.registry.search_versions(
            request.filter,
            order_by=request.order_by,
            max_results=limits.check_max_results(request.max_results, _MOST_VERSIONS),
            page_token=request.page_token or None,
        )
        out: Json = {"model_versions": [shown_version(self._stores, one) for one in page.items]} if page.items else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def download_uri(self, request: r.Version, _: Caller) -> Json:
        """Return where the files of a version are."""
        return {"artifact_uri": self._stores.places.outward(self._found(request).source)}

    def set_tag(self, request: r.SetVersionTag, _: Caller) -> Json:
        """Set a tag."""
        (value,) = registry_tags((Tag(key=request.key, value=request.value),)).values()
        self._stores.registry.set_tag(request.name, check_version(request.version), request.key, value)
        return {}

    def delete_tag(self, request: r.DeleteVersionTag, _: Caller) -> Json:
        """Remove a tag; a missing one is fine."""
        version = check_version(request.version)
        if request.key in self._stores.registry.get_version(request.name, version).tags:
            self._stores.registry.set_tag(request.name, version, request.key, None)
        return {}

    def _answer(self, version: ModelVersion) -> Json:
        return {"model_version": shown_version(self._stores, version)}

    def _found(self, request: r.Version) -> ModelVersion:
        return self._stores.registry.get_version(request.name, check_version(request.version))

    def source(self, request: r.CreateVersion | AdoptVersion, caller: Caller) -> str:
        """Return the real place of a version's files.

        The server will read there for whoever may read the version: so it has to be a place that the caller may
        read, and one on the server's own disk or in its proxy has to belong to the run or model that is named.
        """
        source = request.source
        if ".." in source.replace("\\", "/").split("/"):
            raise InvalidParameterError(f"Invalid model version source: '{redacted(source)}'. It may not contain '..'.")
        kind = scheme(source)
        if kind == "runs":
            named = parse_runs_uri(source)
            self._access.demand_run(caller.principal, Action.READ, named.run_id)
            root = self._stores.tracking.get_run(named.run_id).info.artifact_uri
            return f"{root}/{named.path}" if named.path else root
        if kind == "models":
            return self._of_model(source, caller)
        is_own = kind in ("file", "mlflow-artifacts")
        if not is_own and not (caller.is_limited and self._stores.places.touches(source)):
            return source
        real = self._stores.places.inward(source) if kind == "mlflow-artifacts" else source
        for root in self._roots(request, caller):
            if real == root or real.startswith(root + "/"):
                return real
        raise InvalidParameterError(
            f"Invalid model version source: '{redacted(source)}'. To use a local path or the artifact proxy as a model "
            "version source, the run_id request parameter has to be specified and the path has to be contained within "
            "the artifact directory of the run specified by the run_id."
        )

    def _roots(self, request: r.CreateVersion | AdoptVersion, caller: Caller) -> list[str]:
        roots = []
        if request.run_id:
            self._access.demand_run(caller.principal, Action.READ, request.run_id)
            roots.append(self._stores.tracking.get_run(request.run_id).info.artifact_uri)
        if request.model_id:
            self._access.demand_model(caller.principal, Action.READ, request.model_id)
            roots.append(self._stores.logged_models.get_logged_model(request.model_id).artifact_uri)
        return [self._stores.places.inward(root) for root in roots]

    def _of_model(self, source: str, caller: Caller) -> str:
        named = parse_models_uri(source)
        if isinstance(named, ModelVersionName):
            self._access.demand(caller.principal, Action.READ, Resource("registered_model", named.name))
            return self._stores.registry.get_version(named.name, named.version).source
        if isinstance(named, LoggedModelName):
            self._access.demand_model(caller.principal, Action.READ, named.model_id)
            return self._stores.logged_models.get_logged_model(named.model_id).artifact_uri
        raise InvalidParameterError(
            f"Invalid model version source: '{redacted(source)}'. Expected models:/<name>/<version> or models:/<model id>."
        )
