"""The commands of `mlcore models` about what was before: `history` and `rollback`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import click
from attrs import frozen

from mlcore.cli import values
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore.entities import Move, MoveKind
from mlcore.registry.rollback import Standing, alias_before, last_entered, stage_before, standing_at
from mlcore.tracking.client import Client
from mlcore.wire.stages import canonical_stage

_ACTIVE = ("Staging", "Production")


@click.command()
@click.argument("name")
@click.option("--alias", help="Only moves of this alias.")
@click.option("--version", help="Only moves of this version, and of aliases to it.")
@click.option(
    "--at", "moment", metavar="TIME", help="Instead: what the model was then. ISO 8601, local without a zone."
)
@click.option("-l", "--limit", type=click.IntRange(1), help="At most so many moves; all without.")
@json_option
@pass_cli
def history(
    cli: Cli,
    name: str,
    *,
    alias: str | None,
    version: str | None,
    moment: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show what has moved in the registered model NAME, the last first: who did it, when, and why."""
    if moment is not None:
        at = time_ms(moment)
        _print_standing(cli, standing_at(list(_moves(cli.client, name)), at), (alias, version), as_json=as_json)
        return
    found = [move for move in _moves(cli.client, name) if _fits(move, alias, version)][:limit]
    if as_json:
        cli.print_json(_plain(move) for move in found)
        return
    columns = [
        Column("number", "number"),
        Column("at", "time", title="when"),
        Column("user"),
        Column("kind", title="what", whole=True),
        Column("subject"),
        Column("before", title="from"),
        Column("after", title="to"),
        Column("comment"),
    ]
    rows = [(m.number, m.at, m.user, str(m.kind), m.subject, m.before, m.after, m.comment) for m in found]
    cli.print_table(columns, rows)
    if not rows:
        note("no such moves")


@frozen
class _Plan:
    """What a rollback does: of *kind*, *subject* (a version or an alias) goes from *before* to *after*."""

    name: str
    kind: MoveKind
    subject: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.kind is MoveKind.STAGE:
            return f"{self.name}: version {self.subject} goes from {self.before} to {self.after}"
        before = f"version {self.before}" if self.before else "nowhere"
        return f"{self.name}: alias {self.subject} goes from {before} to version {self.after}"


@click.command()
@click.argument("name")
@click.option("--alias", help="Point this alias to the version where it pointed before.")
@click.option("--stage", help="Bring back the version that was in this stage before: Staging or Production.")
@click.option("-c", "--comment", default="", help="Why, for the history.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@pass_cli
def rollback(
    cli: Cli, name: str, *, alias: str | None, stage: str | None, comment: str, dry_run: bool, as_json: bool
) -> None:
    """Take back the last move of an alias or a stage of the registered model NAME; once more takes back the one before.

    Says what it does. Versions that were deleted are passed over.
    """
    if (alias is None) == (stage is None):
        raise click.UsageError("say what: --alias NAME or --stage STAGE")
    client = cli.client
    plan = _of_alias(client, name, alias) if alias is not None else _of_stage(client, name, str(stage))
    if as_json:
        cli.print_json([{**_moved(plan), "done": not dry_run}])
    note(f"{'would do' if dry_run else 'doing'}: {plan}")
    if dry_run:
        return
    said = comment or "rollback"
    if plan.kind is MoveKind.ALIAS:
        client.set_registered_model_alias(name, plan.subject, plan.after, comment=said, expected=plan.before)
    else:
        client.transition_model_version_stage(
            name, plan.subject, plan.after, plan.after in _ACTIVE, comment=said, expected=plan.before
        )


def time_ms(text: str) -> int:
    """Return a time in ms since the epoch. Raises UsageError: neither that nor ISO 8601."""
    if text.isascii() and text.isdigit() and len(text) > 8:
        return int(text)
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as err:
        raise click.UsageError(
            f"invalid time {text!r}: expected such as 2026-03-01T12:00 or 2026-03-01T12:00Z"
        ) from err


def _moves(client: Client, name: str) -> Iterator[Move]:
    token: str | None = None
    while True:
        page = client.get_model_history(name, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _fits(move: Move, alias: str | None, version: str | None) -> bool:
    if alias is not None and (move.kind is not MoveKind.ALIAS or move.subject != alias):
        return False
    if version is None:
        return True
    if move.kind is MoveKind.ALIAS:
        return version in (move.before, move.after)
    return move.kind is not MoveKind.MODEL and move.subject == version


def _of_alias(client: Client, name: str, alias: str) -> _Plan:
    now = client.get_registered_model(name).aliases.get(alias, "")
    moves = _own(_moves(client, name))
    versions = standing_at(moves, moves[0].at).stages if moves else {}
    return _Plan(name, MoveKind.ALIAS, alias, now, alias_before(moves, alias, now=now, versions=versions))


def _of_stage(client: Client, name: str, stage: str) -> _Plan:
    wanted = canonical_stage(stage)
    if wanted not in _ACTIVE:
        raise click.UsageError(f"invalid stage {stage!r}: expected Staging or Production")
    client.get_registered_model(name)
    moves = _own(_moves(client, name))
    stages = standing_at(moves, moves[0].at).stages if moves else {}
    now = [version for version, found in stages.items() if found == wanted]
    back = stage_before(moves, wanted, now=now, versions=stages)
    last = last_entered(moves, wanted, now)
    if back is None and last is not None:  # two are there: the one that came last goes
        return _Plan(name, MoveKind.STAGE, last.subject, wanted, "Archived")
    return _Plan(name, MoveKind.STAGE, str(back), stages[str(back)], wanted)


def _own(moves: Iterable[Move]) -> list[Move]:
    """Return the moves of the present model of a name, not those of a deleted one that had it before."""
    found = []
    for move in moves:
        found.append(move)
        if move.kind is MoveKind.MODEL and not move.before:
            break
    return found


def _print_standing(cli: Cli, found: Standing, only: tuple[str | None, str | None], *, as_json: bool) -> None:
    alias, version = only
    rows: list[dict[str, object]] = []
    for number, stage in found.stages.items():
        aliases = [name for name, pointed in found.aliases.items() if pointed == number]
        if version not in (None, number) or (alias is not None and alias not in aliases):
            continue
        rows.append({"version": number, "stage": stage, "aliases": aliases})
    if as_json:
        cli.print_json(rows)
        return
    columns = [Column("version", "number"), Column("stage"), Column("aliases")]
    cli.print_table(columns, [(r["version"], r["stage"], ", ".join(map(str, _texts(r["aliases"])))) for r in rows])
    if not rows:
        note("nothing was there then")


def _texts(found: object) -> list[object]:
    return list(found) if isinstance(found, list) else []


def _plain(move: Move) -> dict[str, object]:
    return {
        "number": move.number,
        "at": values.iso(move.at),
        "name": move.name,
        "user": move.user,
        "kind": str(move.kind),
        "subject": move.subject,
        "before": move.before,
        "after": move.after,
        "comment": move.comment,
    }


def _moved(plan: _Plan) -> dict[str, object]:
    return {"kind": str(plan.kind), "subject": plan.subject, "before": plan.before, "after": plan.after}
