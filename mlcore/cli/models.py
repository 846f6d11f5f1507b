"""`mlcore models`: show a model, predict with it, serve it, register it and say which version is used."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import alias_group
from mlcore.cli.model_history import history, rollback
from mlcore.cli.model_image import build_image
from mlcore.cli.model_moves import promote
from mlcore.cli.model_options import resolved
from mlcore.cli.model_predict import predict
from mlcore.cli.model_proof import prove, scan, sign, verify
from mlcore.cli.model_registry import download, list_models, register, versions
from mlcore.cli.model_requests import approve, cancel, reject, requests
from mlcore.cli.model_serve import serve
from mlcore.cli.model_show import describe, print_model


@click.group(cls=alias_group(**{"build-docker": "build-image"}))
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


models.add_command(serve)
_OF_REGISTRY = (register, promote, rollback, history, requests, approve, reject, cancel, list_models, versions)
for command in (*_OF_REGISTRY, predict, build_image, download, scan, verify, sign, prove):
    models.add_command(command)
