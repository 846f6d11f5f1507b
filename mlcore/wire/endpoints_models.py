"""The endpoints of logged models, registered models and model versions."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers as a
from mlcore.wire import answers_models as am
from mlcore.wire import requests_models as m
from mlcore.wire import requests_registry as r
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.requests_adoption import AdoptModel, AdoptVersion

_E, _M = "experiment", "registered_model"
_READ_L, _EDIT_L = (Permission(x, _E, "model_id") for x in (Action.READ, Action.EDIT))
_READ, _EDIT, _MANAGE = (Permission(x, _M, "name") for x in (Action.READ, Action.EDIT, Action.MANAGE))
_LIST = Permission(Action.READ, _M, "answer")
_ADOPT = Permission(Action.MANAGE, "server")


def _row(name: str, request: type, answer: type, call: str, permission: Permission, *, since: str = "1.13") -> Endpoint:
    """A row of the registry; its name is `METHOD path`."""
    method, path = name.split()
    return Endpoint(
        name,
        method,
        f"/mlflow/{path}",
        request,
        answer,
        call,
        permission,
        preview=since == "1.13",
        mutates=permission.action is not Action.READ,
        since=since,
    )


def _logged(name: str, request: type, answer: type, call: str, permission: Permission) -> Endpoint:
    method, path = name.split()
    mutates = permission.action is not Action.READ
    return Endpoint(name, method, f"/mlflow/{path}", request, answer, call, permission, mutates=mutates, since="3.x")


LOGGED_MODELS = (
    _logged(
        "POST logged-models",
        m.CreateLoggedModel,
        am.LoggedModelAnswer,
        "logged_models.create",
        Permission(Action.EDIT, _E, "experiment_id"),
    ),
    _logged(
        "POST logged-models/search",
        m.SearchLoggedModels,
        am.LoggedModelPage,
        "logged_models.search",
        Permission(Action.READ, _E, "experiment_ids"),
    ),
    _logged("GET logged-models/{model_id}", m.LoggedModelId, am.LoggedModelAnswer, "logged_models.get", _READ_L),
    _logged(
        "PATCH logged-models/{model_id}",
        m.FinalizeLoggedModel,
        am.LoggedModelAnswer,
        "logged_models.finalize",
        _EDIT_L,
    ),
    _logged("DELETE logged-models/{model_id}", m.LoggedModelId, a.Empty, "logged_models.delete", _EDIT_L),
    _logged("POST logged-models/{model_id}/params", m.LogModelParams, a.Empty, "logged_models.log_params", _EDIT_L),
    _logged("PATCH logged-models/{model_id}/tags", m.SetModelTags, a.Empty, "logged_models.set_tags", _EDIT_L),
    _logged(
        "DELETE logged-models/{model_id}/tags/{tag_key:path}",
        m.DeleteModelTag,
        a.Empty,
        "logged_models.delete_tag",
        _EDIT_L,
    ),
    _logged(
        "GET logged-models/{model_id}/artifacts/directories",
        m.ListModelArtifacts,
        a.FileList,
        "artifacts.list_logged_model",
        _READ_L,
    ),
)

MODELS = (
    _row(
        "POST registered-models/create",
        r.CreateModel,
        am.ModelAnswer,
        "models.create",
        Permission(Action.CREATE, _M),
    ),
    _row("POST registered-models/adopt", AdoptModel, am.ModelAnswer, "adoption.model", _ADOPT, since="mlcore"),
    _row("GET registered-models/get", r.ModelName, am.ModelAnswer, "models.get", _READ),
    _row("PATCH registered-models/update", r.UpdateModel, am.ModelAnswer, "models.update", _EDIT),
    _row("POST registered-models/rename", r.RenameModel, am.ModelAnswer, "models.rename", _MANAGE),
    _row("DELETE registered-models/delete", r.ModelName, a.Empty, "models.delete", _MANAGE),
    _row("GET registered-models/search", r.SearchModels, am.ModelPage, "models.search", _LIST),
    _row("GET registered-models/list", r.SearchModels, am.ModelPage, "models.list", _LIST),
    _row("GET registered-models/get-latest-versions", r.LatestVersions, am.VersionPage, "models.latest", _READ),
    _row(
        "POST registered-models/get-latest-versions",
        r.LatestVersions,
        am.VersionPage,
        "models.latest",
        _READ,
        since="1.30",
    ),
    _row("POST registered-models/set-tag", r.SetModelTag, a.Empty, "models.set_tag", _EDIT),
    _row("DELETE registered-models/delete-tag", r.DeleteModelTag, a.Empty, "models.delete_tag", _EDIT),
    _row("POST registered-models/alias", r.SetAlias, a.Empty, "models.set_alias", _EDIT, since="2.3"),
    _row("GET registered-models/alias", r.Alias, am.VersionAnswer, "models.get_alias", _READ, since="2.3"),
    _row("DELETE registered-models/alias", r.Alias, a.Empty, "models.delete_alias", _EDIT, since="2.3"),
)

VERSIONS = (
    _row("POST model-versions/create", r.CreateVersion, am.VersionAnswer, "versions.create", _EDIT),
    _row("POST model-versions/adopt", AdoptVersion, am.VersionAnswer, "adoption.version", _ADOPT, since="mlcore"),
    _row("GET model-versions/get", r.Version, am.VersionAnswer, "versions.get", _READ),
    _row("PATCH model-versions/update", r.UpdateVersion, am.VersionAnswer, "versions.update", _EDIT),
    _row("DELETE model-versions/delete", r.Version, a.Empty, "versions.delete", _MANAGE),
    _row("POST model-versions/transition-stage", r.TransitionStage, am.VersionAnswer, "versions.transition", _EDIT),
    _row("GET model-versions/search", r.SearchVersions, am.VersionPage, "versions.search", _LIST),
    _row("GET model-versions/get-download-uri", r.Version, a.ArtifactUri, "versions.download_uri", _READ),
    _row("POST model-versions/set-tag", r.SetVersionTag, a.Empty, "versions.set_tag", _EDIT),
    _row("DELETE model-versions/delete-tag", r.DeleteVersionTag, a.Empty, "versions.delete_tag", _EDIT),
)
