"""The hooks of mlcore-server."""

from __future__ import annotations

from mlcore.hookspecs import Command, hookimpl


@hookimpl
def command(name: str) -> Command | None:
    """Return `mlcore server`."""
    if name != "server":
        return None
    from mlcore_server.command import server

    return server
