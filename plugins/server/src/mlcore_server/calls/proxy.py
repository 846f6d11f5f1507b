"""Answers of the artifact proxy: the server moves files between clients and a storage that only it can reach."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mlcore.errors import ArtifactNotFoundError, InvalidParameterError, StoreUnavailableError, UnsupportedError
from mlcore.interfaces import SupportsParts, SupportsPresign
from mlcore.wire import requests_artifacts as r
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.files.listing import files_out
from mlcore_server.files.spots import IsDirectoryError, Spot, proxied
from mlcore_server.files.transfers import Transfers
from mlcore_server.stores import Stores

_NO_PARTS = "Multipart upload is not supported for the current artifact repository"
_NO_DOWNLOADS = "Multipart download is not supported for the current artifact repository"
_EXPIRES_S = 900
_PARTS_EXPIRE_S = 24 * 3600  # a large file over a slow line takes hours
_MOST_PARTS = 10_000


class Proxy:
    """The group `proxy` of the endpoint table."""

    def __init__(self, stores: Stores, config: ServerConfig) -> None:
        """Stand before the destination of *stores*."""
        self._stores = stores
        self._serves = config.serve_artifacts
        self._transfers = Transfers(config)

    @cached_property
    def has_multipart(self) -> bool:
        """Whether clients may send a file in parts."""
        return self._serves and isinstance(self._stores.repo(self._stores.places.destination), SupportsParts)

    @cached_property
    def has_presign(self) -> bool:
        """Whether clients may get addresses of the storage itself."""
        if not self._serves:
            return False
        return isinstance(self._stores.repo(self._stores.places.destination), SupportsPresign)

    def list(self, request: r.ProxyList, _: Caller) -> Json:
        """Return what is in a directory, by its bare names."""
        return files_out(self._spot(request.path.rstrip("/")).children(), bare=True)

    async def get(self, request: r.ProxyPath, _: Caller, http: Request) -> Response:
        """Send a file."""
        try:
            return await self._transfers.downloads.answer(self._spot(request.artifact_path), http)
        except IsDirectoryError as err:
            # MLflow's own server says it under `detail` here, and nowhere else.
            told = {"error_code": err.code, "message": err.message, "detail": err.message}
            return JSONResponse(told, err.status, {"x-content-type-options": "nosniff"})

    async def put(self, request: r.ProxyPath, _: Caller, http: Request) -> Response:
        """Store a file."""
        spot = self._file(request.artifact_path)
        digest = await self._transfers.uploads.store(spot, http)
        return Response(status_code=200, headers={"repr-digest": digest} if digest else None)

    def delete(self, request: r.ProxyPath, _: Caller) -> Json:
        """Remove a file or directory; a missing one is fine."""
        spot = self._spot(request.artifact_path)
        if not spot.path:
            raise InvalidParameterError("Invalid path: expected the path of an artifact, got the root of all of them")
        with suppress(ArtifactNotFoundError):
            spot.repo.delete(spot.path)
        return {}

    def create_upload(self, request: r.CreateUpload, _: Caller) -> Json:
        """Begin to send a file in parts, directly to the storage."""
        spot, repo = self._in_parts(request)
        if not 1 <= request.num_parts <= _MOST_PARTS:
            raise InvalidParameterError(
                f"Invalid value {request.num_parts} for parameter 'num_parts': expected 1 to {_MOST_PARTS}"
            )
        upload_id = repo.begin_parts(spot.path)
        numbers = range(1, request.num_parts + 1)
        urls = [(number, repo.part_url(spot.path, upload_id, number, _PARTS_EXPIRE_S)) for number in numbers]
        shown = [{"url": url.url, "part_number": number, "headers": dict(url.headers)} for number, url in urls]
        return {"upload_id": upload_id, "credentials": shown}

    def complete_upload(self, request: r.CompleteUpload, _: Caller) -> Json:
        """Put the parts of a file together."""
        spot, repo = self._in_parts(request)
        repo.complete_parts(spot.path, request.upload_id, {part.part_number: part.etag for part in request.parts})
        return {}

    def abort_upload(self, request: r.AbortUpload, _: Caller) -> Json:
        """Drop the parts of a file."""
        spot, repo = self._in_parts(request)
        repo.abort_parts(spot.path, request.upload_id)
        return {}

    def presigned(self, request: r.ProxyPath, _: Caller) -> Json:
        """Return where the storage itself gives a file to whoever asks, for a while."""
        spot = self._file(request.artifact_path)
        if not isinstance(spot.repo, SupportsPresign):
            raise UnsupportedError(_NO_DOWNLOADS)
        size = spot.file_info().file_size
        signed = spot.repo.presigned_url(spot.path, "GET", _EXPIRES_S)
        return {"url": signed.url, "headers": dict(signed.headers), "file_size": size}

    def _spot(self, path: str) -> Spot:
        if not self._serves:
            raise StoreUnavailableError(
                "Endpoint disabled: this server was started with --no-serve-artifacts, and moves no artifacts"
            )
        return proxied(self._stores, path)

    def _in_parts(self, request: r.CreateUpload | r.CompleteUpload | r.AbortUpload) -> tuple[Spot, SupportsParts]:
        """Return where the file goes: clients say where it is on their machine, of which the name alone counts."""
        name = request.path.replace("\\", "/").rpartition("/")[2]
        spot = self._file(f"{request.artifact_path}/{name}" if request.artifact_path else name)
        if not isinstance(spot.repo, SupportsParts):
            raise UnsupportedError(_NO_PARTS)
        return spot, spot.repo

    def _file(self, path: str) -> Spot:
        spot = self._spot(path.rstrip("/"))
        if path.endswith("/") or not spot.path:
            raise InvalidParameterError(f"Invalid path {path[:200]!r}: expected the name of a file, not of a directory")
        return spot
