"""`mlcore models`: show a model, predict with it, serve it, register it and say which version is used."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.model_options import env_option, model_option, resolved, trust_option
from mlcore.cli.model_proof import prove, scan, sign, verify
from mlcore.cli.model_registry import download, list_models, promote, register, versions
from mlcore.cli.model_serve import serve
from mlcore.cli.model_show import describe, print_model
from mlcore.cli.terminal import note


@click.group(cls=AliasGroup)
def models() -> None:
    """Show models, predict with them, serve them, register them and say which version is used.

    A model is named by a path, by runs:/RUN/PATH, where RUN may be a run's name or `latest`, by models:/NAME/VERSION,
    models:/NAME@ALIAS, models:/NAME/STAGE or models:/NAME/latest, or by any artifact URI.
    """


@models.command()
@click.argument("model_uri", metavar="[URI]", required=False)
@click.option("-m", "--model-uri", "option", metavar="URI", help="The same as the argument URI.")
@json_option
@pass_cli
def show(cli: Cli, model_uri: str | None, option: str | None, as_json: bool) -> None:
    """Show what a model says of itself: flavors, signature, requirements.

    Reads its description only; neither the model nor its library is loaded.
    """
    if (model_uri is None) == (option is None):
        raise click.UsageError("give the URI of one model")
    description = describe(resolved(cli, str(model_uri or option)))
    if as_json:
        cli.print_json([description.to_dict()])
    else:
        print_model(cli, description)


@models.command()
@model_option
@click.option("-i", "--input-path", type=click.Path(dir_okay=False), help="File to read instead of standard input.")
@click.option("-o", "--output-path", type=click.Path(dir_okay=False), help="File to write instead of standard output.")
@click.option("-t", "--content-type", type=click.Choice(["json", "csv"]), help="By the file's name; else json.")
@trust_option
@env_option
@pass_cli
def predict(
    cli: Cli,
    model_uri: str,
    input_path: str | None,
    output_path: str | None,
    content_type: str | None,
    trust: bool,
    env_manager: str,  # noqa: ARG001  # there is one choice
) -> None:
    """Predict for a file, as the server would for a request; print {"predictions": ...} as strict JSON.

    JSON has one of the keys dataframe_split, dataframe_records, instances and inputs; CSV has a header line.
    """
    from mlcore.models.pyfunc import load_model
    from mlcore.serving import payload, strict_json
    from mlcore.serving.scorer import ModelScorer

    kind = content_type or ("csv" if str(input_path).lower().endswith(".csv") else "json")
    body = sys.stdin.buffer.read() if input_path is None else Path(input_path).read_bytes()
    request = payload.read(kind, body)
    model = load_model(resolved(cli, model_uri), trust=trust)
    answer = strict_json.dumps({"predictions": ModelScorer(model).score(request)}).decode()
    if output_path is None:
        click.echo(answer)
    else:
        Path(output_path).write_text(answer + "\n", "utf-8")
        note(f"wrote {output_path}")


models.add_command(serve)
for command in (register, promote, download, list_models, versions, scan, verify, sign, prove):
    models.add_command(command)
