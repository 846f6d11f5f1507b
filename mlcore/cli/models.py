"""`mlcore models`: show a model, predict with it, serve it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from mlcore.cli import find
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.groups import AliasGroup
from mlcore.cli.model_show import describe, print_model
from mlcore.cli.terminal import note

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from mlcore.serving.app import Limits

F = TypeVar("F", bound=Callable[..., object])

_RUN_URI = re.compile(r"^runs:/+([^/]+)(.*)$")
_LOOPBACK = ("127.", "::1", "localhost")


def _model_option(function: F) -> F:
    return click.option(
        "-m", "--model-uri", required=True, metavar="URI", help="A path, runs:/RUN/PATH, or any artifact URI."
    )(function)


def _trust_option(function: F) -> F:
    return click.option("--trust", is_flag=True, help="Let the model run code that it brings, such as a pickle.")(
        function
    )


def _env_option(function: F) -> F:
    # scripts written for MLflow give it
    return click.option(
        "--env-manager", type=click.Choice(["local"]), default="local", help="The model runs in this environment."
    )(function)


@click.group(cls=AliasGroup)
def models() -> None:
    """Show models, predict with them and serve them.

    A model is named by a path, by runs:/RUN/PATH, where RUN may be a run's name or `latest`, or by any artifact URI.
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
    description = describe(_resolved(cli, str(model_uri or option)))
    if as_json:
        cli.print_json([description.to_dict()])
    else:
        print_model(cli, description)


@models.command()
@_model_option
@click.option("-i", "--input-path", type=click.Path(dir_okay=False), help="File to read instead of standard input.")
@click.option("-o", "--output-path", type=click.Path(dir_okay=False), help="File to write instead of standard output.")
@click.option("-t", "--content-type", type=click.Choice(["json", "csv"]), help="By the file's name; else json.")
@_trust_option
@_env_option
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
    model = load_model(_resolved(cli, model_uri), trust=trust)
    answer = strict_json.dumps({"predictions": ModelScorer(model).score(request)}).decode()
    if output_path is None:
        click.echo(answer)
    else:
        Path(output_path).write_text(answer + "\n", "utf-8")
        note(f"wrote {output_path}")


@models.command()
@_model_option
@click.option("-h", "--host", metavar="HOST", help="Address to listen on; the setting host, 127.0.0.1, by default.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), help="Port, 0 for any free one; the setting port, 5000.")
@click.option("-w", "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option(
    "-t",
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Seconds for an answer.",
)
@click.option("--threads", type=click.IntRange(1), help="Predictions at a time in a process; cores, at most 4.")
@click.option("--max-body-mb", type=click.IntRange(1), default=64, show_default=True, help="Largest request.")
@click.option("--debug-errors", is_flag=True, help="Answer failed predictions with the traceback.")
@_trust_option
@_env_option
@click.pass_context
def serve(
    ctx: click.Context,
    model_uri: str,
    host: str | None,
    port: int | None,
    workers: int,
    timeout: float,
    threads: int | None,
    max_body_mb: int,
    debug_errors: bool,
    trust: bool,
    env_manager: str,  # noqa: ARG001  # there is one choice
) -> None:
    """Serve a model over HTTP until SIGTERM or Ctrl-C; see docs/serving.md for the requests.

    Prints `ready: URL` on standard output when it answers.
    """
    from mlcore.serving.app import Limits
    from mlcore.serving.server import Address, require_server, run_server

    require_server()
    cli: Cli = ctx.find_object(Cli) or Cli()
    limits = Limits(max_body_mb << 20, timeout, threads or Limits().threads)
    address = Address(host or cli.settings.host, cli.settings.port if port is None else port)
    if not address.host.startswith(_LOOPBACK):
        note(f"whoever reaches {address.host} can use the model: the server has no authentication of its own")
    make_app = _loader(cli, _resolved(cli, model_uri), limits, trust=trust, debug=debug_errors, forks=workers > 1)
    ctx.exit(run_server(make_app, address, workers=workers, announce=_announce))


def _loader(cli: Cli, uri: str, limits: Limits, *, trust: bool, debug: bool, forks: bool) -> Callable[[], Starlette]:
    """Return what loads the model and makes the application; of several processes each calls it after the fork."""
    from mlcore.models.places import fetch
    from mlcore.models.pyfunc import load_model
    from mlcore.models.trust import is_trusted
    from mlcore.serving.app import create_app

    if forks:
        # fetched once; no connection may cross a fork
        trust = trust or is_trusted(uri, cli.settings.trust_models)
        uri = str(fetch(uri).path)
        cli.session.close()
    return lambda: create_app(load_model(uri, trust=trust), limits, debug=debug)


def _announce(url: str) -> None:
    click.echo(f"ready: {url}")
    if sys.stderr.isatty():
        body = shlex.quote('{"inputs": ...}')
        note(f"try: curl -s {url}/invocations -H 'Content-Type: application/json' -d {body}\nstop with Ctrl-C")


def _resolved(cli: Cli, uri: str) -> str:
    """Return *uri* with a run's name, or the start of its id, replaced by the id."""
    client = cli.client  # from here on loading goes through the session of this call
    found = _RUN_URI.match(uri)
    return f"runs:/{find.run(client, found[1]).info.run_id}{found[2]}" if found else uri
