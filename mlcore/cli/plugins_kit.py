"""`mlcore plugins kit`: prove a plugin with its contract suite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlcore.cli.context import Cli, json_option

if TYPE_CHECKING:
    from mlcore.plugin_index import PluginEntry
    from mlcore.scaffold import KitReport


@click.command()
@click.argument("name")
@click.option("--tests", metavar="PATH", help="Where the tests are, when they are not beside the plugin's source.")
@json_option
@click.pass_context
def kit(ctx: click.Context, name: str, tests: str | None, as_json: bool) -> None:
    """Run the contract suite of a plugin and report; exit with 1 when a test fails.

    NAME is a plugin's folder, or an installed distribution that has its tests beside its source or ships them as
    the module PACKAGE.contract. Needs pytest: pip install 'mlcore-kernel[testing]'.
    """
    from mlcore.cli.plugins import chosen
    from mlcore.errors import PluginNotFoundError
    from mlcore.scaffold import find_tests, run_kit

    cli: Cli = ctx.find_object(Cli) or Cli()
    entries: tuple[PluginEntry, ...] = ()
    if tests is None and not Path(name).exists():
        try:
            entries = chosen(cli.plugins, name)
        except PluginNotFoundError as err:
            raise PluginNotFoundError(f"{err.message}; or name a plugin's folder") from err
    report = run_kit(tests or find_tests(name, entries))
    if as_json:
        cli.print_json([_document(name, report)])
    else:
        _print(cli, report)
    ctx.exit(0 if report.passed else 1)


def _document(name: str, report: KitReport) -> dict[str, object]:
    counts = {outcome: report.count(outcome) for outcome in ("passed", "failed", "skipped", "xfailed")}
    return {"plugin": name, "source": report.source, "ok": report.passed, **counts, "tests": report.tests}


def _print(cli: Cli, report: KitReport) -> None:
    from mlcore.cli.tables import Column

    odd = [t for t in report.tests if t.outcome != "passed"]
    if odd:
        columns = [Column("outcome", "status", whole=True), Column("test", whole=True), Column("message")]
        cli.print_table(columns, [(t.outcome, t.test.rpartition("::")[2], t.message.partition("\n")[0]) for t in odd])
    seconds = sum(t.duration_ms for t in report.tests) / 1000
    counts = ", ".join(f"{report.count(o)} {o}" for o in ("passed", "failed", "skipped", "xfailed") if report.count(o))
    click.echo(f"{counts} in {seconds:.1f} s", err=True)
