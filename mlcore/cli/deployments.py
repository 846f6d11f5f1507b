"""`mlcore deployments`: bring models to targets, and look after them there."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note

if TYPE_CHECKING:
    from mlcore.deployments import DeployClient

F = TypeVar("F", bound=Callable[..., object])
Action = Literal["create", "update", "delete"]

_COLUMNS = (Column("name", whole=True), Column("state", "status"), Column("flavor"), Column("model_uri"))


def _target_option(function: F) -> F:
    return click.option(
        "-t", "--target", metavar="TARGET", help="Where to deploy, such as sagemaker:/REGION; else the setting."
    )(function)


def _name_option(function: F) -> F:
    return click.option("--name", required=True, metavar="NAME", help="Name of the deployment.")(function)


def _model_options(required: bool) -> Callable[[F], F]:
    def add(function: F) -> F:
        with_flavor = click.option("-f", "--flavor", metavar="NAME", help="Flavor to serve; the target's choice.")(
            function
        )
        return click.option(
            "-m", "--model-uri", required=required, metavar="URI", help="A path, runs:/RUN/PATH, or any artifact URI."
        )(with_flavor)

    return add


def _config_option(function: F) -> F:
    return click.option(
        "-C", "--config", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the target; may be repeated."
    )(function)


def _dry_option(function: F) -> F:
    return click.option("--dry-run", is_flag=True, help="Print each call to the target as JSON; change nothing.")(
        function
    )


def _data_options(function: F) -> F:
    read = click.option(
        "-I", "-i", "--input-path", type=click.Path(dir_okay=False), help="File to read instead of standard input."
    )(function)
    kind = click.option("--content-type", metavar="TYPE", help="By the file's name; else application/json.")(read)
    return click.option(
        "-O", "-o", "--output-path", type=click.Path(dir_okay=False), help="File to write instead of standard output."
    )(kind)


@click.group(cls=AliasGroup)
def deployments() -> None:
    """Bring models to a target, change, list, ask and remove them there.

    Targets come from plugins: `mlcore plugins list --hook deployer` shows them.
    """


@deployments.command()
@_name_option
@_target_option
@_model_options(required=True)
@_config_option
@_dry_option
@json_option
@pass_cli
def create(
    cli: Cli,
    name: str,
    target: str | None,
    model_uri: str,
    flavor: str | None,
    pairs: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Deploy a model; doing it again with the same options changes nothing."""
    client, config = _client(cli, target), _config(pairs)
    if dry_run:
        cli.print_json(client.plan("create", name, model_uri, flavor, config))
        return
    with _progress():
        _print(cli, [client.create_deployment(name, model_uri, flavor, config)], as_json)


