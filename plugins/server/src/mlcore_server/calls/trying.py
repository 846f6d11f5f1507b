"""Served models that pages ask for a prediction."""

from __future__ import annotations

from mlcore.entities import Action, Resource
from mlcore.wire import requests_viewing as r
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.scoring import ScoringServers
from mlcore_server.stores import Stores


class Trying:
    """The group `trying` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access, config: ServerConfig) -> None:
        """Ask the scoring servers that *config* names, about the models of *stores*; *access* says who may."""
        self._access = access
        self._stores = stores
        self._servers = ScoringServers(config.scoring_servers)

    def served(self, request: r.FindServed, caller: Caller) -> Json:
        """Return which servers the caller may ask for a model: none to who may only read it."""
        self._stores.registry.get_model(request.name)
        may = self._access.may(caller.principal, Action.EDIT, Resource("registered_model", request.name))
        return {"servers": list(self._servers.of(request.name)) if may else []}

    def ask(self, request: r.AskServed, _: Caller) -> Json:
        """Return what a scoring server answers."""
        self._stores.registry.get_model(request.name)
        found = self._servers.ask(request.name, request.server, request.body)
        return {"status": found.status, "body": found.body, "took_ms": found.took_ms, "truncated": found.is_cut}
