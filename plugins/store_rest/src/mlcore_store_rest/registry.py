"""The registry store over the endpoint table."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import NotFoundError
from mlcore.remote.settings import RemoteSettings
from mlcore.wire import requests_registry as r
from mlcore.wire.models_json import model_in, version_in
from mlcore.wire.requests_tracking import Tag
from mlcore_store_rest.service import Service

_MODELS_PER_PAGE, _VERSIONS_PER_PAGE = 1000, 200_000
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


class RestRegistryStore:
    """Registered models on a server of mlcore or MLflow."""

    def __init__(self, service: Service) -> None:
        """Ask through *service*."""
        self.service: Service = service

    @classmethod
    def open(cls, uri: str, settings: RemoteSettings | None = None) -> RestRegistryStore:
        """Ask the server at *uri*; connects at the first call."""
        return cls(Service.open(uri, settings))

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        request = r.CreateModel(name=name, description=description, tags=_tags(tags))
        return self._model("POST registered-models/create", request)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        return self._model("GET registered-models/get", r.ModelName(name=name))

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename, then describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        found = None
        if new_name is not None and new_name != name:
            found = self._model("POST registered-models/rename", r.RenameModel(name=name, new_name=new_name))
            name = new_name
        if description is not None:
            request = {"name": name, "description": description}
            found = self._model("PATCH registered-models/update", request)
        return found if found is not None else self.get_model(name)

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        self.service.call("DELETE registered-models/delete", r.ModelName(name=name))

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, at most 1000."""
        request = r.SearchModels(
            filter=filter_string,
            max_results=min(max_results, _MODELS_PER_PAGE),
            order_by=order_by,
            page_token=page_token or "",
        )
        found = self.service.call("GET registered-models/search", request)
        items = tuple([model_in(model) for model in found.get("registered_models") or ()])
        return Page(items, found.get("next_page_token") or None)

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
        """Add the next version."""
        request = r.CreateVersion(
            name=name,
            source=source,
            run_id=run_id or "",
            run_link=run_link or "",
            description=description,
            tags=_tags(tags),
        )
        return self._version("POST model-versions/create", request)

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        return self._version("GET model-versions/get", named(name, version))

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Move a version to a stage, then describe it; None leaves as it is."""
        found, which = None, named(name, version)
        if stage is not None:
            request = {**which, "stage": stage, "archive_existing_versions": archive_existing}
            found = self._version("POST model-versions/transition-stage", request)
        if description is not None:
            found = self._version("PATCH model-versions/update", {**which, "description": description})
        return found if found is not None else self.get_version(name, version)

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it."""
        self.service.call("DELETE model-versions/delete", named(name, version))

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        request = {
            "filter": filter_string,
            "max_results": min(max_results, _VERSIONS_PER_PAGE),
            "order_by": list(order_by),
            "page_token": page_token or "",
        }
        found = self.service.call("GET model-versions/search", {k: v for k, v in request.items() if v})
        items = tuple([version_in(version) for version in found.get("model_versions") or ()])
        return Page(items, found.get("next_page_token") or None)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        if version is None:
            self.service.call("DELETE registered-models/alias", r.Alias(name=name, alias=alias))
        else:
            self.service.call("POST registered-models/alias", {**named(name, version), "alias": alias})

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        try:
            return self._version("GET registered-models/alias", r.Alias(name=name, alias=alias))
        except NotFoundError as err:
            raise NotFoundError(f"no alias {alias!r} of registered model {name!r}: {err.message}") from err

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        which = {"name": name} if version is None else named(name, version)
        what = "registered-models" if version is None else "model-versions"
        if value is None:
            self.service.call(f"DELETE {what}/delete-tag", {**which, "key": key})
        else:
            self.service.call(f"POST {what}/set-tag", {**which, "key": key, "value": value})

    def close(self) -> None:
        """Let go of connections; further calls open them again."""
        self.service.close()

    def _model(self, name: str, request: object) -> RegisteredModel:
        return model_in(self.service.call(name, request)["registered_model"])

    def _version(self, name: str, request: object) -> ModelVersion:
        return version_in(self.service.call(name, request)["model_version"])


def named(name: str, version: str) -> dict[str, str]:
    """Return the fields that name a version. Raises NotFoundError: no version is ever called that."""
    if not _VERSION.fullmatch(version):
        raise NotFoundError(f"no version {version!r} of registered model {name!r}: versions are numbers from 1")
    return {"name": name, "version": version}


def _tags(tags: Mapping[str, str]) -> tuple[Tag, ...]:
    return tuple([Tag(key=key, value=value) for key, value in tags.items()])
