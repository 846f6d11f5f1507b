"""A registry store of MLflow behind our contract."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Protocol, cast

from mlcore.entities import ModelVersion, ModelVersionStatus, Page, RegisteredModel
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError, UnsupportedError
from mlcore.plugin_index import PluginEntry
from mlcore.wire.stages import canonical_stage
from mlcore_bridge_mlflow.faults import Guard
from mlcore_bridge_mlflow.loading import built, fitting, quiet
from mlcore_bridge_mlflow.paging import unwrapped, wrapped
from mlcore_bridge_mlflow.searching import TheirPage
from mlcore_bridge_mlflow.turns import Turns, in_turn


class TheirVersion(Protocol):
    """MLflow's ModelVersion; its aliases came with 2.3."""

    name: str
    version: object
    source: str | None
    creation_timestamp: int
    last_updated_timestamp: int | None
    run_id: str | None
    run_link: str | None
    current_stage: str | None
    status: object
    status_message: str | None
    description: str | None
    user_id: str | None
    tags: Mapping[str, str] | None


class TheirModel(Protocol):
    """MLflow's RegisteredModel; its aliases came with 2.3."""

    name: str
    creation_timestamp: int
    last_updated_timestamp: int | None
    description: str | None
    latest_versions: list[TheirVersion] | None
    tags: Mapping[str, str] | None


class TheirRegistry(Protocol):
    """What is called of MLflow's registry AbstractStore."""

    create_registered_model: Callable[..., TheirModel]
    get_registered_model: Callable[[str], TheirModel]
    update_registered_model: Callable[[str, str], object]
    rename_registered_model: Callable[[str, str], object]
    delete_registered_model: Callable[[str], object]
    search_registered_models: Callable[..., TheirPage[TheirModel]]
    create_model_version: Callable[..., TheirVersion]
    get_model_version: Callable[[str, str], TheirVersion]
    update_model_version: Callable[[str, str, str], object]
    transition_model_version_stage: Callable[[str, str, str, bool], object]
    delete_model_version: Callable[[str, str], object]
    search_model_versions: Callable[..., TheirPage[TheirVersion]]
    set_registered_model_tag: Callable[[str, object], object]
    delete_registered_model_tag: Callable[[str, str], object]
    set_model_version_tag: Callable[[str, str, object], object]
    delete_model_version_tag: Callable[[str, str, str], object]


def open_registry(entry: PluginEntry, uri: str) -> BridgedRegistry:
    """Open the store at *uri*."""
    make = built(entry)
    with Guard(entry, "opening the registry store"), quiet():
        # MLflow gives the tracking URI to those that declare it; here nobody knows one
        return BridgedRegistry(make(store_uri=uri, **fitting_tracking_uri(make)), entry)


def fitting_tracking_uri(make: Callable[..., object]) -> dict[str, object]:
    """Return `tracking_uri` for a builder that names it, and nothing for one that takes any keyword."""
    return fitting(make, {"tracking_uri": None}) if "tracking_uri" in _named(make) else {}


