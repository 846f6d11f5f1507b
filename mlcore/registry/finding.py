"""Find the version that somebody means; what is not there is answered with what is."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from mlcore.artifacts.resolve import (
    LoggedModelName,
    ModelAliasName,
    ModelLatestName,
    ModelName,
    ModelStageName,
    ModelVersionName,
)
from mlcore.entities import Comparison, Field, ModelVersion, RegisteredModel
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.interfaces import RegistryStore
from mlcore.wire.filter_text import filter_to_text
from mlcore.wire.stages import canonical_stage

_SHOWN = 20


def find_version(store: RegistryStore, named: ModelName) -> ModelVersion:
    """Return the version that the parts of a `models:/` URI mean.

    Raises NotFoundError: none such; tells the versions, stages or aliases that exist. InvalidParameterError: no such
    stage.
    """
    match named:
        case ModelVersionName():
            return version_named(store, named.name, named.version)
        case ModelAliasName():
            return with_alias(store, named.name, named.alias)
        case ModelLatestName():
            return _latest(store.get_model(named.name))
        case ModelStageName():
            return _in_stage(store.get_model(named.name), canonical_stage(named.stage))
        case LoggedModelName():
            raise NotFoundError(
                f"'models:/{named.model_id}' names a logged model, not a registered one: expected "
                "models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME@ALIAS or models:/NAME/latest"
            )


def version_named(store: RegistryStore, name: str, version: str) -> ModelVersion:
    """Return a version by its number. Raises NotFoundError: tells which versions exist."""
    try:
        return store.get_version(name, version)
    except NotFoundError as err:
        numbers = _numbers(store, name)
        if numbers is not None:
            raise NotFoundError(f"{err.message} (registered model {name!r} has {_listed(numbers)})") from err
        raise


def with_alias(store: RegistryStore, name: str, alias: str) -> ModelVersion:
    """Return the version that an alias points to; `latest` is the newest. Raises NotFoundError: tells the aliases."""
    model = store.get_model(name)
    if alias.lower() == "latest":
        return _latest(model)
    if alias in model.aliases:
        return store.get_version_by_alias(name, alias)
    near = difflib.get_close_matches(alias, model.aliases, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ""
    raise NotFoundError(
        f"Registered model alias {alias} not found{hint} (registered model {name!r} has {_listed(sorted(model.aliases))})"
    )


def newest_of_stages(model: RegisteredModel, stages: Collection[str]) -> list[ModelVersion]:
    """Return the newest version of each of the stages, by number."""
    found = [version for version in model.latest_versions if version.current_stage in stages]
    return sorted(found, key=lambda version: int(version.version))


def _latest(model: RegisteredModel) -> ModelVersion:
    if not model.latest_versions:
        raise NotFoundError(f"registered model {model.name!r} has no versions yet")
    return max(model.latest_versions, key=lambda version: int(version.version))


def _in_stage(model: RegisteredModel, stage: str) -> ModelVersion:
    found = newest_of_stages(model, {stage})
    if not found:
        taken = [f"{v.current_stage} (version {v.version})" for v in model.latest_versions]
        raise NotFoundError(
            f"registered model {model.name!r} has no version in stage {stage!r}; it has {_listed(taken)}"
        )
    return found[0]


def _numbers(store: RegistryStore, name: str) -> list[str] | None:
    try:
        of_model = filter_to_text(Comparison(Field("attribute", "name"), "=", name))
        page = store.search_versions(of_model, order_by=(), max_results=_SHOWN + 1, page_token=None)
    except (InvalidParameterError, NotFoundError):  # a name that no filter can say
        return None
    return sorted((version.version for version in page.items), key=int)


def _listed(found: list[str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (", ".join(found[:_SHOWN]) + more) or "none"
