"""The table of every endpoint that mlcore's server answers and its client calls.

The server turns it into routes, the client into calls, the documentation into a reference. An endpoint that is not
here does not exist, and none is here without saying what its caller needs.
"""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers as a
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints_artifacts import ARTIFACTS, PROXY
from mlcore.wire.endpoints_feeds import EDITS, FEEDS
from mlcore.wire.endpoints_models import LOGGED_MODELS, MODELS, VERSIONS
from mlcore.wire.endpoints_moves import MOVES, REQUESTS
from mlcore.wire.endpoints_tables import TABLES
from mlcore.wire.endpoints_tracking import EXPERIMENTS, METRICS, RUNS, VIEWS
from mlcore.wire.endpoints_viewing import VIEWING
from mlcore.wire.requests_tracking import NoFields

_PUBLIC = Permission(None)


def _service(name: str, path: str, call: str, permission: Permission, since: str) -> Endpoint:
    return Endpoint(name, "GET", path, NoFields, None, call, permission, absolute=True, since=since)


SERVICE = (
    _service("health", "/health", "service.health", _PUBLIC, "1.13"),
    _service("ready", "/ready", "service.ready", _PUBLIC, "mlcore"),
    _service("version", "/version", "service.version", _PUBLIC, "2.x"),
    _service("metrics", "/metrics", "service.metrics", Permission(Action.READ, "server"), "1.13"),
    _service("openapi", "/openapi.json", "service.openapi", _PUBLIC, "mlcore"),
    Endpoint(
        "server-info",
        "GET",
        "/api/3.0/mlflow/server-info",
        NoFields,
        a.ServerInfo,
        "service.info",
        _PUBLIC,
        absolute=True,
        since="3.x",
    ),
    Endpoint(
        "GET ajax server-info",
        "GET",
        "/ajax-api/3.0/mlflow/server-info",
        NoFields,
        a.ServerInfo,
        "service.info",
        _PUBLIC,
        absolute=True,
        since="3.x",
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    *EXPERIMENTS,
    *RUNS,
    *METRICS,
    *VIEWS,
    *TABLES,
    *ARTIFACTS,
    *PROXY,
    *LOGGED_MODELS,
    *MODELS,
    *VERSIONS,
    *MOVES,
    *REQUESTS,
    *VIEWING,
    *FEEDS,
    *EDITS,
    *SERVICE,
)

BY_NAME: dict[str, Endpoint] = {endpoint.name: endpoint for endpoint in ENDPOINTS}
