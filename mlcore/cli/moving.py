"""`mlcore export` and `mlcore import`: copy a store into another one, or take another one in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.terminal import cut, note, visible

if TYPE_CHECKING:
    from mlcore.moving import Choice, Report, Step

F = TypeVar("F", bound=Callable[..., object])
FAILED = 1
_EVERY_S = 0.1
_SHOWN = 3


def _options(function: F) -> F:
    """Add what both commands have."""
    for option in (
        json_option,
        click.option("--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Runs copied at once."),
        click.option("--dry-run", is_flag=True, help="Compare and tell what would be written; write nothing."),
        click.option(
            "--registry-uri", metavar="URI", help="Where the other store's registered models are, if elsewhere."
        ),
        click.option("--models/--no-models", default=True, show_default=True, help="Registered models too."),
        click.option("--no-artifacts", is_flag=True, help="Leave files where they are."),
        click.option("-r", "--run-id", "run_ids", multiple=True, metavar="ID", help="Only this run; may be repeated."),
        click.option(
            "-x",
            "--experiment",
            "experiments",
            multiple=True,
            metavar="NAME",
            help="Only this one, by name or id; repeatable.",
        ),
    ):
        function = option(function)
    return function


@click.command()
@click.option("--to", "uri", required=True, metavar="URI", help="The store to copy into; made when it is not there.")
@_options
@pass_cli
def export(cli: Cli, /, uri: str, **given: object) -> None:
    """Copy experiments, runs, artifacts and registered models into another store.

    Run it again to go on after an interruption, or to bring along what is new: what is there already is not written.
    """
    _copy(cli, uri, given, outward=True)


@click.command("import")
@click.option("--from", "uri", required=True, metavar="URI", help="The store to copy from; it is only read.")
@_options
@pass_cli
def import_(cli: Cli, /, uri: str, **given: object) -> None:
    """Copy experiments, runs, artifacts and registered models of another store into this one.

    Run it again to go on after an interruption, or to bring along what is new: what is there already is not written.
    """
    _copy(cli, uri, given, outward=False)


def _copy(cli: Cli, uri: str, given: dict[str, object], *, outward: bool) -> None:
    from mlcore.moving import copy_store

    as_json, registry_uri = given["as_json"], given["registry_uri"]
    other = (uri, registry_uri if isinstance(registry_uri, str) else None)
    own_registry = cli.session.registry_uri if cli.session.registry_uri != cli.session.tracking_uri else None
    own = (cli.session.tracking_uri, own_registry)
    (source, source_registry), (target, target_registry) = (own, other) if outward else (other, own)
    shown = _Shown()
    try:
        report = copy_store(
            source,
            target,
            choice=_choice(given),
            source_registry_uri=source_registry,
            target_registry_uri=target_registry,
            session=cli.session,
            progress=shown.tell,
        )
    finally:
        shown.done()
    if as_json:
        cli.print_json([report])
    else:
        for line in lines(report):
            click.echo(visible(line))
    if report.failures:
        click.get_current_context().exit(FAILED)


def _choice(given: dict[str, object]) -> Choice:
    from mlcore.moving import Choice
    from mlcore.wire.plain import structure

    fields = {name: given[name] for name in ("experiments", "run_ids", "models", "dry_run", "jobs")}
    return structure({**fields, "artifacts": not given["no_artifacts"]}, Choice)


def lines(report: Report) -> list[str]:
    """Tell what became of a copy, for people."""
    counts = report.counts
    would = "would be " if report.dry_run else ""
    found = [
        f"{counts.experiments} experiments and {counts.runs} runs {would}copied, "
        f"{counts.runs_changed} runs {would}completed, {counts.runs_unchanged} unchanged",
        f"{counts.points} metric points, {counts.values} params and tags, {counts.datasets} datasets, "
        f"{counts.artifact_files} files ({_size(counts.artifact_bytes)})",
        f"{counts.models} registered models with {counts.versions} versions, {counts.logged_models} logged models",
    ]
    if not counts.writes:
        found.append("nothing was missing, nothing was written")
    found += [
        f"other id: {each.kind} {each.name!r} is {each.target_id}, was {each.source_id}" for each in report.renumbered
    ]
    if report.running:
        found.append(f"still running, copied as they stood: {len(report.running)} ({_some(report.running)})")
    found += [f"not kept: {each.what}: {each.count} ({_some(each.examples)})" for each in report.shortfalls]
    found += [f"failed, run it again: {each.what}: {each.why}" for each in report.failures]
    return found


def _some(examples: tuple[str, ...]) -> str:
    return "; ".join(examples[:_SHOWN]) + ("; ..." if len(examples) > _SHOWN else "")


def _size(size_bytes: int) -> str:
    from mlcore.artifacts.progress import shown_size

    return shown_size(size_bytes)


class _Shown:
    """Progress on standard error: one line that is drawn over in a terminal, a line per experiment elsewhere."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._is_tty = sys.stderr is not None and sys.stderr.isatty()  # none under pythonw
        self._doing = ""
        self._next = 0.0
        self._drawn = False

    def tell(self, step: Step) -> None:
        """Hear how far it is."""
        if not self._is_tty:
            if step.doing != self._doing:
                self._doing = step.doing
                note(f"experiment {visible(step.doing)!r}")
            return
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY_S
            self._draw(step)

    def _draw(self, step: Step) -> None:
        import shutil

        part = f"{step.runs} of {step.total}" if step.total is not None else str(step.runs)
        filled = int(20 * step.runs / step.total) if step.total else 0
        bar = f"[{'#' * filled}{'.' * (20 - filled)}] " if step.total else ""
        text = f"{bar}{part} runs, {step.points} points, {_size(step.artifact_bytes)}  {visible(step.doing)}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r" + cut(text, width).ljust(width))
        self._stream.flush()
        self._drawn = True

    def done(self) -> None:
        """Leave the line."""
        if self._drawn:
            self._stream.write("\n")
            self._stream.flush()
