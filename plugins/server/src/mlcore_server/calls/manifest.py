"""What a page has to know before it offers anything: the server, its stores, and what the caller may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from mlcore import __version__, interfaces
from mlcore.entities import Action, Resource
from mlcore.errors import MlcoreError, NotFoundError, UnsupportedError
from mlcore.plugins import Plugins
from mlcore.uris import scheme
from mlcore.wire import requests_feeds as r
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.feeds import within
from mlcore_server.config import ServerConfig
from mlcore_server.stores import Stores

_MOST = 1000
_ACTIONS = (Action.READ, Action.EDIT, Action.MANAGE)


class Manifest:
    """The group `manifest` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access, config: ServerConfig, plugins: Plugins) -> None:
        """Tell of *stores* and *plugins*, and of what *access* allows."""
        self._stores = stores
        self._access = access
        self._config = config
        self._plugins = plugins

    def manifest(self, _request: object, caller: Caller) -> Json:
        """Return what the server is, and what the caller may do with it as a whole."""
        authority, user = self._access.authority, caller.principal
        registry: object = None
        with suppress(MlcoreError):  # it has none
            registry = self._stores.registry
        enabled = {(one.dist, one.version) for one in self._plugins.installed() if self._plugins.is_enabled(one)}
        return {
            "version": __version__,
            "user": None if authority is None else {"name": user.name, "is_admin": user.is_admin},
            "auth": None if authority is None else authority.name,
            "tracking": _store(self._config.tracking_uri, self._stores.tracking),
            "registry": _store(self._config.registry_uri, registry),
            "can": {
                "create_experiment": self._access.may(user, Action.CREATE, Resource("experiment")),
                "create_model": registry is not None
                and self._access.may(user, Action.CREATE, Resource("registered_model")),
                "manage_server": self._access.may(user, Action.MANAGE, Resource("server")),
            },
            "plugins": [{"name": name, "version": version} for name, version in sorted(enabled)],
        }

    def may(self, request: r.May, caller: Caller) -> Json:
        """Return what the caller may do with experiments and models; nothing with what there is not."""
        within("length", "experiment_ids", len(request.experiment_ids), (0, _MOST))
        within("length", "models", len(request.models), (0, _MOST))
        tracking = self._stores.tracking
        return {
            "experiments": self._rights(caller, "experiment", request.experiment_ids, tracking.get_experiment),
            "models": self._rights(caller, "registered_model", request.models, self._model),
        }

    def _rights(
        self, caller: Caller, kind: str, ids: Iterable[str], find: Callable[[str], object]
    ) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in dict.fromkeys(ids):
            allowed = [
                str(action) for action in _ACTIONS if self._access.may(caller.principal, action, Resource(kind, one))
            ]
            found[one] = allowed if allowed and _is_there(find, one) else []
        return found

    def _model(self, name: str) -> object:
        return self._stores.registry.get_model(name)


def _is_there(find: Callable[[str], object], one: str) -> bool:
    try:
        find(one)
    except (NotFoundError, UnsupportedError):  # or there is no registry
        return False
    return True


def _store(uri: str, store: object) -> Json:
    return {"kind": scheme(uri) if store is not None else "", "abilities": list(_abilities(store))}


def _abilities(store: object) -> Iterable[str]:
    """Name the protocols for what only some stores can do."""
    for name in interfaces.__all__:
        protocol = getattr(interfaces, name)
        if name.startswith("Supports") and store is not None and isinstance(store, protocol):
            yield name
