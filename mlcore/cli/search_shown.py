"""A search as it goes: a table that is drawn again in a terminal, a line for each run in a pipe, or JSON."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import click

from mlcore.cli.context import Cli
from mlcore.cli.search_rows import columns_of, finally_, present, row_of, summary
from mlcore.cli.tables import Column, table
from mlcore.cli.terminal import Terminal, cut, note, visible
from mlcore.cli.values import number
from mlcore.entities import RunStatus
from mlcore.projects.search.options import Searched, SearchOptions
from mlcore.projects.search.space import Space
from mlcore.projects.search.trials import Trial
from mlcore.tracking.names import now_ms
from mlcore.wire.plain import dumps

_DRAWN_EVERY_S = 0.15
_OTHER_LINES = 4  # of the screen, that are not rows of the table
_NO_WRAP, _WRAP, _UP, _CLEAR = "\x1b[?7l", "\x1b[?7h", "\x1b[{}F", "\x1b[J"


class Watcher(Protocol):
    """Who shows a search."""

    def began(self, parent_run_id: str, space: Space) -> None:
        """Hear that there is a parent run."""
        ...

    def changed(self, trial: Trial) -> None:
        """Hear of a change of a run."""
        ...

    def ended(self, found: Searched) -> None:
        """Hear what came of it."""
        ...

    def close(self) -> None:
        """Leave the terminal in order, also after an interruption."""
        ...


@contextmanager
def shown(cli: Cli, options: SearchOptions, *, as_json: bool) -> Iterator[Watcher]:
    """Show a search inside the block."""
    watcher: Watcher
    if as_json:
        watcher = JsonLines(options)
    elif cli.terminal.is_tty and os.environ.get("TERM") != "dumb":
        watcher = LiveTable(cli, options)
    else:
        watcher = Lines(options, cli.terminal)
    try:
        yield watcher
    finally:
        watcher.close()


class JsonLines:
    """An object for each run that has ended, and a last one for the search."""

    def __init__(self, options: SearchOptions) -> None:
        """Write nothing yet."""
        self._options = options

    def began(self, parent_run_id: str, space: Space) -> None:
        """Hear that there is a parent run."""

    def changed(self, trial: Trial) -> None:
        """Write a run that has ended."""
        if trial.has_ended:
            click.echo(dumps(self._record(trial)))

    def ended(self, found: Searched) -> None:
        """Write what came of it."""
        best = self._record(found.best) if found.best else None
        click.echo(
            dumps(
                {
                    "type": "search",
                    "run_id": found.parent_run_id,
                    "status": found.status.value,
                    "runs": len(found.trials),
                    "metric": self._options.metric or None,
                    "goal": self._options.goal,
                    "best": best,
                }
            )
        )

    def close(self) -> None:
        """Do nothing: every line is whole."""

    def _record(self, trial: Trial) -> dict[str, object]:
        return {
            "type": "run",
            "number": trial.number,
            "run_id": trial.run_id or None,
            "status": trial.status.value,
            "params": dict(trial.point),
            "value": trial.value,
            "duration_ms": trial.ended_ms - trial.started_ms if trial.ended_ms is not None else None,
            "message": trial.message,
        }


class Lines:
    """A line of tab-separated values for each run that has ended."""

    def __init__(self, options: SearchOptions, terminal: Terminal) -> None:
        """Write nothing yet."""
        self._options = options
        self._terminal = Terminal(color=terminal.color)
        self._columns: Sequence[Column] = ()

    def began(self, parent_run_id: str, space: Space) -> None:
        """Write the header."""
        note(f"search {parent_run_id}: {', '.join(map(visible, space.domains))}")
        self._columns = columns_of(space, self._options)
        self._write(next(iter(table(self._columns, (), self._terminal))))

    def changed(self, trial: Trial) -> None:
        """Write a run that has ended."""
        if trial.has_ended:
            row = row_of(trial, self._columns)
            self._write(list(table(self._columns, [row], self._terminal))[1])

    def ended(self, found: Searched) -> None:
        """Tell about the best."""
        _tell_best(found, self._options)

    def close(self) -> None:
        """Do nothing: every line is whole."""

    def _write(self, line: str) -> None:
        self._terminal.echo(line)
        sys.stdout.flush()  # whoever reads the pipe waits for it


class LiveTable:
    """A table that is drawn again while runs begin and end, and once in full at the end."""

    def __init__(self, cli: Cli, options: SearchOptions) -> None:
        """Draw nothing before there is a run."""
        self._cli = cli
        self._options = options
        self._trials: dict[int, Trial] = {}
        self._columns: Sequence[Column] = ()
        self._lines = 0
        self._drawn = ""
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._drawer = threading.Thread(target=self._draw_on, name="mlcore-search-table", daemon=True)

    def began(self, parent_run_id: str, space: Space) -> None:
        """Begin to draw."""
        self._columns = columns_of(space, self._options)
        note(f"search {parent_run_id}")
        self._drawer.start()

    def changed(self, trial: Trial) -> None:
        """Remember it for the next drawing."""
        with self._lock:
            self._trials[trial.number] = trial

    def ended(self, found: Searched) -> None:
        """Draw all of it once and for all, and tell about the best."""
        self.close()
        _tell_best(found, self._options)

    def close(self) -> None:
        """Draw the last table, if that was not done."""
        if self._closed.is_set():
            return
        self._closed.set()
        if self._drawer.is_alive():
            self._drawer.join()
        if self._columns:
            self._draw(whole=True)

    def _draw_on(self) -> None:
        while not self._closed.wait(_DRAWN_EVERY_S):
            self._draw(whole=False)

    def _draw(self, *, whole: bool) -> None:
        with self._lock:
            trials = [self._trials[n] for n in sorted(self._trials)]
        terminal = Terminal.of(sys.stdout, no_color=self._cli.no_color)  # it may have been resized
        room = max(1, shutil.get_terminal_size((80, 24)).lines - _OTHER_LINES)
        rows = finally_(trials, self._options) if whole else present(trials, self._options, room)
        now = now_ms()
        lines = [*table(self._columns, [row_of(trial, self._columns, now) for trial in rows], terminal)]
        lines.append(terminal.style(cut(summary(trials, len(rows), self._options), terminal.width), dim=True))
        text = "".join(f"{line}\n" for line in lines)
        if text == self._drawn:  # nothing has changed, as while the parent run is ended
            return
        back = _UP.format(self._lines) if self._lines else ""
        self._lines, self._drawn = len(lines), text
        sys.stdout.write(f"{_NO_WRAP}{back}{_CLEAR}{text}{_WRAP}")
        sys.stdout.flush()


def _tell_best(found: Searched, options: SearchOptions) -> None:
    failed = [trial for trial in found.trials if trial.status is RunStatus.FAILED]
    if failed:
        note(f"{len(failed)} of {len(found.trials)} runs failed; the first, run {failed[0].run_id or failed[0].number}: "
             f"{visible(failed[0].message)}")  # fmt: skip
    best = found.best
    if best is not None:
        point = " ".join(f"{visible(name)}={visible(value)}" for name, value in best.point.items())
        note(f"best run {best.run_id}: {visible(options.metric)} {number(best.value)} with {point}")
    elif options.metric:
        without = next((t.message for t in found.trials if t.status is RunStatus.FINISHED and t.message), "")
        note(f"no best run: none has a value of {options.metric!r}{': ' if without else ''}{visible(without)}")
    else:
        note("name a --metric, and --goal min or max, to be told the best run")
