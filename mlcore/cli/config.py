"""`mlcore config`: the settings and their origins."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli


@click.group()
def config() -> None:
    """Show every setting and where its value comes from."""


@config.command()
@json_option
@pass_cli
def show(cli: Cli, as_json: bool) -> None:
    """Show the value of each setting and its origin.

    An argument wins over MLCORE_<NAME>, that over the matching MLflow variable, that over mlcore.toml or
    [tool.mlcore] in pyproject.toml, that over the default. Passwords in URIs are masked.
    """
    explained = cli.settings.explain()
    if as_json:
        cli.print_json(
            {
                "name": e.name,
                "value": e.value,
                "origin": e.origin.place,
                "detail": e.origin.detail,
                "about": e.about,
            }
            for e in explained
        )
        return
    from mlcore.cli.tables import Column

    columns = [Column("setting", whole=True), Column("value"), Column("origin"), Column("about")]
    cli.print_table(columns, [(e.name, e.value, str(e.origin), e.about) for e in explained])
