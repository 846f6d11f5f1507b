"""`mlcore deployments`: bring models to targets, and look after them there."""

from __future__ import annotations

from typing import Literal

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.deployment_batches import batch_commands
from mlcore.cli.deployment_endpoints import endpoint_commands
from mlcore.cli.deployment_options import (
    config_option,
    data_options,
    dry_option,
    endpoint_option,
    model_options,
    name_option,
    open_client,
    print_found,
    progress,
    read_body,
    read_config,
    target_option,
    write_answer,
)
from mlcore.cli.groups import AliasGroup
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note

Action = Literal["create", "update", "delete"]

_COLUMNS = (Column("name", whole=True), Column("state", "status"), Column("flavor"), Column("model_uri"))


@click.group(cls=AliasGroup)
def deployments() -> None:
    """Bring models to a target, change, list, ask and remove them there.

    Targets come from plugins: `mlcore plugins list --hook deployer` shows them.
    """


@deployments.command()
@name_option
@target_option
@endpoint_option
@model_options(required=True)
@config_option
@dry_option
@json_option
@pass_cli
def create(
    cli: Cli,
    name: str,
    target: str | None,
    endpoint: str | None,
    model_uri: str,
    flavor: str | None,
    pairs: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Deploy a model; doing it again with the same options changes nothing."""
    client, config = open_client(cli, target), read_config(pairs)
    if dry_run:
        cli.print_json(client.plan("create", name, model_uri, flavor, config, endpoint))
        return
    with progress():
        print_found(cli, _COLUMNS, [client.create_deployment(name, model_uri, flavor, config, endpoint)], as_json)


@deployments.command()
@name_option
@target_option
@endpoint_option
@model_options(required=False)
@config_option
@dry_option
@json_option
@pass_cli
def update(
    cli: Cli,
    name: str,
    target: str | None,
    endpoint: str | None,
    model_uri: str | None,
    flavor: str | None,
    pairs: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Replace model or configuration; when that fails, the old one goes on serving."""
    client, config = open_client(cli, target), read_config(pairs)
    if dry_run:
        cli.print_json(client.plan("update", name, model_uri, flavor, config, endpoint))
        return
    with progress():
        print_found(cli, _COLUMNS, [client.update_deployment(name, model_uri, flavor, config, endpoint)], as_json)


@deployments.command()
@name_option
@target_option
@endpoint_option
@config_option
@dry_option
@pass_cli
def delete(
    cli: Cli, name: str, target: str | None, endpoint: str | None, pairs: tuple[str, ...], dry_run: bool
) -> None:
    """Remove a deployment; nothing happens when it is not there."""
    client, config = open_client(cli, target), read_config(pairs)
    if dry_run:
        cli.print_json(client.plan("delete", name, config=config, endpoint=endpoint))
        return
    with progress():
        client.delete_deployment(name, config, endpoint)
    note(f"deleted {name}")


@deployments.command("list")
@target_option
@endpoint_option
@json_option
@pass_cli
def list_(cli: Cli, target: str | None, endpoint: str | None, as_json: bool) -> None:
    """List the deployments at a target."""
    print_found(cli, _COLUMNS, open_client(cli, target).list_deployments(endpoint), as_json)


@deployments.command()
@name_option
@target_option
@endpoint_option
@json_option
@pass_cli
def get(cli: Cli, name: str, target: str | None, endpoint: str | None, as_json: bool) -> None:
    """Show a deployment; with --json everything that the target tells."""
    print_found(cli, _COLUMNS, [open_client(cli, target).get_deployment(name, endpoint)], as_json)


@deployments.command()
@click.option("--name", metavar="NAME", help="Name of the deployment; the endpoint's choice without.")
@target_option
@endpoint_option
@data_options
@pass_cli
def predict(
    cli: Cli,
    name: str | None,
    target: str | None,
    endpoint: str | None,
    input_path: str | None,
    content_type: str | None,
    output_path: str | None,
) -> None:
    """Send a file to a deployment and print its answer."""
    body, kind = read_body(input_path, content_type)
    write_answer(open_client(cli, target).predict_bytes(name, body, kind, endpoint)[0], output_path)


@deployments.command()
@click.option("--name", metavar="NAME", help="Name of the deployment; the endpoint's choice without.")
@target_option
@endpoint_option
@data_options
@pass_cli
def explain(
    cli: Cli,
    name: str | None,
    target: str | None,
    endpoint: str | None,
    input_path: str | None,
    content_type: str | None,
    output_path: str | None,
) -> None:
    """Send a file to a deployment and print why it answers so."""
    body, kind = read_body(input_path, content_type)
    write_answer(open_client(cli, target).explain_bytes(name, body, kind, endpoint)[0], output_path)


@deployments.command("run-local")
@name_option
@target_option
@model_options(required=True)
@config_option
@pass_cli
def run_local(
    cli: Cli, name: str, target: str | None, model_uri: str, flavor: str | None, pairs: tuple[str, ...]
) -> None:
    """Serve a model on this machine as the target would, until Ctrl-C."""
    with progress():
        open_client(cli, target).run_local(name, model_uri, flavor, read_config(pairs))


@deployments.command()
@click.argument("action", type=click.Choice(["create", "update", "delete"]), default="create")
@name_option
@target_option
@model_options(required=False)
@config_option
@pass_cli
def plan(
    cli: Cli,
    action: Action,
    name: str,
    target: str | None,
    model_uri: str | None,
    flavor: str | None,
    pairs: tuple[str, ...],
) -> None:
    """Print each call that ACTION would make, one JSON object per line; change nothing.

    ACTION is create, update or delete.
    """
    cli.print_json(open_client(cli, target).plan(action, name, model_uri, flavor, read_config(pairs)))


for _command in (*endpoint_commands, *batch_commands):
    deployments.add_command(_command)
