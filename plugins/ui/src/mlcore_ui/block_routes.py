"""Where the page asks for blocks: a route for each thing that they are about, since each needs another permission."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse

from mlcore.entities import Action, Permission
from mlcore.entities.ui_extension import BlockContext, UIExtension, UIKind
from mlcore.errors import InvalidParameterError, MlcoreError, NotFoundError
from mlcore.hookspecs import WebContext, WebRoute
from mlcore_ui.blocks import blocks_out
from mlcore_ui.extensions import Extensions

_PATH = "/api/ui/1/blocks:"
_ABOUT = {
    "runs": (Permission(Action.READ, "experiment", "run_ids"), (UIKind.RUN_PANEL, UIKind.COMPARE_PANEL)),
    "experiment": (Permission(Action.READ, "experiment", "experiment_id"), (UIKind.EXPERIMENT_PANEL,)),
    "model": (Permission(Action.READ, "registered_model", "name"), (UIKind.MODEL_PANEL,)),
    # whoever is signed in; what such blocks show is up to their plugin
    "page": (Permission(Action.READ, "server", "answer"), (UIKind.PAGE,)),
}
_MOST_RUNS = 1000


def block_routes(context: WebContext, extensions: Extensions) -> list[WebRoute]:
    """Return the routes; none when no plugin makes blocks."""
    if not any(one.blocks for one in extensions.shown.values()):
        return []
    return [
        WebRoute("POST", _PATH + about, permission, _Blocks(context, extensions, kinds).answer)
        for about, (permission, kinds) in _ABOUT.items()
    ]


class _Blocks:
    def __init__(self, context: WebContext, extensions: Extensions, kinds: tuple[UIKind, ...]) -> None:
        self._context, self._extensions, self._kinds = context, extensions, kinds

    async def answer(self, request: Request) -> JSONResponse:
        """Make the blocks of one extension: `{"extension": id, ...}` gives `{"blocks": [...]}`."""
        try:
            asked = await request.json()
            one = self._asked(asked)
            made = await asyncio.to_thread(self._made, one, asked)
        except MlcoreError as err:
            return JSONResponse({"error_code": err.code, "message": str(err)}, err.status)
        except Exception as err:  # noqa: BLE001  # a vendor's code; the page shows a card
            message = f"{type(err).__name__}: {err}"
            return JSONResponse({"error_code": "INTERNAL_ERROR", "message": message}, 500)
        return JSONResponse({"blocks": made})

    def _asked(self, asked: Mapping[str, object]) -> UIExtension:
        one = self._extensions.shown.get(str(asked.get("extension")))
        if one is None or one.blocks is None or one.kind not in self._kinds:
            raise NotFoundError(f"no blocks are called {str(asked.get('extension'))[:80]!r} here")
        return one

    def _made(self, one: UIExtension, asked: Mapping[str, object]) -> list[dict[str, object]]:
        assert one.blocks is not None  # noqa: S101  # looked at above
        run_ids = asked.get("run_ids") or []
        if not isinstance(run_ids, list) or len(run_ids) > _MOST_RUNS:
            raise InvalidParameterError(f"invalid run_ids: expected a list of at most {_MOST_RUNS} run ids")
        context = BlockContext(
            one.kind,
            self._context.tracking_uri,
            self._context.registry_uri,
            tuple(map(str, run_ids)),
            str(asked.get("experiment_id") or ""),
            str(asked.get("name") or ""),
            str(asked.get("version") or ""),
        )
        return blocks_out(one.blocks(context))
