"""`mlcore models build-image`: an image that serves a model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from mlcore.cli.context import Cli, pass_cli
from mlcore.cli.model_options import resolved, trust_option
from mlcore.cli.terminal import note


@click.command("build-image")
@click.argument("model_uri", metavar="URI")
@click.option("-n", "--tag", "--name", "tag", help="Name of the image, such as wine:1; needed to build it.")
@click.option(
    "--context", type=click.Path(file_okay=False), help="New directory for Dockerfile, model and requirements."
)
@click.option("--no-build", is_flag=True, help="Write the directory of --context, and build nothing.")
@click.option("--base", metavar="IMAGE", help="Image with python and pip; by default Python's slim one.")
@click.option(
    "--wheels", type=click.Path(file_okay=False, exists=True), help="Directory of wheels to install from, too."
)
@click.option("--engine", type=click.Choice(["docker", "podman"]), default="docker", show_default=True)
@click.option("--build-arg", "arguments", multiple=True, metavar="ARG", help="Further argument of the engine's build.")
@trust_option
@pass_cli
def build_image(
    cli: Cli,
    model_uri: str,
    tag: str | None,
    context: str | None,
    no_build: bool,
    base: str | None,
    wheels: str | None,
    engine: str,
    arguments: tuple[str, ...],
    trust: bool,
) -> None:
    """Build an image that serves the model at URI on port 8080, or write what it is built from.

    The image answers the same requests as `mlcore models serve`, and /ping, as SageMaker asks.
    """
    from mlcore.serving.image import ImageOptions, build, write_context

    if no_build and context is None:
        raise click.UsageError("say where to write: --context DIRECTORY")
    if not no_build and tag is None:
        raise click.UsageError("name the image: --tag NAME; or write its context only: --no-build --context DIRECTORY")
    options = ImageOptions(base=base, wheels=wheels, trust=trust)
    with tempfile.TemporaryDirectory(prefix="mlcore-image-") as folder:
        dockerfile = write_context(resolved(cli, model_uri), context or Path(folder) / "context", options)
        if no_build or tag is None:
            click.echo(str(dockerfile))
            return
        build(dockerfile.parent, tag, engine=engine, arguments=arguments)
    note(f"run it: {engine} run --rm -p 8080:8080 {tag}")
    click.echo(tag)
