"""The commands about endpoints that hold several deployments."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.deployment_options import (
    config_option,
    open_client,
    print_found,
    progress,
    read_config,
    target_option,
)
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note

_COLUMNS = (Column("name", whole=True), Column("state", "status"))
_endpoint = click.option("--endpoint", required=True, metavar="NAME", help="Name of the endpoint.")


@click.command("create-endpoint")
@_endpoint
@target_option
@config_option
@json_option
@pass_cli
def create_endpoint(cli: Cli, endpoint: str, target: str | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Make an endpoint for several deployments."""
    with progress():
        made = open_client(cli, target).create_endpoint(endpoint, read_config(pairs))
    print_found(cli, _COLUMNS, [made], as_json)


@click.command("update-endpoint")
@_endpoint
@target_option
@config_option
@json_option
@pass_cli
def update_endpoint(cli: Cli, endpoint: str, target: str | None, pairs: tuple[str, ...], as_json: bool) -> None:
    """Change what all deployments of an endpoint share."""
    with progress():
        updated = open_client(cli, target).update_endpoint(endpoint, read_config(pairs))
    print_found(cli, _COLUMNS, [updated], as_json)


@click.command("delete-endpoint")
@_endpoint
@target_option
@pass_cli
def delete_endpoint(cli: Cli, endpoint: str, target: str | None) -> None:
    """Remove an endpoint with its deployments."""
    with progress():
        open_client(cli, target).delete_endpoint(endpoint)
    note(f"deleted {endpoint}")


@click.command("list-endpoints")
@target_option
@json_option
@pass_cli
def list_endpoints(cli: Cli, target: str | None, as_json: bool) -> None:
    """List the endpoints at a target."""
    print_found(cli, _COLUMNS, open_client(cli, target).list_endpoints(), as_json)


@click.command("get-endpoint")
@_endpoint
@target_option
@json_option
@pass_cli
def get_endpoint(cli: Cli, endpoint: str, target: str | None, as_json: bool) -> None:
    """Show an endpoint; with --json everything that the target tells."""
    print_found(cli, _COLUMNS, [open_client(cli, target).get_endpoint(endpoint)], as_json)


endpoint_commands: tuple[click.Command, ...] = (
    create_endpoint,
    update_endpoint,
    delete_endpoint,
    list_endpoints,
    get_endpoint,
)
