"""`mlcore cache`: the repositories and files that were fetched for projects."""

from __future__ import annotations

from collections.abc import Iterable

import click

from mlcore.cli import values
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.pruning import ask, unused_s
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.projects import cache_care
from mlcore.projects.cache_care import KINDS, KeptFetch

_KIND = click.option("--kind", type=click.Choice(KINDS), help="Those of one kind only.")
_COLUMNS = (
    Column("kind"),
    Column("entry_id", whole=True),
    Column("size_bytes", "size", "size"),
    Column("used", "time", "last used"),
    Column("what"),
)


@click.group(cls=AliasGroup)
def cache() -> None:
    """List and remove what was fetched for projects: git repositories and downloads; what is needed is fetched again.

    Environments have a command of their own: mlcore env.
    """


@cache.command("list")
@_KIND
@json_option
@pass_cli
def list_(cli: Cli, kind: str | None, as_json: bool) -> None:
    """List what is kept with sizes and last use, what was used last first."""
    found = cache_care.kept(kind)
    if as_json:
        cli.print_json([_plain(each) for each in found])
        return
    cli.print_table(_COLUMNS, map(_row, found))
    if cli.terminal.is_tty:
        note(f"{len(found)} entries, {values.size(sum(each.size_bytes for each in found))}")


@cache.command()
@click.option("--older-than", metavar="SPAN", help="Unused for this long, such as 12h, 30d or 2w; 30d when not given.")
@click.option("--all", "everything", is_flag=True, help="However long ago it was used.")
@_KIND
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_cli
def prune(cli: Cli, older_than: str | None, everything: bool, kind: str | None, yes: bool, as_json: bool) -> None:
    """Remove what was not used for a while; a repository that a run uses stays."""
    found = cache_care.unused(cache_care.kept(kind), unused_s(older_than, everything=everything))
    if not found:
        note("nothing to remove")
        return
    if not yes:
        ask(cli, _COLUMNS, map(_row, found), (len(found), "entries", sum(each.size_bytes for each in found)))
    _remove(cli, found, as_json)


def _remove(cli: Cli, found: Iterable[KeptFetch], as_json: bool) -> None:
    gone, stayed = 0, 0
    for each in cache_care.remove(found):
        if as_json:
            cli.print_json([{**_plain(each.entry), "removed": not each.reason, "reason": each.reason}])
        if each.reason:
            stayed += 1
            note(f"kept: {each.reason}")
        else:
            gone += each.entry.size_bytes
            if not as_json:
                click.echo(each.entry.entry_id)
    note(f"{values.size(gone)} freed" + (f", {stayed} entries kept" if stayed else ""))


def _row(each: KeptFetch) -> list[object]:
    return [each.kind, each.entry_id, each.size_bytes, each.used_ms, each.what]


def _plain(each: KeptFetch) -> dict[str, object]:
    from attrs import asdict

    return asdict(each)