class BridgedRegistry(Turns):
    """Registered models in a store that was written for MLflow.

    Threads of one process take turns at changes.
    """

    def __init__(self, theirs: object, entry: PluginEntry) -> None:
        """Keep everything in *theirs*, which the plugin of *entry* has opened."""
        super().__init__()
        self._theirs = cast(TheirRegistry, theirs)
        self._entry = entry

    @in_turn
    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        made = import_module("mlflow.entities.model_registry")
        with self._on(f"registered model {name!r}", "create_registered_model"):
            known = [made.RegisteredModelTag(key, value) for key, value in tags.items()]
            self._theirs.create_registered_model(name, known, description)
        return self.get_model(name)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        with self._on(f"registered model {name!r}", "get_registered_model"):
            return _model(self._theirs.get_registered_model(name))

    @in_turn
    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        self.get_model(name)
        if new_name is not None and new_name != name:
            with self._on(f"registered model {new_name!r}", "rename_registered_model"):
                self._theirs.rename_registered_model(name, new_name)
        if description is not None:
            with self._on(f"registered model {new_name or name!r}", "update_registered_model"):
                self._theirs.update_registered_model(new_name or name, description)
        return self.get_model(new_name or name)

    @in_turn
    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with self._on(f"registered model {name!r}", "delete_registered_model"):
            self._theirs.delete_registered_model(name)

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, as the store's own search finds and orders them."""
        token = unwrapped(page_token)
        with self._reading(filter_string, order_by), Guard(self._entry, "search_registered_models"):
            page = self._theirs.search_registered_models(
                filter_string=filter_string or None, max_results=max_results, order_by=list(order_by), page_token=token
            )
            return Page(tuple(map(_model, page)), wrapped(getattr(page, "token", None)))

    @in_turn
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
        made = import_module("mlflow.entities.model_registry")
        with self._on(f"registered model {name!r}", "create_model_version"):
            version = self._theirs.create_model_version(
                name,
                source,
                run_id,
                tags=[made.ModelVersionTag(key, value) for key, value in tags.items()],
                run_link=run_link,
                description=description,
            )
            number = str(version.version)
        return self.get_version(name, number)

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._on_version(name, version, "get_model_version"):
            return _version(self._theirs.get_model_version(name, version))

    @in_turn
    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is."""
        if stage is not None and archive_existing:
            canonical_stage(stage, archive_existing=True)  # MLflow's stores call it an error of their own
        self.get_version(name, version)
        if stage is not None:
            try:
                with self._on_version(name, version, "transition_model_version_stage"):
                    self._theirs.transition_model_version_stage(name, version, stage, archive_existing)
            except InvalidParameterError as err:
                raise InvalidParameterError(f"cannot move to the stage {stage!r}: {err.message}") from err
        if description is not None:
            with self._on_version(name, version, "update_model_version"):
                self._theirs.update_model_version(name, version, description)
        return self.get_version(name, version)

    @in_turn
    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it."""
        with self._on_version(name, version, "delete_model_version"):
            self._theirs.delete_model_version(name, version)

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, as the store's own search finds and orders them."""
        token = unwrapped(page_token)
        with self._reading(filter_string, order_by), Guard(self._entry, "search_model_versions"):
            # before 2.x it took the filter alone and gave everything
            paged = {"max_results": max_results, "order_by": list(order_by), "page_token": token}
            page = self._theirs.search_model_versions(
                filter_string or None, **fitting(self._theirs.search_model_versions, paged)
            )
            return Page(tuple(map(_version, page)), wrapped(getattr(page, "token", None)))

    @in_turn
    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        if version is None:
            self.get_model(name)
            delete = self._ability("delete_registered_model_alias")
            with contextlib.suppress(NotFoundError), self._on(f"alias {alias!r}", "delete_registered_model_alias"):
                delete(name, alias)
            return
        self.get_version(name, version)
        point = self._ability("set_registered_model_alias")
        with self._on_version(name, version, "set_registered_model_alias"):
            point(name, alias, version)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        self.get_model(name)
        get = self._ability("get_model_version_by_alias")
        try:
            with self._on(f"alias {alias!r} of registered model {name!r}", "get_model_version_by_alias"):
                return _version(cast(TheirVersion, get(name, alias)))
        except InvalidParameterError as err:  # MLflow's code for an alias that is not there
            raise NotFoundError(f"no alias {alias!r} of registered model {name!r}: {err.message}") from err

    @in_turn
    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        made = import_module("mlflow.entities.model_registry")
        if version is None:
            known = self.get_model(name).tags
            with self._on(f"registered model {name!r}", "setting a tag"):
                if value is not None:
                    self._theirs.set_registered_model_tag(name, made.RegisteredModelTag(key, value))
                elif key in known:
                    self._theirs.delete_registered_model_tag(name, key)
            return
        known = self.get_version(name, version).tags
        with self._on_version(name, version, "setting a tag"):
            if value is not None:
                self._theirs.set_model_version_tag(name, version, made.ModelVersionTag(key, value))
            elif key in known:
                self._theirs.delete_model_version_tag(name, version, key)

    def close(self) -> None:
        """Close the store if it can be closed."""
        close = getattr(self._theirs, "close", None)
        if close is not None:
            with Guard(self._entry, "close"):
                close()

    def _ability(self, name: str) -> Callable[..., object]:
        found: Callable[..., object] | None = getattr(self._theirs, name, None)
        if found is None:
            raise UnsupportedError(f"{self._entry} does not support {name}: it was written for an older MLflow")
        return found

    @contextlib.contextmanager
    def _reading(self, filter_string: str, order_by: tuple[str, ...]) -> Iterator[None]:
        """Quote in an error what the store could not read."""
        try:
            yield
        except InvalidParameterError as err:
            raise InvalidParameterError(
                f"cannot search with the filter {filter_string!r} in the order {list(order_by)!r}: {err.message}"
            ) from err

    @contextlib.contextmanager
    def _on(self, what: str, doing: str) -> Iterator[None]:
        """Name what was asked for in the errors of the store."""
        try:
            with Guard(self._entry, doing):
                yield
        except (NotFoundError, AlreadyExistsError) as err:
            lead = "no" if isinstance(err, NotFoundError) else "there is already a"
            raise type(err)(f"{lead} {what}: {err.message}") from err

    @contextlib.contextmanager
    def _on_version(self, name: str, version: str, doing: str) -> Iterator[None]:
        what = f"version {version!r} of registered model {name!r}"
        if not (version.isascii() and version.isdigit() and len(version) < 10):  # MLflow keeps them as 32 bits
            self.get_model(name)
            raise NotFoundError(f"no {what}: versions are numbers")
        with self._on(what, doing):
            yield


def _named(make: Callable[..., object]) -> set[str]:
    known = ("store_uri", "tracking_uri")
    # a function that takes any keyword fits everything, so what it names shows with a keyword that nobody has
    probe = fitting(make, {**dict.fromkeys(known), "mlcore_probe": None})
    return set() if "mlcore_probe" in probe else set(probe)


def _model(theirs: TheirModel) -> RegisteredModel:
    aliases = getattr(theirs, "aliases", None) or {}
    return RegisteredModel(
        theirs.name,
        int(theirs.creation_timestamp),
        int(theirs.last_updated_timestamp or theirs.creation_timestamp),
        theirs.description or "",
        tuple(_version(each) for each in theirs.latest_versions or ()),
        dict(theirs.tags or {}),
        {alias: str(version) for alias, version in aliases.items()},
    )


def _version(theirs: TheirVersion) -> ModelVersion:
    return ModelVersion(
        name=theirs.name,
        version=str(theirs.version),
        source=theirs.source or "",
        creation_timestamp=int(theirs.creation_timestamp),
        last_updated_timestamp=int(theirs.last_updated_timestamp or theirs.creation_timestamp),
        run_id=theirs.run_id or None,
        run_link=theirs.run_link or None,
        current_stage=theirs.current_stage or "None",
        status=ModelVersionStatus(str(theirs.status)),
        status_message=theirs.status_message or "",
        description=theirs.description or "",
        user_id=theirs.user_id or "",
        tags=dict(theirs.tags or {}),
        aliases=tuple(sorted(getattr(theirs, "aliases", None) or ())),
    )
