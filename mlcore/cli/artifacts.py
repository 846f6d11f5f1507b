"""`mlcore artifacts`: files of runs."""

from __future__ import annotations

from collections.abc import Iterator

import click

from mlcore.cli import find
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError
from mlcore.tracking.client import Client
from mlcore.tracking.locating import download as fetch
from mlcore.uris import join

_RUN = click.option(
    "-r", "--run-id", "word", required=True, metavar="RUN", help="Id, start of the id, or name of the run."
)


@click.group(cls=AliasGroup)
def artifacts() -> None:
    """List, download and upload files of runs."""


@artifacts.command("list")
@_RUN
@click.option("-a", "--artifact-path", default="", metavar="PATH", help="A directory below the run's artifact root.")
@click.option("-R", "--recursive", is_flag=True, help="All files below, not only the direct children.")
@json_option
@pass_cli
def list_(cli: Cli, word: str, artifact_path: str, recursive: bool, as_json: bool) -> None:
    """List artifacts of a run with their sizes in bytes."""
    run_id = find.run(cli.client, word).info.run_id
    found = _walk(cli.client, run_id, artifact_path) if recursive else cli.client.list_artifacts(run_id, artifact_path)
    if as_json:
        cli.print_json(found)
        return
    columns = [Column("size", "size"), Column("path", whole=True)]
    cli.print_table(columns, [[f.file_size, f.path + "/" * f.is_dir] for f in found])


@artifacts.command()
@click.option("-r", "--run-id", "word", metavar="RUN", help="Id, start of the id, or name of the run.")
@click.option("-a", "--artifact-path", default="", metavar="PATH", help="A file or directory; all when not given.")
@click.option("-u", "--artifact-uri", metavar="URI", help="Instead of a run: any artifact URI, such as runs:/ID/model.")
@click.option("-d", "--dst-path", type=click.Path(), help="Directory to put it into; a temporary one when not given.")
@pass_cli
def download(cli: Cli, word: str | None, artifact_path: str, artifact_uri: str | None, dst_path: str | None) -> None:
    """Download a file or directory and print its local path."""
    if (word is None) == (artifact_uri is None):
        raise click.UsageError("give either --run-id or --artifact-uri")
    if artifact_uri is not None:
        click.echo(str(fetch(cli.session, join(artifact_uri, artifact_path), dst_path)))
        return
    run_id = find.run(cli.client, str(word)).info.run_id
    if artifact_path.strip("/") == "" and not cli.client.list_artifacts(run_id):
        raise ArtifactNotFoundError(f"run {word!r} has no artifacts")
    click.echo(cli.client.download_artifacts(run_id, artifact_path, dst_path))


@artifacts.command()
@click.option("-l", "--local-file", required=True, type=click.Path(exists=True), help="The file to store.")
@_RUN
@click.option("-a", "--artifact-path", metavar="PATH", help="The directory to put it into; the root when not given.")
@pass_cli
def log_artifact(cli: Cli, local_file: str, word: str, artifact_path: str | None) -> None:
    """Store a local file with a run."""
    run = find.run(cli.client, word)
    cli.client.log_artifact(run.info.run_id, local_file, artifact_path)
    note(f"stored {local_file} with run {run.info.run_name!r}")


@artifacts.command()
@click.option(
    "-l",
    "--local-dir",
    required=True,
    type=click.Path(exists=True, file_okay=False),
    help="The directory whose content to store.",
)
@_RUN
@click.option("-a", "--artifact-path", metavar="PATH", help="The directory to put it into; the root when not given.")
@pass_cli
def log_artifacts(cli: Cli, local_dir: str, word: str, artifact_path: str | None) -> None:
    """Store the content of a local directory with a run; it appears whole or not at all."""
    run = find.run(cli.client, word)
    cli.client.log_artifacts(run.info.run_id, local_dir, artifact_path)
    note(f"stored the content of {local_dir} with run {run.info.run_name!r}")


def _walk(client: Client, run_id: str, path: str) -> Iterator[FileInfo]:
    for info in client.list_artifacts(run_id, path):
        if info.is_dir:
            yield from _walk(client, run_id, info.path)
        else:
            yield info
