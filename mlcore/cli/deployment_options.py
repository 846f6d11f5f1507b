"""Options and helpers of the commands about deployments."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mlcore.cli.context import Cli
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note

if TYPE_CHECKING:
    from mlcore.deployments import DeployClient

F = TypeVar("F", bound=Callable[..., object])


def target_option(function: F) -> F:
    """Add --target."""
    return click.option(
        "-t", "--target", metavar="TARGET", help="Where to deploy, such as sagemaker:/REGION; else the setting."
    )(function)


def name_option(function: F) -> F:
    """Add --name."""
    return click.option("--name", required=True, metavar="NAME", help="Name of the deployment.")(function)


def endpoint_option(function: F) -> F:
    """Add --endpoint."""
    return click.option("--endpoint", metavar="NAME", help="The endpoint that holds the deployment.")(function)


def model_options(required: bool) -> Callable[[F], F]:
    """Add --model-uri and --flavor."""

    def add(function: F) -> F:
        with_flavor = click.option("-f", "--flavor", metavar="NAME", help="Flavor to serve; the target's choice.")(
            function
        )
        return click.option(
            "-m", "--model-uri", required=required, metavar="URI", help="A path, runs:/RUN/PATH, or any artifact URI."
        )(with_flavor)

    return add


def config_option(function: F) -> F:
    """Add --config."""
    return click.option(
        "-C", "--config", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting of the target; may be repeated."
    )(function)


def dry_option(function: F) -> F:
    """Add --dry-run."""
    return click.option("--dry-run", is_flag=True, help="Print each call to the target as JSON; change nothing.")(
        function
    )


def data_options(function: F) -> F:
    """Add --input-path, --content-type and --output-path."""
    read = click.option(
        "-I", "-i", "--input-path", type=click.Path(dir_okay=False), help="File to read instead of standard input."
    )(function)
    kind = click.option("--content-type", metavar="TYPE", help="By the file's name; else application/json.")(read)
    return click.option(
        "-O", "-o", "--output-path", type=click.Path(dir_okay=False), help="File to write instead of standard output."
    )(kind)


def open_client(cli: Cli, target: str | None) -> DeployClient:
    """Open a target, or the one of the settings."""
    from mlcore.deployments import get_deploy_client

    uri = target or cli.settings.deployments_target
    if uri is None:
        raise click.UsageError("name the target: --target, or the variable MLCORE_DEPLOYMENTS_TARGET")
    _ = cli.session  # deployers fetch models through the session of this call
    return get_deploy_client(uri, plugins=cli.plugins)


def read_config(pairs: tuple[str, ...]) -> dict[str, object]:
    """Return the values of --config."""
    config: dict[str, object] = {}
    for pair in pairs:
        key, sep, value = pair.partition("=")
        if not sep or not key:
            raise click.UsageError(f"--config {pair!r}: expected KEY=VALUE")
        if key in config:
            raise click.UsageError(f"--config {key!r} is given twice")
        config[key] = value
    return config


def read_body(input_path: str | None, content_type: str | None) -> tuple[bytes, str]:
    """Return the body of a request and its content type, as told or by the file's name."""
    guessed = "text/csv" if str(input_path).lower().endswith(".csv") else "application/json"
    body = sys.stdin.buffer.read() if input_path is None else Path(input_path).read_bytes()
    return body, content_type or guessed


def write_answer(answer: bytes, output_path: str | None) -> None:
    """Write an answer where it is wanted."""
    if output_path is None:
        click.echo(answer)
    else:
        Path(output_path).write_bytes(answer)
        note(f"wrote {output_path}")


def print_found(cli: Cli, columns: tuple[Column, ...], found: list[dict[str, object]], as_json: bool) -> None:
    """Print what was found as a table, or as a line of JSON each."""
    if as_json:
        cli.print_json(found)
    else:
        cli.print_table(columns, [[each.get(column.name) for column in columns] for each in found])


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        note(record.getMessage())


@contextmanager
def progress() -> Iterator[None]:
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
