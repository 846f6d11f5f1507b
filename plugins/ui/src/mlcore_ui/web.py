"""What the UI adds to the server: its files and its page, which tell nothing and may be seen by anybody."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mlcore.entities import Action, Permission
from mlcore.hookspecs import WebContext, WebMount, WebPart, WebRoute
from mlcore.plugins import current
from mlcore_ui.assets import Asset, Assets, load
from mlcore_ui.block_routes import block_routes
from mlcore_ui.extensions import OWN, Extensions, gather
from mlcore_ui.frame import Frame
from mlcore_ui.joined import Joined, join
from mlcore_ui.page import MAIN, Page

PATH = "/ui"
SIGN_IN = "/sign-in"
_ANYBODY = Permission(None)
_KNOWN = Permission(Action.READ, "server", "answer")  # everybody whom the authority knows
_FOREVER = "public, max-age=31536000, immutable"
_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def parts(context: WebContext) -> list[WebPart]:
    """Return the application under `/ui`, the way to it from `/`, and what plugins show in it."""
    joined = join(load(OWN), MAIN)
    extensions = gather(current(), joined.assets)
    ui = WebMount(PATH, Ui(joined, extensions), _ANYBODY)
    signing = WebRoute("GET", SIGN_IN, _KNOWN, _signed_in)
    return [ui, WebRoute("GET", "/", _ANYBODY, _to_ui), signing, *block_routes(context, extensions)]


class Ui:
    """The ASGI application: `/a/<digest>/...` are files that never change, every other path is the page.

    `/x/<package>/<digest>/...` are files of plugins, and `/frame` is the empty page in which isolated ones run.
    """

    def __init__(self, joined: Joined, extensions: Extensions) -> None:
        """Serve the files of *joined*, and those of *extensions*."""
        self._joined = joined
        self._assets = joined.assets
        self._extensions = extensions
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
        headers = Request(dict(scope)).headers
        if path.startswith("a/"):
            return self._file(self._assets, path.split("/")[1:], headers)
        if path.startswith("x/"):
            _, package, *rest = path.split("/")
            return self._file(self._extensions.packages.get(package), rest, headers)
        if path == "frame":
            return self._frame(base)
        if path == "" and not scope["path"].endswith("/"):
            return RedirectResponse(f"{base}/", headers=_SAFE)
        page = self._page(base)
        return Response(page.body, media_type="text/html", headers=_guarded(page.policy))

    def _frame(self, base: str) -> Response:
        frame = Frame(self._assets, base)
        return Response(frame.body, media_type="text/html", headers=_guarded(frame.policy))

    def _file(self, assets: Assets | None, parts: list[str], headers: Mapping[str, str]) -> Response:
        digest, path = (parts or [""])[0], "/".join(parts[1:])
        asset = assets.files.get(path) if assets is not None and assets.digest == digest else None
        # an old page asks for the files of an older release: better an error than a mixture
        if asset is None:
            return PlainTextResponse("there is no such file; load the page again", status_code=404, headers=_SAFE)
        return _sent(asset, zipped="gzip" in headers.get("accept-encoding", ""))

    def _page(self, base: str) -> Page:
        if base not in self._pages:
            told = self._extensions.told(base)
            start = {"base": base, "prefix": base.removesuffix(PATH), "extensions": told}
            self._pages[base] = Page(self._joined, base, start)
        return self._pages[base]


def _guarded(policy: str) -> dict[str, str]:
    return {"content-security-policy": policy, "cache-control": "no-cache", **_SAFE}


def _sent(asset: Asset, *, zipped: bool) -> Response:
    # files hold nothing secret, and a sandboxed frame has no origin of its own
    headers = {"cache-control": _FOREVER, "vary": "accept-encoding", "access-control-allow-origin": "*", **_SAFE}
    if zipped and asset.zipped is not None:
        return Response(asset.zipped, media_type=asset.kind, headers={**headers, "content-encoding": "gzip"})
    return Response(asset.body, media_type=asset.kind, headers=headers)


async def _signed_in(request: Request) -> Response:
    """Lead back to the pages: before this the browser itself has asked for what an authority without a form wants."""
    after = quote(request.query_params.get("next", ""), safe="/?&=,:%+")
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PATH}/{after}", headers=_SAFE)


async def _to_ui(request: Request) -> Response:
    return RedirectResponse(f"{request.scope.get('root_path', '')}{PATH}/", headers=_SAFE)
