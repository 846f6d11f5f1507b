"""`mlcore runs compare`: params and metrics of several runs side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import click
from attrs import frozen

from mlcore.cli import find, values
from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.tables import Column, table
from mlcore.entities import Run


@frozen
class Row:
    """One key over all runs; None where a run does not have it.

    kind: `info`, `metric` or `param`.
    """

    kind: str
    key: str
    values: tuple[object, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not agree."""
        return len({repr(value) for value in self.values}) > 1


@click.command()
@find.runs_argument
@click.option("-d", "--differing", is_flag=True, help="Only what differs.")
@json_option
@pass_cli
def compare(cli: Cli, words: tuple[str, ...], differing: bool, as_json: bool) -> None:
    """Compare runs side by side: a row for each metric and param, a column for each run.

    In a terminal, what all runs have in common is dim.
    """
    if len(words) < 2:
        raise click.UsageError("give at least two runs to compare")
    runs = [find.run(cli.client, word) for word in words]
    rows = [row for row in _rows(runs) if row.differs or not differing]
    ids = [run.info.run_id for run in runs]
    if as_json:
        cli.print_json(
            {"kind": row.kind, "key": row.key, "values": dict(zip(ids, row.values, strict=True))} for row in rows
        )
        return
    names = [run.info.run_name for run in runs]
    columns = [Column("kind", whole=True), Column("key"), *map(_column, ids, names)]
    for line in table(columns, [_shown(cli, row) for row in rows], cli.terminal, is_faint=_agree):
        cli.terminal.echo(line)


def _column(run_id: str, name: str) -> Column:
    return Column(run_id, "aligned", name)


def _agree(shown: Sequence[object]) -> bool:
    return len(set(shown[2:])) == 1


def _shown(cli: Cli, row: Row) -> list[object]:
    if not cli.terminal.is_tty:
        return [row.kind, row.key, *row.values]
    return [row.kind, row.key, *(values.number(v) if isinstance(v, float) else v for v in row.values)]


def _rows(runs: Sequence[Run]) -> Iterator[Row]:
    yield Row("info", "status", tuple(str(run.state) for run in runs))
    parts: tuple[tuple[str, Callable[[Run], Mapping[str, object]]], ...] = (
        ("metric", lambda run: run.data.metrics),
        ("param", lambda run: run.data.params),
    )
    for kind, part in parts:
        for key in sorted({key for run in runs for key in part(run)}):
            yield Row(kind, key, tuple(part(run).get(key) for run in runs))
