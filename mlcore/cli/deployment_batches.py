"""The commands about batch predictions: whole files, without a deployment."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.deployment_options import (
    config_option,
    dry_option,
    model_options,
    open_client,
    print_found,
    progress,
    read_config,
    target_option,
)
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note

_COLUMNS = (Column("name", whole=True), Column("state", "status"), Column("output_uri"))
_name = click.option("--name", required=True, metavar="NAME", help="Name of the batch prediction.")


@click.command("batch-predict")
@_name
@target_option
@model_options(required=True)
@click.option("--input-uri", required=True, metavar="URI", help="Where the files are, such as s3://BUCKET/PREFIX.")
@click.option("--output-uri", required=True, metavar="URI", help="Where the predictions go.")
@config_option
@dry_option
@json_option
@pass_cli
def batch_predict(
    cli: Cli,
    name: str,
    target: str | None,
    model_uri: str,
    flavor: str | None,
    input_uri: str,
    output_uri: str,
    pairs: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Predict for whole files at the target, without a deployment; the same job started twice runs once."""
    client, config = open_client(cli, target), read_config(pairs)
    if dry_run:
        cli.print_json(client.plan_batch_predict(name, model_uri, input_uri, output_uri, flavor, config))
        return
    with progress():
        done = client.batch_predict(name, model_uri, input_uri, output_uri, flavor, config)
    print_found(cli, _COLUMNS, [done], as_json)


@click.command("get-batch")
@_name
@target_option
@json_option
@pass_cli
def get_batch(cli: Cli, name: str, target: str | None, as_json: bool) -> None:
    """Show a batch prediction; with --json everything that the target tells."""
    print_found(cli, _COLUMNS, [open_client(cli, target).get_batch(name)], as_json)


@click.command("list-batches")
@target_option
@json_option
@pass_cli
def list_batches(cli: Cli, target: str | None, as_json: bool) -> None:
    """List the batch predictions that a target knows."""
    print_found(cli, _COLUMNS, open_client(cli, target).list_batches(), as_json)


@click.command("stop-batch")
@_name
@target_option
@pass_cli
def stop_batch(cli: Cli, name: str, target: str | None) -> None:
    """Stop a batch prediction; nothing happens when it has ended or is not there."""
    open_client(cli, target).stop_batch(name)
    note(f"stopped {name}")


batch_commands: tuple[click.Command, ...] = (batch_predict, get_batch, list_batches, stop_batch)
