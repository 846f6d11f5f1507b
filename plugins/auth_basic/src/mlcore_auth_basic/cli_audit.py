"""`mlcore audit`: who changed what, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import evolve

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.tables import Column
from mlcore.entities import Resource
from mlcore_auth_basic import audit_log
from mlcore_auth_basic.audit_log import AuditQuery, AuditRow
from mlcore_auth_basic.cli_context import open_database, state_dir_option
from mlcore_auth_basic.database import Database
from mlcore_auth_basic.moments import moment_ms
from mlcore_auth_basic.web_tokens import audit_line


@click.command()
@click.option("--who", metavar="NAME", help="Changes of this user alone.")
@click.option("--what", metavar="ENDPOINT", help="Of this endpoint, or of those that begin so: experiments/")
@click.option("--resource", metavar="KIND:ID", help="Of this resource alone: experiment:12")
@click.option("--since", metavar="TIME", help="From then on: 2025-12-31T12:00, in UTC, or ms since the epoch.")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--max-results", type=click.IntRange(1), default=100, show_default=True, help="Stop after so many.")
@json_option
@state_dir_option
@pass_cli
def audit(
    cli: Cli,
    state_dir: Path,
    who: str | None,
    what: str | None,
    resource: str | None,
    since: str | None,
    until: str | None,
    max_results: int,
    as_json: bool,
) -> None:
    """Show who changed what on a server of this machine, newest first."""
    kind, _, resource_id = (resource or "").partition(":")
    query = AuditQuery(
        who,
        what,
        Resource(kind, resource_id) if resource else None,
        moment_ms(since, "since"),
        moment_ms(until, "until"),
    )
    found = _pages(open_database(state_dir), query, max_results)
    if as_json:
        cli.print_json(audit_line(row) for row in found)
        return
    columns = [
        Column("time", "time"),
        Column("who"),
        Column("what"),
        Column("resource"),
        Column("status", "number"),
        Column("before"),
        Column("after"),
    ]
    cli.print_table(columns, (_cells(row) for row in found))


def _pages(database: Database, query: AuditQuery, wanted: int) -> Iterator[AuditRow]:
    token: str | None = None
    while wanted > 0:
        with database.reading() as connection:
            page = audit_log.search(
                connection, evolve(query, max_results=min(wanted, audit_log.MAX_PAGE), page_token=token)
            )
        yield from page.items
        wanted -= len(page.items)
        token = page.next_token
        if token is None:
            return


def _cells(row: AuditRow) -> tuple[object, ...]:
    entry = row.entry
    shown = [None if value is None else json.dumps(value, ensure_ascii=False) for value in (entry.before, entry.after)]
    place = f"{entry.resource.kind}:{entry.resource.id}" if entry.resource.id else entry.resource.kind
    return (entry.time_ms, entry.principal, entry.endpoint, place, entry.status, *shown)
