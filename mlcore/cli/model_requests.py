"""The commands of `mlcore models` about transition requests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.entities import RequestStatus, TransitionRequest
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.tracking.client import Client

_SHOWN = 5
_OF_DECISION = 2  # the last columns
_COLUMNS = (
    Column("request_id", "id", title="request"),
    Column("name"),
    Column("version", "number"),
    Column("stage"),
    Column("status"),
    Column("user"),
    Column("created", "time"),
    Column("comment"),
    Column("decided_by"),
    Column("decision"),
)


@click.command()
@click.argument("name", required=False)
@click.option(
    "--status",
    type=click.Choice([*(each.value.lower() for each in RequestStatus), "all"], case_sensitive=False),
    default="pending",
    show_default=True,
    help="Which ones.",
)
@json_option
@pass_cli
def requests(cli: Cli, name: str | None, status: str, as_json: bool) -> None:
    """List the requests to move a version to a stage, of the model NAME or of all, the newest first."""
    found = _all(cli.client, name, None if status == "all" else status)
    print_requests(cli, found, as_json=as_json)
    if not found and not as_json:
        note("no such requests; make one: mlcore models promote models:/NAME/VERSION --stage STAGE --request")


@click.command()
@click.argument("request_id", metavar="REQUEST")
@click.option("-c", "--comment", default="", help="Why, for the history.")
@json_option
@pass_cli
def approve(cli: Cli, request_id: str, comment: str, as_json: bool) -> None:
    """Approve REQUEST, named by its id or the start of it: the version is moved."""
    client = cli.client
    done = client.approve_transition(_meant(client, request_id), comment)
    print_requests(cli, [done], as_json=as_json)


@click.command()
@click.argument("request_id", metavar="REQUEST")
@click.option("-c", "--comment", default="", help="Why, for who asked.")
@json_option
@pass_cli
def reject(cli: Cli, request_id: str, comment: str, as_json: bool) -> None:
    """Reject REQUEST, named by its id or the start of it."""
    client = cli.client
    print_requests(cli, [client.reject_transition(_meant(client, request_id), comment)], as_json=as_json)


@click.command()
@click.argument("request_id", metavar="REQUEST")
@click.option("-c", "--comment", default="", help="Why.")
@json_option
@pass_cli
def cancel(cli: Cli, request_id: str, comment: str, as_json: bool) -> None:
    """Take back REQUEST, named by its id or the start of it."""
    client = cli.client
    print_requests(cli, [client.cancel_transition(_meant(client, request_id), comment)], as_json=as_json)


def print_requests(cli: Cli, found: Iterable[TransitionRequest], *, as_json: bool) -> None:
    """Write a line for each request."""
    kept = list(found)
    rows = [[getattr(each, column.name) for column in _COLUMNS] for each in kept]
    if as_json:
        names = [column.name for column in _COLUMNS]
        cli.print_json({**dict(zip(names, row, strict=True)), "status": str(row[4])} for row in rows)
        return
    # people need no empty columns; programs find all of them where they always are
    shown = len(_COLUMNS) - _OF_DECISION * (cli.terminal.is_tty and all(each.decided is None for each in kept))
    cli.print_table(_COLUMNS[:shown], [[*row[:4], str(row[4]), *row[5:]][:shown] for row in rows])


def _all(client: Client, name: str | None, status: str | None) -> Sequence[TransitionRequest]:
    found: list[TransitionRequest] = []
    token: str | None = None
    while True:
        page = client.search_transition_requests(name, status, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def _meant(client: Client, word: str) -> str:
    """Return the whole id; what was decided already is found, too, so that the error can say by whom."""
    found = [each.request_id for each in _all(client, None, None) if each.request_id.startswith(word)]
    if word in found:
        return word
    if not found:
        raise NotFoundError(f"no transition request {word!r} (see: mlcore models requests --status all)")
    if len(found) > 1:
        shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise InvalidParameterError(f"{word!r} is the start of {len(found)} transition requests: {shown}")
    return found[0]
