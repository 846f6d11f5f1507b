"""The hooks of mlcore-ui."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.hookspecs import Command, WebContext, WebPart, hookimpl


@hookimpl
def web(context: WebContext) -> Sequence[WebPart] | None:
    """Bring the pages under `/ui`, and lead there from the server's root."""
    from mlcore_ui.web import parts

    return parts(context)


@hookimpl
def command(name: str) -> Command | None:
    """Bring `mlcore ui`."""
    if name != "ui":
        return None
    from mlcore_ui.command import ui

    return ui
