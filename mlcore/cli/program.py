"""The top of the program: global options, the table of commands, and how every kind of end is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from mlcore import __version__
from mlcore.cli.context import Cli
from mlcore.cli.groups import LazyGroup
from mlcore.errors import MlcoreError

FAILED = 1
INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


class Program(LazyGroup):
    """The commands of the kernel; the text is what `--help` shows without importing them."""

    table = {
        "experiments": ("mlcore.cli.experiments:experiments", "Create, find, rename, delete and restore experiments."),
        "runs": ("mlcore.cli.runs:runs", "Search, show, compare and plot runs."),
        "run": ("mlcore.cli.run:run", "Run a project and record it."),
        "env": ("mlcore.cli.env:env", "List and remove environments that were made for projects."),
        "cache": ("mlcore.cli.cache:cache", "List and remove repositories and files that were fetched for projects."),
        "artifacts": ("mlcore.cli.artifacts:artifacts", "List, download and upload files of runs."),
        "models": ("mlcore.cli.models:models", "Show models, predict with them and serve them."),
        "export": ("mlcore.cli.moving:export", "Copy experiments, runs and models into another store."),
        "import": ("mlcore.cli.moving:import_", "Copy experiments, runs and models of another store into this one."),
        "deployments": ("mlcore.cli.deployments:deployments", "Bring models to serving targets, and ask them there."),
        "sync": ("mlcore.cli.sync:sync", "Deliver what was recorded while a store was away."),
        "config": ("mlcore.cli.config:config", "Show every setting and where its value comes from."),
        "plugins": ("mlcore.cli.plugins:plugins", "List, examine, trace, write and prove plugins."),
        "doctor": ("mlcore.cli.doctor:doctor", "Check settings, plugins, store, spool and disk."),
    }

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a reader that leaves early, such as `head`, is no error worth a word."""
        try:
            done: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # what is still buffered has nobody to read it; without this the interpreter complains when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)
        return done


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlcore", message="%(prog)s %(version)s")
@click.option("--tracking-uri", metavar="URI", help="Where experiments and runs are kept, before any other setting.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option("--no-color", is_flag=True, help="Use no colours; so does NO_COLOR in the environment.")
@click.pass_context
def program(ctx: click.Context, tracking_uri: str | None, debug: bool, no_color: bool) -> None:
    """Record, compare, save, load and serve machine-learning models."""
    ctx.obj = Cli(tracking_uri=tracking_uri, debug=debug, no_color=no_color)


def run(arguments: Sequence[str]) -> int:
    """Run the program with *arguments*; return the exit code, after saying what went wrong in one line."""
    try:
        code = program.main(list(arguments), prog_name="mlcore", standalone_mode=False)
    except click.ClickException as err:
        err.show()
        return err.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (MlcoreError, OSError) as err:
        return _failed(err, arguments)
    return code if isinstance(code, int) else 0


def _failed(err: MlcoreError | OSError, arguments: Sequence[str]) -> int:
    if "--debug" in arguments:
        import traceback

        traceback.print_exception(err)
    text = err.message if isinstance(err, MlcoreError) else _os_text(err)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {text}", err=True, color=_color(arguments))
    return FAILED


def _color(arguments: Sequence[str]) -> bool | None:
    # None leaves it to click: colours in a terminal, none elsewhere
    return False if os.environ.get("NO_COLOR") or "--no-color" in arguments else None


def _os_text(err: OSError) -> str:
    where = f"{err.filename!r}: " if err.filename else ""
    return f"{where}{(err.strerror or str(err)).lower()}"
