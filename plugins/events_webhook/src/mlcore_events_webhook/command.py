"""`mlcore webhooks`: what is set, what failed, a secret, a try."""

from __future__ import annotations

import base64
import json
import secrets as random_secrets
import time
from datetime import UTC, datetime

import click

from mlcore.errors import InvalidStateError, StoreUnavailableError
from mlcore.hookspecs import Event
from mlcore_events_webhook.attempts import attempt
from mlcore_events_webhook.failures import Failures
from mlcore_events_webhook.messages import message_of
from mlcore_events_webhook.settings import WebhookSettings

_BYTES = 32


@click.group()
def webhooks() -> None:
    """Show the webhooks that are set and what could not be delivered, try them, make a secret."""


@webhooks.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_endpoints(as_json: bool) -> None:
    """List the endpoints that MLCORE_WEBHOOK_URLS names, and the events that they are told of."""
    settings = WebhookSettings.load()
    for endpoint in settings.endpoints:
        record = {"endpoint": endpoint.shown, "events": list(settings.events), "secrets": len(settings.secrets)}
        click.echo(json.dumps(record) if as_json else f"{endpoint.shown}\t{', '.join(settings.events)}")
    if not settings.endpoints:
        click.echo("no webhooks: set MLCORE_WEBHOOK_URLS and MLCORE_WEBHOOK_SECRET_FILE", err=True)


@webhooks.command()
@click.option("--clear", is_flag=True, help="Forget them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def failures(clear: bool, as_json: bool) -> None:
    """List what could not be delivered, the newest last; exit with 1 when there is something."""
    kept = Failures.of_user()
    if clear:
        kept.clear()
        return
    found = kept.read()
    for record in found:
        if as_json:
            click.echo(json.dumps(record))
            continue
        when = datetime.fromtimestamp(int(str(record.get("time", 0))) / 1000, UTC).isoformat(timespec="seconds")
        shown = (
            when,
            record.get("endpoint"),
            record.get("event"),
            f"{record.get('attempts')} attempts",
            record.get("problem"),
        )
        click.echo("\t".join(str(each) for each in shown))
    if not found:
        click.echo("nothing has failed", err=True)
    if found:
        raise SystemExit(1)


@webhooks.command()
def secret() -> None:
    """Print a new secret, as MLCORE_WEBHOOK_SECRET_FILE and the receiver need it."""
    click.echo(f"whsec_{base64.b64encode(random_secrets.token_bytes(_BYTES)).decode()}")


@webhooks.command("try")
def try_endpoints() -> None:
    """Send an event called `webhook_test` to every endpoint, once, and say what it answered."""
    settings = WebhookSettings.load()
    if not settings.endpoints:
        raise InvalidStateError("no webhooks are set: set MLCORE_WEBHOOK_URLS and MLCORE_WEBHOOK_SECRET_FILE")
    failed = []
    for endpoint in settings.endpoints:
        message = message_of(Event("webhook_test", int(time.time() * 1000), "webhook_test"))
        problem = attempt(endpoint, message, settings).problem
        click.echo(f"{endpoint.shown}\t{problem or 'delivered'}")
        failed += [endpoint.shown] if problem else []
    if failed:
        raise StoreUnavailableError(f"{len(failed)} of {len(settings.endpoints)} endpoints did not take it")
