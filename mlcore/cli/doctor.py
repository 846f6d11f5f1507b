"""`mlcore doctor`: is everything that mlcore stands on in order?"""

from __future__ import annotations

import io
import platform
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import click
from attrs import frozen

from mlcore import __version__
from mlcore.cli import values
from mlcore.cli.context import Cli, json_option
from mlcore.cli.tables import Column
from mlcore.entities import Experiment
from mlcore.errors import ArtifactNotFoundError, MlcoreError
from mlcore.plugin_index import PluginEntry
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.uris import absolute, local_path, redacted, scheme

_LOW_DISK_BYTES = 1_000_000_000
_NO_DISK_BYTES = 50_000_000
_LIBRARIES = (
    "pluggy",
    "attrs",
    "cattrs",
    "click",
    "pyyaml",
    "starlette",
    "cloudpickle",
    "uvicorn",
    "orjson",
    "numpy",
    "pandas",
)


@frozen
class Finding:
    """The outcome of one check.

    status: `ok`, `warning` or `failed`; only the last makes the program exit with 1.
    """

    check: str
    subject: str
    status: str
    detail: str


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check settings, plugins, store, artifacts and disk; exit with 1 when something is broken.

    Imports every enabled plugin, reads the store and writes one small file below the artifact root, which it
    removes again.
    """
    cli: Cli = ctx.find_object(Cli) or Cli()
    found = list(_examine(cli))
    if as_json:
        cli.print_json(found)
    else:
        columns = [Column("check", whole=True), Column("subject"), Column("status", "status"), Column("detail")]
        cli.print_table(columns, [(f.check, f.subject, f.status, f.detail) for f in found])
        _print_details(cli, found)
    if any(f.status == "failed" for f in found):
        ctx.exit(1)


def _print_details(cli: Cli, found: list[Finding]) -> None:
    """Write what is wrong in full, below the table that may have cut it."""
    bad = [f for f in found if f.status != "ok"]
    if not cli.terminal.is_tty:
        return
    cli.terminal.echo()
    for each in bad:
        mark = cli.terminal.style(f"{each.status}:", fg="red" if each.status == "failed" else "yellow", bold=True)
        cli.terminal.echo(f"{mark} {each.check} {each.subject}: {each.detail}")
    if not bad:
        cli.terminal.echo(cli.terminal.style("everything is in order", fg="green"))


def _examine(cli: Cli) -> Iterator[Finding]:
    yield Finding("version", "mlcore", "ok", __version__)
    yield Finding("version", "python", "ok", f"{platform.python_version()} {sys.executable}")
    yield from _libraries()
    try:
        settings = cli.settings
    except MlcoreError as err:
        yield Finding("settings", "", "failed", err.message)
        return
    changed = [f"{e.name} from {e.origin}" for e in settings.explain() if e.origin.place != "default"]
    yield Finding("settings", "", "ok", "; ".join(changed) or "all defaults")
    yield from _plugins(cli.plugins)
    yield from _store(cli, settings)
    yield _disk(settings)


def _libraries() -> Iterator[Finding]:
    for name in _LIBRARIES:
        try:
            yield Finding("version", name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            continue  # an optional one; the kernel's own would have failed at import


def _plugins(plugins: Plugins) -> Iterator[Finding]:
    for entry in plugins.installed():
        subject = f"{entry.hook}:{entry.key}" if entry.hook else entry.key
        if not plugins.is_enabled(entry):
            yield Finding("plugin", subject, "ok", f"{entry.dist} {entry.version}, switched off by the settings")
            continue
        problem = _load_problem(plugins, entry)
        yield Finding("plugin", subject, "failed" if problem else "ok", problem or f"{entry.dist} {entry.version}")


def _load_problem(plugins: Plugins, entry: PluginEntry) -> str | None:
    try:
        # one at a time, so that of two that collide both are told
        Plugins([entry]).load(entry.hook, entry.key)
        plugins.entry(entry.hook, entry.key)
    except MlcoreError as err:
        return err.message
    return None


def _store(cli: Cli, settings: Settings) -> Iterator[Finding]:
    subject = redacted(settings.tracking_uri)
    missing = _not_created_yet(settings)
    if missing is not None:
        # a check must not leave a new database behind
        yield Finding("store", subject, "ok", f"will be created at {missing} when the first run is recorded")
        return
    start = time.perf_counter()
    try:
        newest = cli.client.search_experiments(max_results=1)
    except MlcoreError as err:
        yield Finding("store", subject, "failed", err.message)
        return
    yield Finding("store", subject, "ok", f"answered in {(time.perf_counter() - start) * 1000:.0f} ms")
    for experiment in newest:
        yield _timed("artifacts", redacted(experiment.artifact_location), lambda e=experiment: _write_probe(cli, e))  # type: ignore[misc]  # bound now


def _not_created_yet(settings: Settings) -> Path | None:
    if scheme(settings.tracking_uri) != "sqlite":
        return None
    path = Path(settings.tracking_uri.partition("///")[2].partition("?")[0])
    return None if str(path) in (".", ":memory:") or path.exists() else path.absolute()


def _timed(check: str, subject: str, work: Callable[[], None]) -> Finding:
    start = time.perf_counter()
    try:
        work()
    except (MlcoreError, OSError) as err:
        return Finding(check, subject, "failed", err.message if isinstance(err, MlcoreError) else str(err))
    return Finding(check, subject, "ok", f"wrote and removed a file in {(time.perf_counter() - start) * 1000:.0f} ms")


def _write_probe(cli: Cli, experiment: Experiment) -> None:
    repo = cli.session.repo(experiment.artifact_location)
    name = f".mlcore-doctor-{uuid.uuid4().hex}"
    try:
        repo.write(name, io.BytesIO(b"probe"), 5)
        with repo.read(name) as file:
            if file.read() != b"probe":
                raise ArtifactNotFoundError(
                    f"what was written to {experiment.artifact_location!r} reads back differently"
                )
    finally:
        if repo.stat(name) is not None:
            repo.delete(name)


def _disk(settings: Settings) -> Finding:
    place = Path.cwd()
    for uri in (settings.artifact_root, settings.tracking_uri):
        if uri and scheme(uri) == "file":
            place = local_path(absolute(uri))
            break
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    status = "failed" if free < _NO_DISK_BYTES else "warning" if free < _LOW_DISK_BYTES else "ok"
    return Finding("disk", str(place), status, f"{values.size(free)} free")
