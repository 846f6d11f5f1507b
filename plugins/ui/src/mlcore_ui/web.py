"""What the UI adds to the server: its files and its page, which tell nothing and may be seen by anybody."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mlcore.entities import Permission
from mlcore.hookspecs import WebContext, WebMount, WebPart, WebRoute
from mlcore_ui.assets import Asset, Assets, load
from mlcore_ui.page import Page

PATH = "/ui"
_ANYBODY = Permission(None)
_FOREVER = "public, max-age=31536000, immutable"
_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def parts(_: WebContext) -> list[WebPart]:
    """Return the application under `/ui`, and the way to it from `/`."""
    return [WebMount(PATH, Ui(load("mlcore_ui")), _ANYBODY), WebRoute("GET", "/", _ANYBODY, _to_ui)]


class Ui:
    """The ASGI application: `/a/<digest>/...` are files that never change, every other path is the page."""

    def __init__(self, assets: Assets) -> None:
        """Serve *assets*."""
        self._assets = assets
        self._pages: dict[str, Page] = {}

    async def __call__(self, scope: object, receive: Any, send: Any) -> None:
        """Serve one request."""
        assert isinstance(scope, MutableMapping)  # noqa: S101  # ASGI says so
        response = self._answer(scope)
        await response(scope, receive, send)

    def _answer(self, scope: Mapping[str, Any]) -> Response:
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("pages are only read", status_code=405, headers={"allow": "GET, HEAD"})
        base = scope["root_path"]
        path = scope["path"].removeprefix(base).lstrip("/")
        if path.startswith("a/"):
            return self._file(path, Request(dict(scope)).headers)
        if path == "" and not scope["path"].endswith("/"):
            return RedirectResponse(f"{base}/", headers=_SAFE)
        page = self._page(base)
        headers = {"content-security-policy": page.policy, "cache-control": "no-cache", **_SAFE}
        return Response(page.body, media_type="text/html", headers=headers)

    def _file(self, path: str, headers: Mapping[str, str]) -> Response:
        _, digest, *rest = path.split("/")
        asset = self._assets.files.get("/".join(rest))
        # an old page asks for the files of an older release: better an error than a mixture
        if asset is None or digest != self._assets.digest:
            return PlainTextResponse("there is no such file; load the page again", status_code=404, headers=_SAFE)
        return _sent(asset, zipped="gzip" in headers.get("accept-encoding", ""))

    def _page(self, base: str) -> Page:
        if base not in self._pages:
            start = {"base": base, "prefix": base.removesuffix(PATH)}
            self._pages[base] = Page(self._assets, base, start)
        return self._pages[base]


def _sent(asset: Asset, *, zipped: bool) -> Response:
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding", **_SAFE}
    if zipped and asset.zipped is not None:
        return Response(asset.zipped, media_type=asset.kind, headers={**headers, "content-encoding": "gzip"})
    return Response(asset.body, media_type=asset.kind, headers=headers)


async def _to_ui(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PATH}/", headers=_SAFE)
