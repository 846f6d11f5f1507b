"""`mlcore env`: the environments that were made for projects."""

from __future__ import annotations

from collections.abc import Iterable

import click

from mlcore.cli import values
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.pruning import ask, unused_s
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.projects import environment_care
from mlcore.projects.environment_care import KeptEnvironment

_MANAGER = click.option("--manager", metavar="NAME", help="Those of one manager only, such as uv.")
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
_COLUMNS = (
    Column("manager"),
    Column("env_id", whole=True),
    Column("python"),
    Column("size_bytes", "size", "size"),
    Column("used", "time", "last used"),
    Column("created", "time"),
    Column("requirements"),
)


@click.group(cls=AliasGroup)
def env() -> None:
    """List and remove the environments that were made for projects; a project makes its own again when it needs it."""


@env.command("list")
@_MANAGER
@json_option
@pass_cli
def list_(cli: Cli, manager: str | None, as_json: bool) -> None:
    """List environments with sizes and last use, the one used last first.

    Sizes count files that are shared with an installer's cache in full.
    """
    found = list(environment_care.kept(cli.plugins, manager))
    if as_json:
        cli.print_json([_plain(each) for each in found])
        return
    _print(cli, found)
    if cli.terminal.is_tty:
        note(f"{len(found)} environments, {values.size(sum(each.record.size_bytes for each in found))}")


@env.command()
@click.argument("env_id", metavar="ENV")
@json_option
@pass_cli
def show(cli: Cli, env_id: str, as_json: bool) -> None:
    """Show one environment and what is installed in it; ENV is its id or the start of it."""
    from mlcore.hookspecs import HookSpecs

    found = environment_care.one(cli.plugins, env_id)
    lock = cli.plugins.first(HookSpecs.environment, name=found.manager).lock(found.record.env_id)
    if as_json:
        cli.print_json([{**_plain(found), "lock": lock}])
        return
    from mlcore.cli.tables import fields

    record = found.record
    pairs: list[tuple[str, object, str]] = [
        ("env_id", record.env_id, "id"),
        ("manager", found.manager, "text"),
        ("python", record.python, "text"),
        ("size_bytes", record.size_bytes, "size"),
        ("created", record.created_ms, "time"),
        ("used", record.used_ms, "time"),
        ("requirements", ", ".join(record.requirements), "text"),
    ]
    for line in fields(pairs, cli.terminal):  # type: ignore[arg-type]  # the kinds are written out above
        cli.terminal.echo(line)
    cli.print_title("installed")
    cli.print_table([Column("installed", whole=True)], [[line] for line in lock])


@env.command()
@click.option("--older-than", metavar="SPAN", help="Unused for this long, such as 12h, 30d or 2w; 30d when not given.")
@click.option("--all", "everything", is_flag=True, help="However long ago they were used.")
@_MANAGER
@_YES
@json_option
@pass_cli
def prune(cli: Cli, older_than: str | None, everything: bool, manager: str | None, yes: bool, as_json: bool) -> None:
    """Remove environments that were not used for a while; those in use stay."""
    seconds = unused_s(older_than, everything=everything)
    found = environment_care.unused(environment_care.kept(cli.plugins, manager), seconds)
    if not found:
        note("nothing to remove")
        return
    if not yes:
        _ask(cli, found)
    _remove(cli, found, as_json)


@env.command()
@click.argument("env_ids", metavar="ENV...", nargs=-1, required=True)
@_YES
@json_option
@click.pass_context
def remove(ctx: click.Context, env_ids: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Remove environments by their ids, or the starts of them. Exits with 1 when one is in use, which stays."""
    cli: Cli = ctx.find_object(Cli) or Cli()
    found = list(dict.fromkeys(environment_care.one(cli.plugins, word) for word in env_ids))
    if not yes:
        _ask(cli, found)
    ctx.exit(0 if _remove(cli, found, as_json) else 1)


def _ask(cli: Cli, found: list[KeptEnvironment]) -> None:
    total = sum(each.record.size_bytes for each in found)
    ask(cli, _COLUMNS, map(_row, found), (len(found), "environments", total))


def _remove(cli: Cli, found: Iterable[KeptEnvironment], as_json: bool) -> bool:
    """Remove and tell; return whether all are gone."""
    gone, stayed = 0, 0
    for each in environment_care.remove(cli.plugins, found):
        record = each.environment.record
        if as_json:
            cli.print_json([{**_plain(each.environment), "removed": not each.reason, "reason": each.reason}])
        if each.reason:
            stayed += 1
            note(f"kept: {each.reason}")
        else:
            gone += record.size_bytes
            if not as_json:
                click.echo(record.env_id)
    note(f"{values.size(gone)} freed" + (f", {stayed} environments kept" if stayed else ""))
    return not stayed


def _print(cli: Cli, found: Iterable[KeptEnvironment]) -> None:
    cli.print_table(_COLUMNS, map(_row, found))


def _row(each: KeptEnvironment) -> list[object]:
    record = each.record
    asked = ", ".join(record.requirements)
    return [each.manager, record.env_id, record.python, record.size_bytes, record.used_ms, record.created_ms, asked]


def _plain(each: KeptEnvironment) -> dict[str, object]:
    from attrs import asdict

    return {"manager": each.manager, **asdict(each.record)}
