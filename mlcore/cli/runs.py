"""`mlcore runs`: search, create, delete, restore; showing and plotting have modules of their own."""

from __future__ import annotations

import itertools

import click

from mlcore.cli import find, run_columns
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.experiments import VIEWS
from mlcore.cli.groups import alias_group
from mlcore.cli.run_compare import compare
from mlcore.cli.run_plot import plot
from mlcore.cli.run_show import show
from mlcore.cli.terminal import note
from mlcore.tracking import tags as tag_names


@click.group(cls=alias_group(list="search", describe="show"))
def runs() -> None:
    """Search, show, compare and plot runs.

    RUN is a run's id, the start of its id, its name, or `latest`.
    """


runs.add_command(show)
runs.add_command(compare)
runs.add_command(plot)


@runs.command()
@click.option("-x", "--experiment-id", "ids", multiple=True, metavar="ID", help="Id of an experiment; may be repeated.")
@click.option("-n", "--experiment-name", metavar="NAME", help="Name of the experiment.")
@click.option("-f", "--filter", "text", default="", metavar="TEXT", help="Such as: metrics.f1 > 0.9 OR tags.best = '1'")
@click.option("-o", "--order-by", "order", multiple=True, metavar="TEXT", help="Such as: metrics.f1 DESC; repeatable.")
@click.option("-l", "--limit", type=click.IntRange(1), default=100, show_default=True, help="Stop after so many.")
@click.option("-v", "--view", type=VIEWS, default="active_only", show_default=True, help="Deleted ones too, or only.")
@click.option("-c", "--columns", multiple=True, metavar="NAMES", help="Such as: run_name,metrics.f1,params.C")
@json_option
@pass_cli
def search(
    cli: Cli,
    ids: tuple[str, ...],
    experiment_name: str | None,
    text: str,
    order: tuple[str, ...],
    limit: int,
    view: str,
    columns: tuple[str, ...],
    as_json: bool,
) -> None:
    """Search runs of one experiment, or of all; newest first unless ordered otherwise.

    In a terminal the table shows the params that differ and as many metrics as fit.
    """
    chosen = run_columns.chosen_columns(columns)
    experiments = {e.experiment_id: e.name for e in find.chosen_experiments(cli, ids, experiment_name)}
    every = run_columns.search(cli.client, list(experiments), text, order, view)
    found = list(itertools.islice(every, limit))
    if as_json and not chosen:
        cli.print_json({**run.to_dictionary(), "state": run.state} for run in found)
    elif as_json:
        cli.print_json({c.name: run_columns.value(c, run, experiments) for c in chosen} for run in found)
    else:
        mentioned = " ".join((text, *order))
        several = len({run.info.experiment_id for run in found}) > 1
        shown = chosen or run_columns.usual_columns(found, mentioned, several_experiments=several)
        cli.print_table(shown, [[run_columns.value(c, run, experiments) for c in shown] for run in found])
    if next(every, None) is not None:
        note(f"stopped at {limit}; there are more runs: raise --limit")
    elif not found:
        note("no run fits")


@runs.command()
@find.experiment_options
@click.option("--run-name", metavar="NAME", help="Name of the run; invented when not given.")
@click.option("--description", metavar="TEXT", help="What the run is about.")
@click.option("-t", "--tags", "--tag", "pairs", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
@click.option(
    "--status", type=click.Choice(["FINISHED", "FAILED", "KILLED", "RUNNING"]), default="FINISHED", show_default=True
)
@click.option("--parent-run-id", metavar="RUN", help="Nest the run in this one.")
@json_option
@pass_cli
def create(
    cli: Cli,
    experiment_id: str | None,
    experiment_name: str | None,
    run_name: str | None,
    description: str | None,
    pairs: tuple[str, ...],
    status: str,
    parent_run_id: str | None,
    as_json: bool,
) -> None:
    """Create a run by hand, for what was trained elsewhere; print its id."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    tags = find.tags(pairs)
    if description:
        tags[tag_names.NOTE] = description
    if parent_run_id:
        tags[tag_names.PARENT_RUN_ID] = find.run(cli.client, parent_run_id).info.run_id
    made = cli.client.create_run(found.experiment_id, tags=tags, run_name=run_name)
    if status != "RUNNING":
        cli.client.set_terminated(made.info.run_id, status)
    if as_json:
        cli.print_json([cli.client.get_run(made.info.run_id).to_dictionary()])
        return
    note(f"created run {made.info.run_name!r} in experiment {found.name!r}, its id is")
    click.echo(made.info.run_id)


@runs.command()
@find.runs_argument
@pass_cli
def stop(cli: Cli, words: tuple[str, ...]) -> None:
    """Stop runs of projects, which other processes attend; they end as KILLED.

    A command of the backend `local` is stopped on the machine where it runs.
    """
    from mlcore.projects.cancelling import cancel

    for found in [find.run(cli.client, word) for word in words]:
        was_open = cancel(found.info.run_id, cli.session)
        note(f"{'stopped run' if was_open else 'had ended before: run'} {found.info.run_name!r}")


@runs.command()
@find.runs_argument
@pass_cli
def delete(cli: Cli, words: tuple[str, ...]) -> None:
    """Move runs to the bin; `restore` brings them back."""
    for found in [find.run(cli.client, word) for word in words]:
        cli.client.delete_run(found.info.run_id)
        note(f"deleted run {found.info.run_name!r}; back with: mlcore runs restore {found.info.run_id}")


@runs.command()
@find.runs_argument
@pass_cli
def restore(cli: Cli, words: tuple[str, ...]) -> None:
    """Take runs out of the bin."""
    for found in [find.run(cli.client, word) for word in words]:
        cli.client.restore_run(found.info.run_id)
        note(f"restored run {found.info.run_name!r}")
