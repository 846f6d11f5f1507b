"""`mlcore sync`: deliver what waits in the spool."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict, evolve

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.terminal import note

if TYPE_CHECKING:
    from mlcore.delivery import Spool
    from mlcore.delivery.sync import Synced

_PAUSE_S = 2.0


@click.command()
@click.option("--status", is_flag=True, help="Show what waits, deliver nothing.")
@click.option("--watch", is_flag=True, help="Go on delivering until Ctrl-C.")
@click.option(
    "--tracking-uri", "uri", metavar="URI", help="Only what waits for this store; with credentials, if needed."
)
@click.option(
    "--spool", "folder", type=click.Path(file_okay=False, path_type=Path), help="Another spool than one's own."
)
@json_option
@pass_cli
def sync(cli: Cli, status: bool, watch: bool, uri: str | None, folder: Path | None, as_json: bool) -> None:
    """Deliver what runs recorded while their store was away, offline, or until they were killed.

    Exit code 1 when something could not be delivered; it stays in the spool.
    """
    cli.settings = evolve(cli.settings, offline=False)  # who asks for delivery wants it
    spools = _spools(cli, uri, folder)
    if status:
        _status(cli, spools, as_json)
        return
    while True:
        left = False
        for spool in spools:
            left = _show(cli, _sync(cli, spool, uri), as_json) or left
        if not watch:
            break
        time.sleep(_PAUSE_S)
        spools = _spools(cli, uri, folder)
    if left:
        raise click.exceptions.Exit(1)


def _spools(cli: Cli, uri: str | None, folder: Path | None) -> list[Spool]:
    from mlcore.delivery import spool_root, spools, store_key
    from mlcore.uris import anchored

    root = spool_root(str(folder) if folder else cli.settings.spool_dir)
    chosen = uri or cli.tracking_uri
    found = spools(root)
    if not chosen:
        return found
    of_store = [spool for spool in found if spool.path.name == store_key(anchored(chosen))]
    if of_store or folder is None or not found:
        return of_store
    if len(found) > 1:
        known = ", ".join(spool.uri for spool in found)
        raise click.UsageError(
            f"{str(folder)!r} holds what waits for several stores ({known}): copy one of its folders"
        )
    return found  # recorded for the same store under another address, or for one that others are to replace


def _sync(cli: Cli, spool: Spool, uri: str | None) -> list[Synced]:
    from mlcore.delivery import Policy, store_key
    from mlcore.delivery.sync import sync as deliver
    from mlcore.uris import anchored

    place = uri or cli.tracking_uri or spool.uri
    policy = Policy(patience_s=cli.settings.patience_s)
    is_other = store_key(anchored(place)) != spool.path.name
    return deliver(
        spool,
        lambda: cli.session.store(place),
        policy,
        lambda where: cli.session.repo(where, place),
        is_other=is_other,
    )


def _status(cli: Cli, spools: Iterable[Spool], as_json: bool) -> None:
    from mlcore.cli.tables import Column
    from mlcore.delivery.sync import waiting

    found = [each for spool in spools for each in waiting(spool)]
    if as_json:
        cli.print_json({**asdict(each), "folder": str(each.folder)} for each in found)
        return
    if not found:
        note("nothing waits in the spool")
        return
    columns = [
        *(Column("run_id", whole=True), Column("store")),
        *(Column(name, "number") for name in ("journal_bytes", "artifact_bytes", "refused")),
        *(Column("live"), Column("pending")),
    ]
    rows = [
        (w.run_id, w.store, w.journal_bytes, w.artifact_bytes, w.refused, str(w.is_live), str(w.is_pending))
        for w in found
    ]
    cli.print_table(columns, rows)


def _show(cli: Cli, done: Iterable[Synced], as_json: bool) -> bool:
    """Print what came of the delivery; return whether something waits still."""
    left = False
    for each in done:
        left = left or each.waiting_bytes > 0
        if not (each.delivered_bytes or each.waiting_bytes or each.refused):
            continue
        error = each.error.message if each.error is not None else None
        if as_json:
            cli.print_json([{**asdict(each, filter=lambda a, _: a.name != "error"), "error": error}])
            continue
        text = f"run {each.run_id}: {each.delivered_bytes} bytes delivered to {each.store}"
        text += f", {each.refused} records refused" if each.refused else ""
        text += f", {each.waiting_bytes} bytes wait" if each.waiting_bytes else ""
        cli.terminal.echo(text + (f": {error}" if error else ""))
    return left
