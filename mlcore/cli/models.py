"""`mlcore models`: show a model, predict with it, serve it, register it and say which version is used."""

from __future__ import annotations

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import TableGroup

_REGISTRY, _REQUESTS, _PROOF = "mlcore.cli.model_registry", "mlcore.cli.model_requests", "mlcore.cli.model_proof"


class Commands(TableGroup):
    """Each command is imported when it is used: a server has to start at once."""

    aliases = {"build-docker": "build-image"}
    table = {
        "approve": (f"{_REQUESTS}:approve", "Approve a request."),
        "build-image": ("mlcore.cli.model_image:build_image", "Build an image that serves a model."),
        "cancel": (f"{_REQUESTS}:cancel", "Take back a request."),
        "download": (f"{_REGISTRY}:download", "Bring the files of a model into a directory."),
        "history": ("mlcore.cli.model_history:history", "Show what has moved in a registered model."),
        "list": (f"{_REGISTRY}:list_models", "List registered models."),
        "predict": ("mlcore.cli.model_predict:predict", "Predict for a file."),
        "promote": ("mlcore.cli.model_moves:promote", "Say what a version is used for."),
        "prove": (f"{_PROOF}:prove", "Load a model with its requirements alone."),
        "register": (f"{_REGISTRY}:register", "Make a model a version of a registered one."),
        "reject": (f"{_REQUESTS}:reject", "Reject a request."),
        "requests": (f"{_REQUESTS}:requests", "List the requests to move a version."),
        "rollback": ("mlcore.cli.model_history:rollback", "Take back the last move."),
        "scan": (f"{_PROOF}:scan", "List what loading a model would run."),
        "serve": ("mlcore.cli.model_serve:serve", "Serve models over HTTP."),
        "sign": (f"{_PROOF}:sign", "Sign the files of a model."),
        "verify": (f"{_PROOF}:verify", "Compare the files of a model with what was written."),
        "versions": (f"{_REGISTRY}:versions", "List the versions of a registered model."),
    }


@click.group(cls=Commands)
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
    from mlcore.cli.model_options import resolved
    from mlcore.cli.model_show import describe, print_model

    description = describe(resolved(cli, str(model_uri or option)))
    if as_json:
        cli.print_json([description.to_dict()])
    else:
        print_model(cli, description)
