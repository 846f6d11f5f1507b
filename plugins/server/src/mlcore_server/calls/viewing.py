"""Answers to pages that look at files."""

from __future__ import annotations

import threading
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from mlcore.entities import FileInfo, Principal
from mlcore.errors import (
    ArtifactNotFoundError,
    InvalidParameterError,
    LimitExceededError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from mlcore.registry.names import check_version
from mlcore.wire import limits
from mlcore.wire import requests_viewing as r
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.config import ServerConfig
from mlcore_server.files import showing
from mlcore_server.files.spots import IsDirectoryError, Spot, below
from mlcore_server.files.tickets import BadTicketError, Pass, Tickets
from mlcore_server.files.transfers import Transfers
from mlcore_server.files.walking import listed
from mlcore_server.stores import Stores

# each may take some memory, and a thread that others need too
_TABLES_AT_ONCE = 4
_WAIT_S = 5.0

Asked: TypeAlias = r.ListFiles | r.MakeTicket | r.ShowTable | r.ShowData | r.DescribeModel | Pass


class Viewing:
    """The group `viewing` of the endpoint table."""

    def __init__(self, stores: Stores, access: Access, config: ServerConfig, need: Endpoint) -> None:
        """Answer from *stores*; *access* says who may read what, as *need*, which makes tickets, says."""
        self._stores = stores
        self._access = access
        self._need = need
        self._config = config
        self._tickets = Tickets(config.state_dir)
        self._transfers = Transfers(config)
        self._tables = threading.BoundedSemaphore(_TABLES_AT_ONCE)

    def list(self, request: r.ListFiles, _: Caller) -> Json:
        """Return a page of a directory, or a single file."""
        uri = self._uri(request)
        cut = below(self._stores, uri, "").path
        spot = below(self._stores, uri, request.path)
        page = listed(spot.repo, spot.path, request.page_token, recursive=request.recursive)
        files = page.files
        if not files and spot.asked and not request.page_token:
            found = spot.repo.stat(spot.path)
            if found is None:
                raise spot.missing()
            files = () if found.is_dir else (found,)
        return {
            "root": self._stores.places.outward(uri),
            "files": [_shown(info, cut) for info in files],
            "next_page_token": page.next_page_token,
            "complete": page.is_complete,
        }

    def ticket(self, request: r.MakeTicket, caller: Caller) -> Json:
        """Return a ticket for what is below a path."""
        spot = below(self._stores, self._uri(request), request.path)
        opens = Pass(
            run_id=request.run_id,
            model_id=request.model_id,
            name=request.name,
            version=request.version,
            prefix=spot.asked,
            user=caller.principal.name,
            token_id=caller.principal.token_id or "",
            expires_ms=self._tickets.expiry_ms(),
        )
        ticket = self._tickets.make(opens)
        return {"ticket": ticket, "url": f"raw/{ticket}/", "expires_ms": opens.expires_ms}

    async def raw(self, request: r.RawFile, _: Caller, http: Request) -> Response:
        """Send a file to be shown, to whoever has a ticket for it."""
        try:
            spot = await self._transfers.look_up(lambda: self._opened(request, http))
            space = showing.own_space(http.headers, self._config, request.ticket)
            return await self._transfers.downloads.answer(spot, http, showing.shown(spot.path, space))
        except BadTicketError as err:
            return showing.refused(err.status, err.message)
        except PermissionDeniedError as err:
            return showing.refused(err.status, "you may not read this any more, or the link is somebody else's")
        except (NotFoundError, IsDirectoryError, InvalidParameterError):
            return showing.refused(404, "there is no such file")

    def table(self, request: r.ShowTable, _: Caller) -> Json:
        """Return some rows of a table."""
        from mlcore_server.tables.cells import Window
        from mlcore_server.tables.reading import read_table

        spot = below(self._stores, self._uri(request), request.path)
        if not self._tables.acquire(timeout=_WAIT_S):
            raise LimitExceededError("the server reads other tables: try again in a second")
        try:
            found = read_table(spot, Window(request.offset, request.limit))
        finally:
            self._tables.release()
        return {
            "columns": [{"name": name, "type": kind} for name, kind in found.columns],
            "rows": found.rows,
            "total": found.total,
            "truncated": found.is_cut,
        }

    def data(self, request: r.ShowData, _: Caller) -> Json:
        """Return the value of a YAML file."""
        from mlcore_server.files.describing import yaml_value

        return yaml_value(below(self._stores, self._uri(request), request.path))

    def describe(self, request: r.DescribeModel, _: Caller) -> Json:
        """Return what a model says of itself."""
        from mlcore_server.files.describing import describe

        return describe(below(self._stores, self._uri(request), request.path))

    def _opened(self, request: r.RawFile, http: Request) -> Spot:
        """Return the file that a ticket opens, if who asked for the ticket may still read it."""
        opens = self._tickets.read(request.ticket)
        if self._access.authority is not None:
            self._refuse_others(opens, http)
            self._access.allow(Principal(opens.user, token_id=opens.token_id or None), self._need, opens)
        inside = below(self._stores, self._uri(opens), request.path)  # checked by itself, before it is joined
        path = "/".join(part for part in (opens.prefix, inside.asked) if part)
        spot = below(self._stores, self._uri(opens), path)
        if not spot.asked:
            raise ArtifactNotFoundError("the root is no file")
        return spot

    def _refuse_others(self, opens: Pass, http: Request) -> None:
        """Raises PermissionDeniedError: somebody else shows who they are. What a sandbox loads shows nothing."""
        if "authorization" not in http.headers and "cookie" not in http.headers:
            return
        try:
            found = self._access.principal(dict(http.headers), http.client.host if http.client else "", http.method)
        except UnauthenticatedError:
            return
        if found.name != opens.user:
            raise PermissionDeniedError("a ticket is for who asked for it")

    def _uri(self, asked: Asked) -> str:
        """Return where the files are. Raises InvalidParameterError: not exactly one place is named."""
        named = [name for name in ("run_id", "model_id", "name") if getattr(asked, name)]
        if len(named) != 1 or bool(asked.name) != bool(asked.version):
            raise InvalidParameterError(
                f"the request names {' and '.join(named) or 'nothing'}: expected one of run_id, model_id, and name with "
                "version"
            )
        if asked.run_id:
            return self._stores.tracking.get_run(limits.check_run_id(asked.run_id)).info.artifact_uri
        if asked.model_id:
            return self._stores.logged_models.get_logged_model(asked.model_id).artifact_uri
        return self._stores.registry.get_version(asked.name, check_version(asked.version)).source


def _shown(info: FileInfo, cut: str) -> Json:
    path = info.path.removeprefix(cut).lstrip("/") if cut else info.path
    mime = None if info.is_dir else showing.mime(info.path)
    return {"path": path, "is_dir": info.is_dir, "size_bytes": info.file_size, "mime": mime}
