"""`mlcore plugins`: what is installed, whether it works, what it does, and how to write and prove one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import TableGroup

if TYPE_CHECKING:
    from mlcore.plugin_index import PluginEntry
    from mlcore.plugins import Plugins


class Parts(TableGroup):
    """What needs more than metadata stands in modules of its own."""

    table = {
        "kit": ("mlcore.cli.plugins_kit:kit", "Run the contract suite of a plugin and report."),
        "new": ("mlcore.cli.plugins_new:new", "Write a new plugin."),
        "trace": ("mlcore.cli.plugins_trace:trace", "Run a command and show every hook call that it made."),
    }


@click.group(cls=Parts)
def plugins() -> None:
    """List, examine, trace, write and prove plugins."""


@plugins.command("list")
@click.option("--hook", metavar="NAME", help="Only plugins that answer this hook, such as tracking_store.")
@click.option("--all", "everything", is_flag=True, help="Also those that are known and not installed.")
@json_option
@pass_cli
def list_(cli: Cli, hook: str | None, everything: bool, as_json: bool) -> None:
    """List installed plugins with the hooks and keys they answer.

    Reads package metadata only; nothing is imported. `mlcore plugins check` imports them, one by one.
    """
    from mlcore.plugins import hook_names

    if hook is not None and hook not in hook_names():
        raise click.BadParameter(f"unknown hook {hook!r}: expected one of {', '.join(hook_names())}")
    records = [_record(cli.plugins, e) for e in cli.plugins.installed() if hook in (None, e.hook)]
    if everything:
        records += [r for r in _missing(cli.plugins) if hook in (None, r["hook"])]
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
    _print_problems(records)


def _record(plugins: Plugins, entry: PluginEntry) -> dict[str, object]:
    from mlcore.plugin_check import static_fault

    record: dict[str, object] = {
        "hook": entry.hook or "(always on)",
        "key": entry.key,
        "distribution": entry.dist,
        "version": entry.version,
        "status": "enabled" if plugins.is_enabled(entry) else "disabled",
        "module": entry.foreign.value if entry.foreign else entry.value,
        "summary": entry.about or "",
    }
    if entry.foreign:
        record |= {"bridge": entry.foreign.bridge, "summary": f"(bridge: {entry.foreign.bridge}) {entry.about or ''}"}
    fault = static_fault(plugins, entry) if plugins.is_enabled(entry) else None
    if fault:
        record |= {"status": "failed", "problem": fault.problem, "fix": fault.fix}
    return record


def _missing(plugins: Plugins) -> list[dict[str, object]]:
    """Return what the kernel knows by name and nobody installed."""
    from mlcore.plugin_index import known_plugins

    offered = {(e.hook, e.key) for e in plugins.installed()}
    present = {e.dist for e in plugins.installed()}  # in a version that does not offer the key
    return [
        {
            "hook": hook,
            "key": key,
            "distribution": dist,
            "version": "",
            "status": "not installed",
            "module": "",
            "summary": f"pip install {'-U ' * (dist in present)}{dist}",
        }
        for hook, keys in known_plugins().items()
        for key, dist in keys.items()
        if (hook, key) not in offered
    ]


def _print_problems(records: Sequence[dict[str, object]]) -> None:
    """Write what is wrong to the standard error, so that results stay clean in a pipe."""
    for text in dict.fromkeys(f"{r['problem']}: {r['fix']}" for r in records if "problem" in r):
        click.echo(f"{click.style('failed:', fg='red', bold=True)} {text}", err=True)


@plugins.command()
@click.argument("name")
@json_option
@pass_cli
def show(cli: Cli, name: str, as_json: bool) -> None:
    """Show a plugin in full: NAME is a distribution, a key, or hook:key.

    Reads package metadata only; nothing is imported.
    """
    from mlcore.plugin_index import location

    entries = chosen(cli.plugins, name)
    records = [
        _record(cli.plugins, entry) | {"requires": list(entry.requires or ()), "location": location(entry.dist)}
        for entry in entries
    ]
    if as_json:
        cli.print_json(records)
        return
    from mlcore.cli.tables import Column, fields

    pairs = [(key, records[0][key]) for key in ("distribution", "version", "summary", "location")]
    pairs += [("requires", line) for line in entries[0].requires or ()]
    for line in fields(((key, value, "text") for key, value in pairs), cli.terminal):
        cli.terminal.echo(line)
    cli.terminal.echo()
    columns = [Column(c, whole=True) for c in ("hook", "key", "module")] + [Column("status", "status")]
    cli.print_table(columns, [[r[c.name] for c in columns] for r in records])
    _print_problems(records)


def chosen(plugins: Plugins, name: str | None) -> tuple[PluginEntry, ...]:
    """Return the entry points that *name* means; all without a name.

    Raises PluginNotFoundError: none; the message says which name was meant.
    """
    from mlcore.errors import PluginNotFoundError
    from mlcore.plugin_index import normal

    entries = plugins.installed()
    if name is None:
        return entries
    found = tuple(e for e in entries if e.dist == normal(name))
    found = found or tuple(e for e in entries if name in (e.key, f"{e.hook}:{e.key}", e.value))
    if found:
        return found
    import difflib

    names = sorted({e.dist for e in entries} | {f"{e.hook}:{e.key}" for e in entries if e.hook})
    near = difflib.get_close_matches(name, [*names, *sorted({e.key for e in entries})], n=1)
    hint = f", did you mean {near[0]!r}?" if near else f"; installed are {', '.join(sorted({e.dist for e in entries}))}"
    raise PluginNotFoundError(f"no installed plugin has the distribution, key or hook:key {name!r}{hint}")


@plugins.command()
@click.argument("name", required=False)
@click.option("--timeout", "timeout_s", type=float, default=10.0, show_default=True, help="Seconds for each import.")
@json_option
@click.pass_context
def check(ctx: click.Context, name: str | None, timeout_s: float, as_json: bool) -> None:
    """Examine plugins and name each fault with its fix; exit with 1 when one cannot be used.

    NAME is a distribution, a key, or hook:key; all plugins without it. Each is imported in a fresh interpreter
    of its own, so that one that exits, hangs or crashes is reported and hurts nobody.
    """
    from mlcore.plugin_check import check as examine

    cli: Cli = ctx.find_object(Cli) or Cli()
    found = examine(cli.plugins, chosen(cli.plugins, name), timeout_s=timeout_s)
    records: list[dict[str, object]] = [
        {
            "hook": c.entry.hook or "(always on)",
            "key": c.entry.key,
            "distribution": c.entry.dist,
            "version": c.entry.version,
            "status": c.status,
            "cpu_ms": c.cpu_ms,
            "faults": [{"problem": f.problem, "fix": f.fix, "severe": f.severe} for f in c.faults],
        }
        for c in found
    ]
    if as_json:
        cli.print_json(records)
    else:
        from mlcore.cli.tables import Column

        columns = [Column(n, whole=True) for n in ("hook", "key", "distribution", "version")]
        columns += [Column("status", "status"), Column("cpu_ms", "number"), Column("problem")]
        texts = ["; ".join(f"{f.problem}. To do: {f.fix}" for f in c.faults) for c in found]
        rows = [[*(record[n.name] for n in columns[:-1]), text] for record, text in zip(records, texts, strict=True)]
        cli.print_table(columns, rows)
        if cli.terminal.is_tty:  # the table may have cut it
            for c, text in zip(found, texts, strict=True):
                cli.terminal.echo(f"{c.entry}: {text}" if text else "")
    if any(c.status == "failed" for c in found):
        ctx.exit(1)
