"""Answers about the server itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mlcore import __version__
from mlcore.errors import MlcoreError
from mlcore.interfaces import (
    SupportsAdoption,
    SupportsHistoryAdoption,
    SupportsModelAdoption,
    SupportsMoves,
    SupportsReplay,
    SupportsRequests,
)
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.observing import Observer
from mlcore_server.openapi import document
from mlcore_server.stores import Stores

_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

# The protocol of this release; MLflow's clients compare nothing but whether it can be had.
PROTOCOL_VERSION = "3.17.2"


class Service:
    """The group `service` of the endpoint table."""

    def __init__(self, stores: Stores, observer: Observer, *, multipart: bool, presign: bool) -> None:
        """Tell of *stores* and of what *observer* has counted."""
        self._stores = stores
        self._observer = observer
        self._multipart = multipart
        self._presign = presign

    async def health(self, _request: object, _caller: Caller, _http: Request) -> Response:
        """Say that the process lives."""
        return PlainTextResponse("OK")

    async def version(self, _request: object, _caller: Caller, _http: Request) -> Response:
        """Return the version of the protocol that is spoken."""
        return PlainTextResponse(PROTOCOL_VERSION)

    async def metrics(self, _request: object, _caller: Caller, _http: Request) -> Response:
        """Return the page that Prometheus reads."""
        return Response(self._observer.page(), media_type=_PROMETHEUS)

    async def openapi(self, _request: object, _caller: Caller, _http: Request) -> Response:
        """Return the OpenAPI document."""
        return Response(orjson.dumps(document()), media_type="application/json")

    def ready(self, _request: object, _caller: Caller) -> Json:
        """Say whether the store answers. Raises what the store raises."""
        self._stores.tracking.get_experiment_by_name("Default")
        return {"status": "ready"}

    def info(self, _request: object, _caller: Caller) -> Mapping[str, object]:
        """Return what the server can do."""
        registry: object = None
        with suppress(MlcoreError):
            registry = self._stores.registry
        return {
            "store_type": type(self._stores.tracking).__name__,
            "workspaces_enabled": False,
            "trace_archival_enabled": False,
            "multipart_uploads_enabled": self._multipart,
            "multipart_downloads_enabled": False,
            "presigned_upload_run_id_supported": self._presign,
            "presigned_upload_model_id_supported": self._presign,
            "features_enabled": {"gateway": False},
            "mlcore": {
                "version": __version__,
                "registry": "no" if registry is None else "yes",
                "abilities": " ".join(_abilities(self._stores.tracking, registry)),
            },
        }


def _abilities(tracking: object, registry: object) -> Iterator[str]:
    """Name what only some stores can do, for clients that ask once."""
    if isinstance(tracking, SupportsReplay):
        yield "replay"
    if isinstance(tracking, SupportsAdoption):
        yield "adoption"
    if isinstance(registry, SupportsModelAdoption):
        yield "model-adoption"
    if isinstance(registry, SupportsMoves):
        yield "moves"
    if isinstance(registry, SupportsHistoryAdoption):
        yield "history-adoption"
    if isinstance(registry, SupportsRequests):
        yield "transition-requests"
