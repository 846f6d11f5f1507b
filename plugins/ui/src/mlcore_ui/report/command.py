"""`mlcore report`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from mlcore.cli import find
from mlcore.cli.context import Cli, pass_cli
from mlcore.errors import AlreadyExistsError, InvalidParameterError
from mlcore_ui.report.content import experiment_body, run_body
from mlcore_ui.report.document import document


@click.command()
@click.argument("word", metavar="[RUN]", required=False)
@click.option("-n", "--experiment-name", help="Report on the runs of an experiment instead of one run.")
@click.option("-x", "--experiment-id", help="The same by id.")
@click.option("-f", "--filter", "filter_text", default="", help="Only runs that fit, such as 'metrics.rmse < 1'.")
@click.option("--order-by", multiple=True, help="Such as 'metrics.rmse ASC'; repeatable.")
@click.option("--max-runs", type=click.IntRange(1, 1000), default=200, show_default=True, help="Of an experiment.")
@click.option("--images/--no-images", default=True, show_default=True, help="Whether to put a run's pictures in.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default="report.html", show_default=True
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@pass_cli
def report(
    cli: Cli,
    word: str | None,
    experiment_name: str | None,
    experiment_id: str | None,
    filter_text: str,
    order_by: tuple[str, ...],
    max_runs: int,
    images: bool,
    output: Path,
    force: bool,
) -> None:
    """Write a run, or the runs of an experiment, into one HTML file that opens without a server."""
    if (word is None) == (experiment_name is None and experiment_id is None):
        raise InvalidParameterError("expected a run, or an experiment by --experiment-name or --experiment-id")
    if output.exists() and not force:
        raise AlreadyExistsError(f"{str(output)!r} exists already; give another --output, or --force to replace it")
    if word is not None:
        run = find.run(cli.client, word)
        title, body = run.info.run_name or run.info.run_id, run_body(cli.client, run, images=images)
    else:
        experiment = find.experiment(cli.client, experiment_id, experiment_name)
        ids = [experiment.experiment_id]
        runs = cli.client.search_runs(ids, filter_text, max_results=max_runs, order_by=list(order_by))
        total = len(runs)
        token = runs.token
        while token:
            page = cli.client.search_runs(ids, filter_text, max_results=5000, order_by=list(order_by), page_token=token)
            total, token = total + len(page), page.token
        if total > len(runs):
            click.echo(f"{len(runs)} of {total} runs are in the report: give --max-runs or --filter", err=True)
        title, body = experiment.name, experiment_body(cli.client, experiment, runs, filter_text, total)
    _write(output, document(title, body))
    click.echo(f"{output} ({output.stat().st_size / 1000:.0f} KB)")


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)  # noqa: PTH105  # of two names in one folder
    finally:
        partial.unlink(missing_ok=True)
