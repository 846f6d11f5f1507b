"""`mlcore plugins new`: a complete distribution to start from."""

from __future__ import annotations

from pathlib import Path

import click

from mlcore.cli.context import json_option


@click.command()
@click.argument("kind")
@click.argument("name")
@click.option("--key", help="What it answers to: a scheme, a flavor's or a command's name; the name by default.")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder in which the new one is made; the working directory by default.",
)
@json_option
def new(kind: str, name: str, key: str | None, folder: Path, as_json: bool) -> None:
    """Write a new plugin: KIND is the hook that it implements, such as artifact_repo, or authority; NAME its distribution.

    The folder has everything that a published plugin has: manifest, hooks, an implementation that works,
    README, CI, and a contract test that passes. Replace the implementation bit by bit; the test says when it fits.
    """
    from mlcore.scaffold import generate

    made = generate(kind, name, folder, key=key)
    written = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
    if as_json:
        from mlcore.wire.plain import dumps

        click.echo(dumps({"kind": kind, "folder": str(made), "files": written}))
        return
    for path in written:
        click.echo(str(made / path))
    click.echo(f"next: pip install -e {made} && mlcore plugins kit {made}", err=True)
