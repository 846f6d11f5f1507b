"""`mlcore sync`: deliver what waits in the spool."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import asdict, evolve

from mlcore.cli import values
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
    if watch:
        note(f"watching {_root(cli, folder)}; Ctrl-C ends")
    told: set[str] = set()
    while True:
        done = [each for spool in spools for each in _sync(cli, spool, uri)]
        lines = _json_lines(done) if as_json else _lines(done)
        for line in lines:
            if line not in told:  # a watcher says once that a store is away
                cli.terminal.echo(line)
        if not watch:
            break
        told = set(lines)
        time.sleep(_PAUSE_S)
        spools = _spools(cli, uri, folder)
    if any(each.waiting_bytes for each in done):
        raise click.exceptions.Exit(1)


def _spools(cli: Cli, uri: str | None, folder: Path | None) -> list[Spool]:
    from mlcore.delivery import spools, store_key
    from mlcore.uris import anchored

    root = _root(cli, folder)
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


def _root(cli: Cli, folder: Path | None) -> Path:
    from mlcore.delivery import spool_root

    return spool_root(str(folder) if folder else cli.settings.spool_dir)


def _sync(cli: Cli, spool: Spool, uri: str | None) -> list[Synced]:
    from mlcore.delivery import Policy, store_key
    from mlcore.delivery.spool import without_credentials
    from mlcore.delivery.sync import sync as deliver
    from mlcore.uris import anchored

    place = uri or cli.tracking_uri or spool.uri
    policy = Policy(patience_s=cli.settings.patience_s)
    is_other = store_key(anchored(place)) != spool.path.name
    done = deliver(
        spool,
        lambda: cli.session.store(place),
        policy,
        lambda where: cli.session.repo(where, place),
        is_other=is_other,
    )
    return [evolve(each, store=without_credentials(anchored(place))) for each in done] if is_other else done


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
        *(Column("run_id", "id"), Column("store")),
        *(Column("journal_bytes", "size", "records"), Column("artifact_bytes", "size", "files")),
        *(Column("refused", "number"), Column("damaged", "number"), Column("live"), Column("pending")),
    ]
    rows = [
        (
            w.run_id,
            w.store,
            w.journal_bytes,
            w.artifact_bytes,
            w.refused,
            w.damaged,
            _yes(w.is_live),
            _yes(w.is_pending),
        )
        for w in found
    ]
    cli.print_table(columns, rows)
    for each in found:
        if each.refused:
            note(
                f"run {each.run_id}: the store refused {_count(each.refused)}, the last one was {each.refusal}; they are kept in "
                f"{each.folder / 'refused.jsonl'}: remove that file when you have seen to it"
            )
        if each.damaged:
            note(
                f"run {each.run_id}: what is sound of {each.folder}/*.damaged is delivered; remove it when you need it no more"
            )


def _count(records: int) -> str:
    return f"{records} record{'s' * (records != 1)}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _json_lines(done: Iterable[Synced]) -> list[str]:
    from mlcore.wire.plain import dumps

    return [
        dumps(
            {
                **asdict(each, filter=lambda a, _: a.name != "error"),
                "error": each.error.message if each.error is not None else None,
            }
        )
        for each in done
        if each.delivered_bytes or each.waiting_bytes or each.refused
    ]


def _lines(done: Iterable[Synced]) -> list[str]:
    """Tell what came of the delivery, for people: a line for each run, and one for all that wait for the same reason."""
    found: list[str] = []
    waiting: dict[tuple[str, str], list[Synced]] = {}
    for each in done:
        if each.waiting_bytes:
            why = (
                each.error.message
                if each.error is not None
                else "another process delivers it, or a run that comes first waits, too"
            )
            waiting.setdefault((each.store, why), []).append(each)
        if each.delivered_bytes or each.refused:
            text = f"run {each.run_id}: {values.size(each.delivered_bytes)} delivered to {each.store}"
            found.append(
                text + (f", {_count(each.refused)} refused (see: mlcore sync --status)" if each.refused else "")
            )
    for (store, why), left in waiting.items():
        runs = f"run {left[0].run_id}" if len(left) == 1 else f"{len(left)} runs"
        found.append(f"{runs}: {values.size(sum(each.waiting_bytes for each in left))} wait for {store}: {why}")
    return found
