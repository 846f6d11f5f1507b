"""Answers about the artifacts of runs, logged models and model versions."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import PresignedUrl, SupportsPresign
from mlcore.registry.names import check_version
from mlcore.wire import limits
from mlcore.wire import requests_artifacts as r
from mlcore.wire import requests_models as m
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.files.listing import files_out
from mlcore_server.files.spots import Spot, below
from mlcore_server.files.transfers import Transfers
from mlcore_server.files.uploads import declared_size
from mlcore_server.stores import Stores

_MOST_BYTES = 10 * 2**20


class Artifacts:
    """The group `artifacts` of the endpoint table."""

    def __init__(self, stores: Stores, config: ServerConfig) -> None:
        """Answer from *stores*."""
        self._stores = stores
        self._transfers = Transfers(config)

    def list(self, request: r.ListArtifacts, _: Caller) -> Json:
        """Return what is in a directory of a run."""
        return self._listed(self._run_uri(request.run_id), request.path)

    def list_logged_model(self, request: m.ListModelArtifacts, _: Caller) -> Json:
        """Return what is in a directory of a logged model."""
        return self._listed(self._model_uri(request.model_id), request.artifact_directory_path)

    async def get(self, request: r.GetArtifact, _: Caller, http: Request) -> Response:
        """Send a file of a run."""
        return await self._sent(lambda: self._run_uri(request.run_id), request.path, http)

    async def get_version(self, request: r.GetVersionArtifact, _: Caller, http: Request) -> Response:
        """Send a file of a model version."""
        number = check_version(request.version)
        return await self._sent(
            lambda: self._stores.registry.get_version(request.name, number).source, request.path, http
        )

    async def get_logged_model(self, request: m.GetModelArtifact, _: Caller, http: Request) -> Response:
        """Send a file of a logged model."""
        return await self._sent(lambda: self._model_uri(request.model_id), request.artifact_file_path, http)

    async def upload(self, request: r.GetArtifact, _: Caller, http: Request) -> Response:
        """Store a small file in a run."""
        if request.path.endswith("/"):
            raise InvalidParameterError(f"Invalid path {request.path[:200]!r}: expected the name of a file")
        if declared_size(http) == 0:
            raise InvalidParameterError("Request must specify data.")
        spot = await self._transfers.look_up(lambda: below(self._stores, self._run_uri(request.run_id), request.path))
        await self._transfers.uploads.store(spot, http, _MOST_BYTES)
        return Response(status_code=200)

    def presign_upload(self, request: r.PresignUpload, _: Caller) -> Json:
        """Return where the storage itself takes a file, for a while."""
        if bool(request.run_id) == bool(request.model_id):
            raise InvalidParameterError("Exactly one of run_id and model_id must be provided.")
        uri = self._run_uri(request.run_id) if request.run_id else self._model_uri(request.model_id)
        signed = self._presigned(below(self._stores, uri, request.path), "PUT", request.expiration)
        return {"presigned_url": signed.url, "headers": dict(signed.headers)}

    def presign_download(self, request: r.PresignDownload, _: Caller) -> Json:
        """Return where the storage itself gives a file, for a while."""
        spot = below(self._stores, self._run_uri(request.run_id), request.path)
        signed = self._presigned(spot, "GET", request.expiration)
        size = spot.file_info().file_size
        return {"presigned_url": signed.url, "headers": dict(signed.headers), "file_size": size}

    def _listed(self, uri: str, path: str) -> Json:
        root = below(self._stores, uri, "")
        spot = below(self._stores, uri, path)
        return {"root_uri": self._stores.places.outward(uri), **files_out(spot.children(), cut=root.path)}

    async def _sent(self, find: Callable[[], str], path: str, http: Request) -> Response:
        spot = await self._transfers.look_up(lambda: below(self._stores, find(), path))
        return await self._transfers.downloads.answer(spot, http)

    def _run_uri(self, run_id: str) -> str:
        return self._stores.tracking.get_run(limits.check_run_id(run_id)).info.artifact_uri

    def _model_uri(self, model_id: str) -> str:
        return self._stores.logged_models.get_logged_model(model_id).artifact_uri

    def _presigned(self, spot: Spot, method: str, expires_s: int) -> PresignedUrl:
        if not isinstance(spot.repo, SupportsPresign):
            raise InvalidParameterError(
                f"Presigned {'upload' if method == 'PUT' else 'download'} is not supported by the server's artifact "
                "storage; move the file through the server"
            )
        return spot.repo.presigned_url(spot.path, method, expires_s)
