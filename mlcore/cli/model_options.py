"""Options that the commands about models share, and what their URIs mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import click

from mlcore.cli.context import Cli

F = TypeVar("F", bound=Callable[..., object])

_RUN_URI = re.compile(r"^runs:/+([^/]+)(.*)$")


def model_option(function: F) -> F:
    """Add the option that names one model."""
    return click.option(
        "-m",
        "--model-uri",
        required=True,
        metavar="URI",
        help="A path, runs:/RUN/PATH, models:/NAME@ALIAS, or any artifact URI.",
    )(function)


def trust_option(function: F) -> F:
    """Add the option by which the model's code may run."""
    return click.option("--trust", is_flag=True, help="Let the model run code that it brings, such as a pickle.")(
        function
    )


def env_option(function: F) -> F:
    """Add an option that scripts written for MLflow give."""
    return click.option(
        "--env-manager", type=click.Choice(["local"]), default="local", help="The model runs in this environment."
    )(function)


def resolved(cli: Cli, uri: str) -> str:
    """Return *uri* with a run's name, or the start of its id, replaced by the id."""
    cli.session  # noqa: B018  # from here on loading goes through the session of this call
    found = _RUN_URI.match(uri)
    if found is None:
        return uri
    from mlcore.cli import find

    return f"runs:/{find.run(cli.client, found[1]).info.run_id}{found[2]}"
