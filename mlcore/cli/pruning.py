"""What commands that remove unused things have in common: for how long unused, and the question before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from mlcore.cli import values
from mlcore.cli.context import Cli
from mlcore.cli.tables import Column, table
from mlcore.cli.terminal import note

_USUAL = "30d"


def unused_s(older_than: str | None, *, everything: bool) -> float:
    """Return for how many seconds a thing must be unused. Raises click.UsageError: both were given."""
    from mlcore.projects.environment_care import seconds_of

    if everything and older_than is not None:
        raise click.UsageError("give either --all or --older-than")
    return 0.0 if everything else seconds_of(older_than or _USUAL)


def ask(cli: Cli, columns: Sequence[Column], rows: Iterable[list[object]], question: tuple[int, str, int]) -> None:
    """Show what would be removed and ask. question: how many, of what, in bytes. Raises click.Abort: no."""
    for line in table(columns, rows, cli.terminal):
        note(line)
    count, what, size_bytes = question
    click.confirm(f"remove {count} {what} with {values.size(size_bytes)}?", abort=True, err=True)
