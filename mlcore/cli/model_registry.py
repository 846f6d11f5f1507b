"""The commands of `mlcore models` about registered models."""

from __future__ import annotations

from collections.abc import Iterable

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.model_options import resolved
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.entities import ModelVersion


@click.command()
@click.argument("model_uri", metavar="URI")
@click.argument("name")
@click.option("-t", "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the version; may be repeated.")
@click.option("--alias", help="Point this alias to the new version, too.")
@json_option
@pass_cli
def register(cli: Cli, model_uri: str, name: str, tags: tuple[str, ...], alias: str | None, as_json: bool) -> None:
    """Make the model at URI a new version of the registered model NAME, which is created if it is not there."""
    from mlcore.tracking.fluent_registry import register_model

    pairs = [tag.partition("=") for tag in tags]
    unclear = [tag for tag, (key, equals, _) in zip(tags, pairs, strict=True) if not (key and equals)]
    if unclear:
        raise click.UsageError(f"invalid tag {unclear[0]!r}: expected KEY=VALUE")
    uri = resolved(cli, model_uri)
    version = register_model(uri, name, tags={key: value for key, _, value in pairs})
    if alias:
        cli.client.set_registered_model_alias(name, alias, version.version)
    print_versions(cli, [cli.client.get_model_version(name, version.version)], as_json=as_json)


@click.command()
@click.argument("model_uri", metavar="URI")
@click.argument("directory", type=click.Path(file_okay=False))
@pass_cli
def download(cli: Cli, model_uri: str, directory: str) -> None:
    """Bring the files of the model at URI into DIRECTORY, check them against its manifest, and print where they are."""
    from pathlib import Path

    from mlcore.models.manifest import verify_manifest
    from mlcore.tracking.artifact_api import download_artifacts

    path = download_artifacts(resolved(cli, model_uri), dst_path=directory)
    verify_manifest(Path(path))
    click.echo(path)


@click.command("list")
@click.option("-f", "--filter", "filter_string", default="", help="Such as: name LIKE 'wine%' and tags.team = 'a'.")
@json_option
@pass_cli
def list_models(cli: Cli, filter_string: str, as_json: bool) -> None:
    """List registered models with their newest version, stages and aliases."""
    from mlcore.tracking.fluent_registry import search_registered_models

    _ = cli.client
    found = search_registered_models(filter_string=filter_string)
    rows: list[dict[str, object]] = []
    for model in found:
        newest = max((int(version.version) for version in model.latest_versions), default=0)
        rows.append(
            {
                "name": model.name,
                "newest": newest or None,
                "stages": {v.current_stage: v.version for v in model.latest_versions if v.current_stage != "None"},
                "aliases": dict(model.aliases),
                "description": model.description,
            }
        )
    if as_json:
        cli.print_json(rows)
        return
    columns = [Column(name) for name in ("name", "newest", "stages", "aliases", "description")]
    cli.print_table(
        columns,
        [(r["name"], r["newest"], _pairs(r["stages"]), _pairs(r["aliases"]), r["description"]) for r in rows],
    )
    if not rows:
        note("no registered models; make one: mlcore models register runs:/RUN/model NAME")


@click.command()
@click.argument("name")
@json_option
@pass_cli
def versions(cli: Cli, name: str, as_json: bool) -> None:
    """List the versions of the registered model NAME, the newest first."""
    client = cli.client
    client.get_registered_model(name)
    from mlcore.entities import Comparison, Field
    from mlcore.tracking.fluent_registry import search_model_versions
    from mlcore.wire.filter_text import filter_to_text

    of_model = filter_to_text(Comparison(Field("attribute", "name"), "=", name))
    found = search_model_versions(filter_string=of_model)
    print_versions(cli, sorted(found, key=lambda version: -int(version.version)), as_json=as_json)


def print_versions(cli: Cli, found: Iterable[ModelVersion], *, as_json: bool) -> None:
    """Write a line for each version."""
    if as_json:
        cli.print_json(
            {
                "name": version.name,
                "version": version.version,
                "stage": version.current_stage,
                "aliases": list(version.aliases),
                "run_id": version.run_id,
                "source": version.source,
                "description": version.description,
                "tags": dict(version.tags),
                "creation_timestamp": version.creation_timestamp,
            }
            for version in found
        )
        return
    columns = [
        Column("name"),
        Column("version", "number"),
        Column("stage"),
        Column("aliases"),
        Column("created", "time"),
        Column("run_id", "id"),
        Column("source"),
    ]
    cli.print_table(
        columns,
        [
            (v.name, v.version, v.current_stage, ", ".join(v.aliases), v.creation_timestamp, v.run_id, v.source)
            for v in found
        ],
    )


def _pairs(found: object) -> str:
    return ", ".join(f"{key}={value}" for key, value in found.items()) if isinstance(found, dict) else ""
