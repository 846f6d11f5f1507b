"""`mlcore doctor`: is everything that mlcore stands on in order?"""

from __future__ import annotations

import datetime as dt
import functools
import io
import os
import platform
import shutil
import sys
import tempfile
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
from mlcore.errors import ArtifactNotFoundError, MlcoreError
from mlcore.plugin_check import check
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.uris import absolute, local_path, redacted, scheme

_LOW_DISK_BYTES = 1_000_000_000
_NO_DISK_BYTES = 50_000_000
_MAX_SKEW_S = 5.0
_MADE_MS = 1_767_225_600_000  # 2026-01-01: no run of this version was made before
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
    """Check settings, plugins, store, spool, artifacts and disk; exit with 1 when something is broken.

    Imports every enabled plugin in an interpreter of its own, reads the store and writes one small file below the artifact root, which it
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
    yield from _settings(settings)
    yield from _plugins(cli.plugins)
    yield from _store(cli, settings)
    yield from _journals(settings)
    yield from _spool(settings)
    yield from _artifact_root(cli, settings)
    place = _local_place(settings)
    yield _disk(place)
    yield _clock(place)


def _libraries() -> Iterator[Finding]:
    for name in _LIBRARIES:
        try:
            yield Finding("version", name, "ok", metadata.version(name))
        except metadata.PackageNotFoundError:
            continue  # an optional one; the kernel's own would have failed at import


def _settings(settings: Settings) -> Iterator[Finding]:
    """Each setting that is not the default with its origin; passwords in URIs are masked."""
    for each in settings.explain():
        if each.origin.place != "default":
            yield Finding("settings", each.name, "ok", f"{each.value} from {each.origin}")
    defaults = [each.name for each in settings.explain() if each.origin.place == "default"]
    yield Finding("settings", "defaults", "ok", ", ".join(defaults))


def _plugins(plugins: Plugins) -> Iterator[Finding]:
    """What `mlcore plugins check` says: each is imported in an interpreter of its own."""
    for checked in check(plugins, plugins.installed()):
        entry = checked.entry
        subject = f"{entry.hook}:{entry.key}" if entry.hook else entry.key
        if not checked.enabled:
            yield Finding("plugin", subject, "ok", f"{entry.dist} {entry.version}, switched off by the settings")
            continue
        said = "; ".join(f"{fault.problem}. To do: {fault.fix}" for fault in checked.faults)
        yield Finding("plugin", subject, checked.status, f"{entry.dist} {entry.version}{': ' * bool(said)}{said}")


def _clock(place: Path, *, at_ms: int | None = None) -> Finding:
    """Compare this machine's clock with the one of the disk, and with the day this version was made."""
    now_ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    shown = dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC).isoformat(timespec="seconds")
    if now_ms < _MADE_MS:
        return Finding("clock", "UTC", "failed", f"{shown} is before mlcore {__version__} was made: set the clock")
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            skew_s = abs(now_ms / 1000 - os.fstat(file.fileno()).st_mtime)
    except OSError:
        return Finding("clock", "UTC", "ok", shown)  # a place that cannot be written is told elsewhere
    if skew_s > _MAX_SKEW_S:
        text = f"{shown}, which is {skew_s:.0f} s off the clock of {place}: times of runs will be out of order"
        return Finding("clock", "UTC", "warning", text)
    return Finding("clock", "UTC", "ok", shown)


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
        where = experiment.artifact_location
        yield _timed("artifacts", redacted(where), functools.partial(_write_probe, cli, where))


def _not_created_yet(settings: Settings) -> Path | None:
    if scheme(settings.tracking_uri) != "sqlite":
        return None
    path = Path(settings.tracking_uri.partition("///")[2].partition("?")[0])
    return None if str(path) in (".", ":memory:") or path.exists() else path.absolute()


def _journals(settings: Settings) -> Iterator[Finding]:
    """The journals of a store that is a directory: the store reads what is sound, here is told what is not."""
    if scheme(settings.tracking_uri) == "file":
        from mlcore.cli.doctor_journals import examine

        found = examine(local_path(absolute(settings.tracking_uri)))
        if found is not None:
            yield Finding("journals", redacted(settings.tracking_uri), *found)


def _spool(settings: Settings) -> Iterator[Finding]:
    from mlcore.cli.doctor_spool import examine

    for subject, status, detail in examine(settings):
        yield Finding("spool", redacted(subject), status, detail)


def _timed(check: str, subject: str, work: Callable[[], None]) -> Finding:
    start = time.perf_counter()
    try:
        work()
    except (MlcoreError, OSError) as err:
        return Finding(check, subject, "failed", err.message if isinstance(err, MlcoreError) else str(err))
    return Finding(check, subject, "ok", f"wrote and removed a file in {(time.perf_counter() - start) * 1000:.0f} ms")


def _write_probe(cli: Cli, where: str) -> None:
    repo = cli.session.repo(where)
    name = f".mlcore-doctor-{uuid.uuid4().hex}"
    try:
        repo.write(name, io.BytesIO(b"probe"), 5)
        with repo.read(name) as file:
            if file.read() != b"probe":
                raise ArtifactNotFoundError(f"what was written to {redacted(where)!r} reads back differently")
    finally:
        if repo.stat(name) is not None:
            repo.delete(name)


def _artifact_root(cli: Cli, settings: Settings) -> Iterator[Finding]:
    """The root of new experiments, when it is set: the store's answer tells nothing of it."""
    root = settings.artifact_root
    if root and not _is_missing_folder(root):
        yield _timed("artifact root", redacted(root), lambda: _write_probe(cli, absolute(root)))


def _is_missing_folder(uri: str) -> bool:
    # a check must not leave a new folder behind; whether it can be made is told with the first artifact
    return scheme(uri) == "file" and not local_path(absolute(uri)).exists()


def _local_place(settings: Settings) -> Path:
    """The folder of artifacts or store, or the nearest one above that exists; else the working directory."""
    place = Path.cwd()
    for uri in (settings.artifact_root, settings.tracking_uri):
        if uri and scheme(uri) == "file":
            place = local_path(absolute(uri))
            break
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return place


def _disk(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    status = "failed" if free < _NO_DISK_BYTES else "warning" if free < _LOW_DISK_BYTES else "ok"
    return Finding("disk", str(place), status, f"{values.size(free)} free")
