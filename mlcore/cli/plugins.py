"""`mlcore plugins`: what is installed, from metadata alone."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup


@click.group(cls=AliasGroup)
def plugins() -> None:
    """List the installed plugins."""


@plugins.command("list")
@click.option("--hook", metavar="NAME", help="Only plugins that answer this hook, such as tracking_store.")
@json_option
@pass_cli
def list_(cli: Cli, hook: str | None, as_json: bool) -> None:
    """List installed plugins with the hooks and keys they answer.

    Reads package metadata only; nothing is imported.
    """
    from mlcore.plugin_index import kernel_mismatch, summary
    from mlcore.plugins import hook_names

    if hook is not None and hook not in hook_names():
        raise click.BadParameter(f"unknown hook {hook!r}: expected one of {', '.join(hook_names())}")
    found = [e for e in cli.plugins.installed() if hook in (None, e.hook)]
    records: list[dict[str, object]] = [
        {
            "hook": e.hook or "(always on)",
            "key": e.key,
            "distribution": e.dist,
            "version": e.version,
            "status": _status(enabled=cli.plugins.is_enabled(e), mismatch=kernel_mismatch(e)),
            "module": e.value,
            "summary": summary(e.dist),
        }
        for e in found
    ]
    if as_json:
        cli.print_json(records)
        return
    from mlcore.cli.tables import Column

    columns = [
        Column("hook", whole=True),
        Column("key", whole=True),
        Column("distribution", whole=True),
        Column("version", whole=True),
        Column("status", "status"),
        Column("summary"),
    ]
    cli.print_table(columns, [[record[c.name] for c in columns] for record in records])


def _status(*, enabled: bool, mismatch: str | None) -> str:
    if not enabled:
        return "disabled"
    return "wrong kernel" if mismatch else "enabled"
