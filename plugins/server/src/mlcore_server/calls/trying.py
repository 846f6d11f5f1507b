"""Served models that pages ask for a prediction."""

from __future__ import annotations

from mlcore.wire import requests_viewing as r
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.scoring import ScoringServers
from mlcore_server.stores import Stores


class Trying:
    """The group `trying` of the endpoint table."""

    def __init__(self, stores: Stores, config: ServerConfig) -> None:
        """Ask the scoring servers that *config* names, about the models of *stores*."""
        self._stores = stores
        self._servers = ScoringServers(config.scoring_servers)

    def served(self, request: r.FindServed, _: Caller) -> Json:
        """Return where a model may be served."""
        self._stores.registry.get_model(request.name)
        return {"servers": list(self._servers.of(request.name))}

    def ask(self, request: r.AskServed, _: Caller) -> Json:
        """Return what a scoring server answers."""
        self._stores.registry.get_model(request.name)
        found = self._servers.ask(request.name, request.server, request.body)
        return {"status": found.status, "body": found.body, "took_ms": found.took_ms, "truncated": found.is_cut}