@deployments.command()
@_name_option
@_target_option
@_model_options(required=False)
@_config_option
@_dry_option
@json_option
@pass_cli
def update(
    cli: Cli,
    name: str,
    target: str | None,
    model_uri: str | None,
    flavor: str | None,
    pairs: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Replace model or configuration; when that fails, the old one goes on serving."""
    client, config = _client(cli, target), _config(pairs)
    if dry_run:
        cli.print_json(client.plan("update", name, model_uri, flavor, config))
        return
    with _progress():
        _print(cli, [client.update_deployment(name, model_uri, flavor, config)], as_json)


@deployments.command()
@_name_option
@_target_option
@_config_option
@_dry_option
@pass_cli
def delete(cli: Cli, name: str, target: str | None, pairs: tuple[str, ...], dry_run: bool) -> None:
    """Remove a deployment; nothing happens when it is not there."""
    client, config = _client(cli, target), _config(pairs)
    if dry_run:
        cli.print_json(client.plan("delete", name, config=config))
        return
    with _progress():
        client.delete_deployment(name, config)
    note(f"deleted {name}")


@deployments.command("list")
@_target_option
@json_option
@pass_cli
def list_(cli: Cli, target: str | None, as_json: bool) -> None:
    """List the deployments at a target."""
    _print(cli, _client(cli, target).list_deployments(), as_json)


@deployments.command()
@_name_option
@_target_option
@json_option
@pass_cli
def get(cli: Cli, name: str, target: str | None, as_json: bool) -> None:
    """Show a deployment; with --json everything that the target tells."""
    _print(cli, [_client(cli, target).get_deployment(name)], as_json)


@deployments.command()
@_name_option
@_target_option
@_data_options
@pass_cli
def predict(
    cli: Cli,
    name: str,
    target: str | None,
    input_path: str | None,
    content_type: str | None,
    output_path: str | None,
) -> None:
    """Send a file to a deployment and print its answer."""
    body, kind = _read(input_path, content_type)
    _write(_client(cli, target).deployer.predict(name, body, kind)[0], output_path)


@deployments.command()
@_name_option
@_target_option
@_data_options
@pass_cli
def explain(
    cli: Cli,
    name: str,
    target: str | None,
    input_path: str | None,
    content_type: str | None,
    output_path: str | None,
) -> None:
    """Send a file to a deployment and print why it answers so."""
    from mlcore.errors import UnsupportedError
    from mlcore.interfaces import SupportsExplain

    client = _client(cli, target)
    if not isinstance(client.deployer, SupportsExplain):
        raise UnsupportedError(f"the target {client.target_uri!r} does not explain predictions")
    body, kind = _read(input_path, content_type)
    _write(client.deployer.explain(name, body, kind)[0], output_path)


@deployments.command("run-local")
@_name_option
@_target_option
@_model_options(required=True)
@_config_option
@pass_cli
def run_local(
    cli: Cli, name: str, target: str | None, model_uri: str, flavor: str | None, pairs: tuple[str, ...]
) -> None:
    """Serve a model on this machine as the target would, until Ctrl-C."""
    with _progress():
        _client(cli, target).run_local(name, model_uri, flavor, _config(pairs))


@deployments.command()
@click.argument("action", type=click.Choice(["create", "update", "delete"]), default="create")
@_name_option
@_target_option
@_model_options(required=False)
@_config_option
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
    cli.print_json(_client(cli, target).plan(action, name, model_uri, flavor, _config(pairs)))


def _client(cli: Cli, target: str | None) -> DeployClient:
    from mlcore.deployments import get_deploy_client

    uri = target or cli.settings.deployments_target
    if uri is None:
        raise click.UsageError("name the target: --target, or the variable MLCORE_DEPLOYMENTS_TARGET")
    _ = cli.session  # deployers fetch models through the session of this call
    return get_deploy_client(uri, plugins=cli.plugins)


def _config(pairs: tuple[str, ...]) -> dict[str, object]:
    config: dict[str, object] = {}
    for pair in pairs:
        key, sep, value = pair.partition("=")
        if not sep or not key:
            raise click.UsageError(f"--config {pair!r}: expected KEY=VALUE")
        if key in config:
            raise click.UsageError(f"--config {key!r} is given twice")
        config[key] = value
    return config


def _read(input_path: str | None, content_type: str | None) -> tuple[bytes, str]:
    guessed = "text/csv" if str(input_path).lower().endswith(".csv") else "application/json"
    body = sys.stdin.buffer.read() if input_path is None else Path(input_path).read_bytes()
    return body, content_type or guessed


def _write(answer: bytes, output_path: str | None) -> None:
    if output_path is None:
        click.echo(answer)
    else:
        Path(output_path).write_bytes(answer)
        note(f"wrote {output_path}")


def _print(cli: Cli, found: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        cli.print_json(found)
    else:
        cli.print_table(_COLUMNS, [[each.get(column.name) for column in _COLUMNS] for each in found])


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


@contextmanager
def _progress() -> Iterator[None]:
    """Show on standard error what deployers log while they work."""
    logger = logging.getLogger("mlcore.deployments")
    handler, before = _Notes(logging.INFO), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
