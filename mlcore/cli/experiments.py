"""`mlcore experiments`."""

from __future__ import annotations

import csv as csv_format
import sys
from pathlib import Path

import click

from mlcore.cli import find, run_columns
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import alias_group
from mlcore.cli.tables import Column, fields
from mlcore.cli.terminal import note
from mlcore.entities import Experiment, LifecycleStage, ViewType

VIEWS = click.Choice([v.lower() for v in ViewType], case_sensitive=False)


@click.group(cls=alias_group(list="search"))
def experiments() -> None:
    """Create, find, rename, delete and restore experiments."""


@experiments.command()
@click.option("-n", "--experiment-name", required=True, metavar="NAME", help="Name that no other experiment has.")
@click.option("-l", "--artifact-location", metavar="URI", help="Where its runs put artifacts.")
@click.option("-t", "--tag", "pairs", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
@json_option
@pass_cli
def create(
    cli: Cli, experiment_name: str, artifact_location: str | None, pairs: tuple[str, ...], as_json: bool
) -> None:
    """Create an experiment and print its id."""
    made = cli.client.create_experiment(experiment_name, artifact_location, find.tags(pairs))
    if as_json:
        cli.print_json([cli.client.get_experiment(made)])
        return
    note(f"created experiment {experiment_name!r}, its id is")
    click.echo(made)


@experiments.command()
@click.option("-v", "--view", type=VIEWS, default="active_only", show_default=True, help="Deleted ones too, or only.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Such as: name LIKE 'wine%' AND tags.team = 'a'.")
@click.option("--order-by", "order", multiple=True, metavar="TEXT", help="Such as: name ASC; may be repeated.")
@click.option("--max-results", type=click.IntRange(1), default=1000, show_default=True, help="Stop after so many.")
@json_option
@pass_cli
def search(cli: Cli, view: str, text: str, order: tuple[str, ...], max_results: int, as_json: bool) -> None:
    """Search experiments; without options all active ones, newest first."""
    found = _search(cli, view, text, order, max_results)
    if as_json:
        cli.print_json(found)
        return
    columns = [
        Column("experiment_id", title="id", whole=True),
        Column("name"),
        Column("lifecycle_stage", "status", "stage"),
        Column("creation_time", "time", "created"),
        Column("last_update_time", "time", "updated"),
        Column("artifact_location"),
    ]
    cli.print_table(columns, [[getattr(e, c.name) for c in columns] for e in found])


@experiments.command()
@find.experiment_options
@click.option("--output", type=click.Choice(["table", "json"]), default="table", help="As MLflow spells --json.")
@json_option
@pass_cli
def get(cli: Cli, experiment_id: str | None, experiment_name: str | None, output: str, as_json: bool) -> None:
    """Show one experiment, by id or by name."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    if as_json or output == "json":
        cli.print_json([found])
        return
    pairs = [
        ("experiment_id", found.experiment_id, "text"),
        ("name", found.name, "text"),
        ("lifecycle_stage", str(found.lifecycle_stage), "status"),
        ("artifact_location", found.artifact_location, "text"),
        ("creation_time", found.creation_time, "time"),
        ("last_update_time", found.last_update_time, "time"),
        *((f"tags.{key}", value, "text") for key, value in sorted(found.tags.items())),
    ]
    for line in fields(pairs, cli.terminal):  # type: ignore[arg-type]  # the kinds are literals
        cli.terminal.echo(line)


@experiments.command()
@find.experiment_options
@click.option("--new-name", required=True, metavar="NAME", help="Name that no other experiment has.")
@pass_cli
def rename(cli: Cli, experiment_id: str | None, experiment_name: str | None, new_name: str) -> None:
    """Give an experiment another name."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    cli.client.rename_experiment(found.experiment_id, new_name)
    note(f"experiment {found.experiment_id} is now called {new_name!r}, before {found.name!r}")


@experiments.command()
@find.experiment_options
@pass_cli
def delete(cli: Cli, experiment_id: str | None, experiment_name: str | None) -> None:
    """Move an experiment and its runs to the bin; `restore` brings them back."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    cli.client.delete_experiment(found.experiment_id)
    note(f"deleted experiment {found.name!r}; back with: mlcore experiments restore -x {found.experiment_id}")


@experiments.command()
@find.experiment_options
@pass_cli
def restore(cli: Cli, experiment_id: str | None, experiment_name: str | None) -> None:
    """Take an experiment and its runs out of the bin."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    cli.client.restore_experiment(found.experiment_id)
    note(f"restored experiment {found.name!r}" + ("" if _is_deleted(found) else ", which was not deleted"))


@experiments.command()
@find.experiment_options
@click.option("-o", "--filename", type=click.Path(dir_okay=False), help="File to write instead of standard output.")
@pass_cli
def csv(cli: Cli, experiment_id: str | None, experiment_name: str | None, filename: str | None) -> None:
    """Write all active runs of an experiment as CSV: one row a run, one column a metric, param or tag."""
    found = find.experiment(cli.client, experiment_id, experiment_name)
    runs = list(run_columns.search(cli.client, [found.experiment_id]))
    columns = run_columns.every_column(runs)
    rows = [[run_columns.csv_value(column, run) for column in columns] for run in runs]
    if filename is None:
        csv_format.writer(sys.stdout, lineterminator="\n").writerows([[c.name for c in columns], *rows])
        return
    with Path(filename).open("w", encoding="utf-8", newline="") as file:
        csv_format.writer(file).writerows([[c.name for c in columns], *rows])
    note(f"wrote {len(rows)} runs of {found.name!r} to {filename}")


def _search(cli: Cli, view: str, text: str, order: tuple[str, ...], limit: int) -> list[Experiment]:
    found: list[Experiment] = []
    token: str | None = None
    while len(found) < limit:
        size = min(1000, limit - len(found))
        page = cli.client.search_experiments(view, size, text or None, list(order), token)
        found += page
        token = page.token
        if not token:
            return found
    note(f"stopped at {limit}; there are more experiments: raise --max-results")
    return found


def _is_deleted(found: Experiment) -> bool:
    return found.lifecycle_stage == LifecycleStage.DELETED
