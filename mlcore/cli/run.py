"""`mlcore run`: run a project and record it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlcore.cli import run_search
from mlcore.cli.context import Cli, json_option
from mlcore.cli.terminal import note
from mlcore.errors import MlcoreError

if TYPE_CHECKING:
    from mlcore.cli.run_shown import Shown
    from mlcore.projects.request import RunRequest


def _pairs(_: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{text!r} has no name and value: expected NAME=VALUE", param=parameter)
        if name in found:
            raise click.BadParameter(f"{name!r} is given twice", param=parameter)
        found[name] = value
    return found


def _flags(_: click.Context, __: click.Parameter, given: Sequence[str]) -> dict[str, str | bool]:
    pairs = (text.partition("=") for text in given)
    return {name: value if equals else True for name, equals, value in pairs}


@click.command(short_help="Run a project and record it.")
@click.argument("uri", required=False)
@click.option(
    "-e",
    "--entry-point",
    metavar="NAME",
    default="main",
    show_default=True,
    help="What to run: an entry point, or a script of the project.",
)
@click.option("-v", "--version", metavar="VERSION", help="Branch, tag or commit of a Git repository.")
@click.option(
    "-P",
    "--param-list",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_pairs,
    help="A parameter; may be repeated.",
)
@click.option(
    "-A",
    "--docker-args",
    metavar="NAME[=VALUE]",
    multiple=True,
    callback=_flags,
    help="An option of `docker run`, without dashes; may be repeated.",
)
@click.option("--experiment-name", metavar="NAME", help="Experiment of the run; made when it is not there.")
@click.option("--experiment-id", metavar="ID", help="Experiment of the run.")
@click.option("-b", "--backend", metavar="NAME", default="local", show_default=True, help="Where to run.")
@click.option("-c", "--backend-config", metavar="FILE|JSON", help="Configuration of the backend.")
@click.option(
    "--env-manager", metavar="NAME", help="What makes the environment: uv, virtualenv, conda, docker or local."
)
@click.option("--storage-dir", type=click.Path(file_okay=False, path_type=Path), help="Where inputs are downloaded to.")
@click.option("--run-id", metavar="ID", help="Record into this run instead of a new one.")
@click.option("--run-name", metavar="NAME", help="Name of the run; invented when not given.")
@click.option("--build-image", is_flag=True, help="Build an image with the project in it first.")
@click.option("--block/--no-block", default=True, help="Wait for the end, or leave the run to a process of its own.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Stop the command after so long."
)
@click.option(
    "--reuse/--no-reuse",
    default=None,
    help="Whether a finished run of the same may stand for this one; for steps of a project it may.",
)
@click.option(
    "--reproduce", metavar="RUN_ID", help="Run a recorded run again: same commit, changes, parameters and lock."
)
@run_search.search_options
@json_option
@click.pass_obj
def run(cli: Cli, /, block: bool, as_json: bool, reproduce: str | None, **given: object) -> None:
    """Run a project and record it.

    URI is a directory, a Git repository (https, ssh, github:owner/repo), a zip archive or an artifact;
    `#subdirectory` names a part of it. The output of the command goes to standard output, what is said about it to
    standard error.
    """
    from mlcore.cli.run_shown import Shown
    from mlcore.projects.running import config_of

    options = run_search.taken(given)
    if options is not None and (reproduce or not block):
        word = "--reproduce" if reproduce else "--no-block"
        raise click.UsageError(f"a search is attended by this process and has many runs: leave {word} out")
    given["timeout_s"] = given.pop("timeout")
    given["backend_config"] = config_of(given["backend_config"])  # type: ignore[arg-type]  # click's text
    request = _again(cli, reproduce, given) if reproduce else _request(given)
    if options is not None:
        code = run_search.search(cli, request, options, as_json=as_json)
    else:
        shown = Shown(cli, as_json=as_json)
        code = _run(cli, request, shown) if block else _leave(cli, request, shown)
    click.get_current_context().exit(code)


def _request(given: Mapping[str, object]) -> RunRequest:
    from mlcore.projects.request import RunRequest

    if given["uri"] is None:
        raise click.UsageError("missing argument 'URI': a directory, such as '.', or a Git repository")
    return RunRequest(**given)  # type: ignore[arg-type]  # the options have the fields' names and types


def _again(cli: Cli, run_id: str, given: Mapping[str, object]) -> RunRequest:
    """Return the request of a recorded run, changed by what was given on the command line."""
    from mlcore.projects.reproducing import reproduction

    context = click.get_current_context()
    names = {"timeout_s": "timeout"}
    said = {
        name: value
        for name, value in given.items()
        if context.get_parameter_source(names.get(name, name)) is click.core.ParameterSource.COMMANDLINE
    }
    found = reproduction(run_id, cli.session, said)
    for line in found.notes:
        note(f"note: {line}")
    return found.request


def _run(cli: Cli, request: RunRequest, shown: Shown) -> int:
    from mlcore.entities import RunStatus
    from mlcore.projects.attending import attend
    from mlcore.projects.outcome import Outcome
    from mlcore.projects.preparing import prepare
    from mlcore.projects.stopping import Stopped, heard

    session = cli.session
    with heard() as stop:
        plan = prepare(request, session, stop)
        shown.begin(plan, session)
        if plan.reused:
            return shown.end(plan, Outcome(RunStatus.FINISHED))
        try:
            outcome = attend(plan, session, shown.output, stop)
        except MlcoreError:
            shown.end(plan, Outcome(RunStatus.FAILED))  # why is told where all errors are
            raise
        except Stopped:
            shown.end(plan, Outcome(RunStatus.KILLED, f"stopped by {stop.signal_name}", signal=stop.signal_name))
            raise
        return shown.end(plan, outcome)


def _leave(cli: Cli, request: RunRequest, shown: Shown) -> int:
    from mlcore.projects.running import run_request

    submitted = run_request(request, cli.session, synchronous=False)
    return shown.left(submitted)
