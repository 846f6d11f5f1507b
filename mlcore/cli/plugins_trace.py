"""`mlcore plugins trace`: which plugin was asked what, how long it took, and how it ended."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from mlcore.cli.context import Cli, json_option
from mlcore.plugin_trace import VARIABLE


@click.command(context_settings={"ignore_unknown_options": True})
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def trace(ctx: click.Context, as_json: bool, command: tuple[str, ...]) -> None:
    """Run COMMAND and show every plugin import and hook call that it made; exit as it exits.

    COMMAND is any program with its arguments: `mlcore plugins trace -- python train.py`, or
    `mlcore plugins trace -- mlcore runs search`. The processes that it starts are traced too.
    """
    import subprocess  # here and below: `plugins list` has a budget
    import tempfile

    cli: Cli = ctx.find_object(Cli) or Cli()
    with tempfile.TemporaryDirectory(prefix="mlcore-trace-") as folder:
        target = Path(folder) / "calls.jsonl"
        environ = _environ(target)
        done = subprocess.run(_argv(command, environ["PATH"]), env=environ, check=False)  # noqa: S603  # the user's own command, without a shell
        text = target.read_text("utf-8") if target.exists() else ""
    records = [json.loads(line) for line in text.splitlines()]
    if as_json:
        cli.print_json(records)
    else:
        from mlcore.cli.tables import Column

        names = ("hook", "duration_us", "outcome", "plugin")
        columns = [Column("hook", whole=True), Column("duration_us", "number"), Column("outcome"), Column("plugin")]
        cli.print_table(columns, [[record[n] for n in names] for record in records])
    ctx.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


def _environ(target: Path) -> dict[str, str]:
    # `python` and `mlcore` mean those of this environment, whether it is activated or not
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, VARIABLE: str(target)}


def _argv(command: tuple[str, ...], path: str) -> list[str]:
    """Return what to run; `train.py` alone is run by this interpreter."""
    import shutil

    program = command[0]
    if program.endswith(".py") and Path(program).is_file():
        return [sys.executable, *command]
    found = shutil.which(program, path=path)
    if found is None:
        raise click.BadParameter(f"there is no program {program!r} on PATH", param_hint="COMMAND")
    return [found, *command[1:]]
