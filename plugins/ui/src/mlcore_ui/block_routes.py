"""Where the page asks for blocks: a route for each thing that they are about, since each needs another permission."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from attrs import evolve
from starlette.requests import Request
from starlette.responses import JSONResponse

from mlcore.entities import Action, Permission
from mlcore.entities.ui_extension import BlockContext, UIExtension, UIKind
from mlcore.errors import InvalidParameterError, MlcoreError, NotFoundError
from mlcore.hookspecs import WebContext, WebRoute
from mlcore_ui.blocks import blocks_out
from mlcore_ui.extensions import Extensions

_PATH = "/api/ui/1/blocks:"
# a plugin reads with the server's rights what its context names: whoever asks has to be allowed to read all of it
_NAMED = (
    Permission(Action.READ, "experiment", "run_ids"),
    Permission(Action.READ, "experiment", "experiment_id"),
    Permission(Action.READ, "experiment", "experiment_ids"),
    Permission(Action.READ, "registered_model", "name"),
)
_RUNS, _EXPERIMENT, _MODEL = (evolve(one, also=_NAMED) for one in _NAMED if one.by != "experiment_ids")
_ABOUT = {
    "runs": (_RUNS, (UIKind.RUN_PANEL, UIKind.COMPARE_PANEL)),
    "experiment": (_EXPERIMENT, (UIKind.EXPERIMENT_PANEL,)),
    "model": (_MODEL, (UIKind.MODEL_PANEL,)),
    # whoever is signed in; what such blocks show is up to their plugin
    "page": (Permission(Action.READ, "server", "answer", also=_NAMED), (UIKind.PAGE,)),
}
_MOST_IDS = 1000


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
            # what is no JSON is told as well
            return JSONResponse({"blocks": await asyncio.to_thread(self._made, one, asked)})
        except MlcoreError as err:
            return JSONResponse({"error_code": err.code, "message": str(err)}, err.status)
        except Exception as err:  # noqa: BLE001  # a vendor's code; the page shows a card
            message = f"{type(err).__name__}: {err}"
            return JSONResponse({"error_code": "INTERNAL_ERROR", "message": message}, 500)

    def _asked(self, asked: Mapping[str, object]) -> UIExtension:
        one = self._extensions.shown.get(str(asked.get("extension")))
        if one is None or one.blocks is None or one.kind not in self._kinds:
            raise NotFoundError(f"no blocks are called {str(asked.get('extension'))[:80]!r} here")
        return one

    def _made(self, one: UIExtension, asked: Mapping[str, object]) -> list[dict[str, object]]:
        assert one.blocks is not None  # noqa: S101  # looked at above
        run_ids, experiment_ids = _ids(asked, "run_ids"), _ids(asked, "experiment_ids")
        experiment_id = str(asked.get("experiment_id") or "")
        context = BlockContext(
            one.kind,
            self._context.tracking_uri,
            self._context.registry_uri,
            run_ids,
            experiment_id,
            str(asked.get("name") or ""),
            str(asked.get("version") or ""),
            experiment_ids or ((experiment_id,) if experiment_id else ()),
        )
        return blocks_out(one.blocks(context))


def _ids(asked: Mapping[str, object], name: str) -> tuple[str, ...]:
    given = asked.get(name) or []
    if not isinstance(given, list) or len(given) > _MOST_IDS:
        raise InvalidParameterError(f"invalid {name}: expected a list of at most {_MOST_IDS} ids")
    return tuple(map(str, given))
