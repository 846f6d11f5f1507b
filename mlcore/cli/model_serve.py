"""`mlcore models serve`: models behind HTTP."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click
from attrs import frozen

from mlcore.cli.context import Cli
from mlcore.cli.model_options import env_option, resolved, trust_option
from mlcore.cli.terminal import note
from mlcore.serving.starting import starting

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from mlcore.serving.batching import Batching
    from mlcore.serving.loading import Wanted
    from mlcore.serving.work import Limits

_LOOPBACK = ("127.", "::1", "localhost")


@frozen
class _Plan:
    wanted: Sequence[Wanted]
    limits: Limits
    batching: Batching | None
    reload_every_s: float
    workers: int
    debug: bool


@click.command()
@click.option(
    "-m",
    "--model-uri",
    "model_uris",
    required=True,
    multiple=True,
    metavar="[NAME=]URI",
    help="A path, runs:/RUN/PATH, models:/NAME@ALIAS, or any artifact URI; several for several models.",
)
@click.option("-h", "--host", metavar="HOST", help="Address to listen on; the setting host, 127.0.0.1, by default.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), help="Port, 0 for any free one; the setting port, 5000.")
@click.option(
    "-w", "--workers", type=click.IntRange(0), default=1, show_default=True, help="Processes; 0: one for each core."
)
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
@click.option(
    "--batch-rows",
    type=click.IntRange(0),
    default=0,
    help="Put waiting requests together, up to so many rows; 0: never.",
)
@click.option(
    "--batch-wait-ms",
    type=click.FloatRange(0),
    default=0,
    help="How long the first request of a batch waits for others.",
)
@click.option(
    "--reload-every",
    type=click.FloatRange(0),
    default=0,
    metavar="SECONDS",
    help="Look so often what aliases and stages mean, and take over what moved; 0: never.",
)
@click.option(
    "--drain",
    type=click.FloatRange(0),
    default=0,
    metavar="SECONDS",
    help="Answer on for so long after SIGTERM, while /ready says 503.",
)
@click.option("--debug-errors", is_flag=True, help="Answer failed predictions with the traceback.")
@trust_option
@env_option
@click.pass_context
def serve(
    ctx: click.Context,
    model_uris: tuple[str, ...],
    host: str | None,
    port: int | None,
    workers: int,
    timeout: float,
    threads: int | None,
    max_body_mb: int,
    batch_rows: int,
    batch_wait_ms: float,
    reload_every: float,
    drain: float,
    debug_errors: bool,
    trust: bool,
    env_manager: str,  # noqa: ARG001  # there is one choice
) -> None:
    """Serve models over HTTP until SIGTERM or Ctrl-C; see docs/serving.md for the requests.

    Prints `ready: URL` on standard output when it answers.
    """
    with starting():
        from mlcore.serving.batching import Batching
        from mlcore.serving.server import Address, Stopping, require_server, run_server
        from mlcore.serving.work import Limits

        require_server()
        cli: Cli = ctx.find_object(Cli) or Cli()
        workers = workers or _cores()
        limits = Limits(max_body_mb << 20, timeout, threads or Limits().threads)
        batching = Batching(batch_rows, batch_wait_ms / 1000) if batch_rows else None
        address = Address(host or cli.settings.host, cli.settings.port if port is None else port)
        if not address.host.startswith(_LOOPBACK):
            note(f"whoever reaches {address.host} can use the model: the server has no authentication of its own")
        wanted = _wanted(cli, model_uris, trust=trust)
        make_app = _loader(cli, _Plan(wanted, limits, batching, reload_every, workers, debug_errors))
    stopping = Stopping(drain, timeout)  # what the timeout allows is allowed to the end
    ctx.exit(run_server(make_app, address, workers=workers, announce=_announce, stopping=stopping))


def _wanted(cli: Cli, uris: Sequence[str], *, trust: bool) -> list[Wanted]:
    from mlcore.models.trust import is_trusted
    from mlcore.serving.loading import wanted

    found = [wanted(given, several=len(uris) > 1) for given in uris]
    places = cli.settings.trust_models
    return [one.at(resolved(cli, one.uri), trust=trust or is_trusted(one.uri, places)) for one in found]


def _loader(cli: Cli, plan: _Plan) -> Callable[[], Starlette]:
    """Return what loads the models and makes the application; of several processes each calls it after the fork."""
    from mlcore.serving.app import models_app
    from mlcore.serving.loading import load, pinned, watched
    from mlcore.serving.metrics import Metrics
    from mlcore.serving.reloading import watching

    metrics = Metrics([one.name for one in plan.wanted], plan.workers)
    # looked up and fetched once, so that all processes begin with the same files
    found = [pinned(one, fetched=plan.workers > 1) for one in plan.wanted]
    if plan.workers > 1:
        cli.session.close()  # no connection may cross a fork

    def make() -> Starlette:
        with starting():
            models = [load(one, plan.batching) for one in found]
        moving = [watched(served, one, plan.batching) for served, one in zip(models, found, strict=True) if one.moves]
        background = watching(moving, plan.reload_every_s) if moving and plan.reload_every_s else None
        return models_app(models, plan.limits, debug=plan.debug, metrics=metrics, background=background)

    return make


def _announce(url: str) -> None:
    click.echo(f"ready: {url}")
    if sys.stderr.isatty():
        body = shlex.quote('{"inputs": ...}')
        note(
            f"try: curl -s {url}/invocations -H 'Content-Type: application/json' -d {body}\n"
            f"or open {url}/docs\nstop with Ctrl-C"
        )


def _cores() -> int:
    """How many cores this process may use, which in a container are fewer than the machine has."""
    allowed = getattr(os, "sched_getaffinity", None)  # of Linux
    return len(allowed(0)) if allowed else os.cpu_count() or 1
