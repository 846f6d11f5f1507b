"""The hooks of mlcore-events-webhook."""

from __future__ import annotations

import os

from mlcore.hookspecs import Command, Event, hookimpl

_STOPPING = "server_stopping"  # the last word of a process that ends without exit handlers, as a server's do


@hookimpl
def event(event: Event) -> None:
    """Take an event for delivery, which goes on in threads of its own."""
    if not os.environ.get("MLCORE_WEBHOOK_URLS"):
        return
    from mlcore_events_webhook.senders import finish, senders

    if event.name == _STOPPING:
        finish(senders(os.getpid()))
        return
    for sender in senders(os.getpid()):
        sender.take(event)


@hookimpl
def command(name: str) -> Command | None:
    """Return `mlcore webhooks`."""
    if name != "webhooks":
        return None
    from mlcore_events_webhook.command import webhooks

    return webhooks
