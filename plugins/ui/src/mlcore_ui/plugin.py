"""The hooks of mlcore-ui."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.entities.ui_extension import UIExtension
from mlcore.hookspecs import Command, WebContext, WebPart, hookimpl


@hookimpl
def web(context: WebContext) -> Sequence[WebPart] | None:
    """Bring the pages under `/ui`, and lead there from the server's root."""
    from mlcore_ui.web import parts

    return parts(context)


@hookimpl
def ui_extensions() -> Sequence[UIExtension]:
    """Bring the viewers of files and the panels, by the hook that everybody's come by."""
    from mlcore_ui.panels import PANELS
    from mlcore_ui.viewers import VIEWERS

    return (*VIEWERS, *PANELS)


@hookimpl
def command(name: str) -> Command | None:
    """Bring `mlcore ui` and `mlcore report`."""
    if name == "ui":
        from mlcore_ui.command import ui

        return ui
    if name == "report":
        from mlcore_ui.report.command import report

        return report
    return None
