"""The table of a search in a real terminal: drawn over itself, cut to the screen, whole at the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from mlcore.cli.context import Cli
from mlcore.cli.search_rows import columns_of, finally_, present, row_of, short, summary
from mlcore.cli.search_shown import LiveTable
from mlcore.entities import RunStatus
from mlcore.interfaces.sampler import Choices, Reals
from mlcore.projects.search.options import SearchOptions
from mlcore.projects.search.space import Space
from mlcore.projects.search.trials import Trial

SCRIPT = 'sleep 0.$((RANDOM % 4)); [ "$1" != 3 ]\n'


def _in_terminal(arguments: list[str], columns: int, lines: int) -> tuple[str, int]:
    """Run mlcore in a terminal of its own; return all that it wrote there, and its exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    environ = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    command = [sys.executable, "-m", "mlcore.cli", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**environ, "TERM": "xterm"}, start_new_session=True
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    return said.decode(), process.wait(60)


def _screen(said: str) -> list[str]:
    """Return the lines that are left when everything was drawn, on a screen of any height."""
    lines = [""]
    row = 0
    for text, code, argument in re.findall(r"([^\x1b]+)|\x1b\[(?:\?7[lh]|[\d;]*m|(\d*)([FJ]))", said):
        if argument == "F":
            row -= int(code)
        elif argument == "J":
            del lines[row + 1 :]
            lines[row] = ""
        for n, part in enumerate(text.replace("\r", "").split("\n") if text else ()):
            row += n > 0
            lines += [""] * (row + 1 - len(lines))
            lines[row] += part
    return lines


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (46, 10)])
def test_the_table_is_drawn_over_itself_and_whole_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int
) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", f"sqlite:///{tmp_path}/store.db")
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "toy.sh").write_text(SCRIPT)

    (tmp_path / "toy" / "MLproject").write_text(
        "name: toy\nentry_points:\n  main:\n    parameters: {n: float}\n    command: bash toy.sh {n}\n"
    )
    said, code = _in_terminal(["run", str(tmp_path / "toy"), "-P", "n=range(12)", "--jobs", "3"], columns, rows)

    lines = _screen(said)
    assert code == 0, said
    table = [line for line in lines if re.match(r" *\d+  [0-9a-f]{8}", line)]
    assert sorted(int(line.split()[0]) for line in table) == list(range(12))
    assert "FAILED" in table[-1]
    assert said.count("\x1b[J") > 2
    assert max(map(len, table)) <= columns
    assert any(line.startswith("12 runs, 11 finished, 1 failed") for line in lines)
    drawn = re.findall(r"\x1b\[(\d+)F", said)
    assert max(map(int, drawn)) < rows, "what has scrolled away cannot be drawn over"


def _trial(number: int, status: str = "FINISHED", value: float | None = None) -> Trial:
    ended = None if status == "RUNNING" else 2000
    return Trial(number, {"lr": "0.1"}, f"run{number}", RunStatus(status), value, 1000, ended)


def test_with_little_room_those_that_go_on_the_best_and_the_latest_are_shown() -> None:
    trials = [
        _trial(0, value=3.0),
        _trial(1, value=1.0),
        _trial(2, value=2.0),
        _trial(3, value=5.0),
        _trial(4, "RUNNING"),
    ]

    shown = present(trials, SearchOptions(metric="loss"), 3)

    assert [trial.number for trial in shown] == [1, 3, 4]


def test_at_the_end_the_best_is_first_and_the_failed_last() -> None:
    trials = [_trial(0, value=3.0), _trial(1, "FAILED"), _trial(2, value=1.0), _trial(3), _trial(4, value=9.0)]

    assert [t.number for t in finally_(trials, SearchOptions(metric="loss"))] == [2, 0, 4, 3, 1]
    assert [t.number for t in finally_(trials, SearchOptions(metric="loss", goal="max"))] == [4, 0, 2, 3, 1]
    assert [t.number for t in finally_(trials, SearchOptions())] == [0, 2, 3, 4, 1]


def test_the_last_line_counts() -> None:
    trials = [_trial(0, value=3.25), _trial(1, "FAILED"), _trial(2, "RUNNING")]

    said = summary(trials, 2, SearchOptions(metric="loss"))

    assert said == "3 runs, 1 going on, 1 finished, 1 failed, best loss 3.25 of run run0, 1 not shown"


def test_a_pipe_gets_exact_values_and_a_person_short_ones() -> None:
    space = Space({"lr": Reals(0, 1), "k": Choices(("a", "b"))})
    columns = columns_of(space, SearchOptions())
    trial = Trial(0, {"lr": "0.0031622776601683794", "k": "a"}, "r", RunStatus.RUNNING, None, 1000)

    assert row_of(trial, columns) == [0, "r", "RUNNING", "0.0031622776601683794", "a", None, ""]
    assert row_of(trial, columns, 3500) == [0, "r", "RUNNING", "0.00316228", "a", 2500, ""]
    assert short("some.text.with.dots") == "some.text.with.dots"


def test_a_table_that_has_not_changed_is_not_drawn_again(capsys: pytest.CaptureFixture[str]) -> None:
    shown = LiveTable(Cli(tracking_uri=None, debug=False, no_color=True), SearchOptions())
    shown.began("r", Space({"lr": Choices(("0.1",))}))
    shown.changed(_trial(0))
    said, until = "", time.monotonic() + 60
    while "FINISHED" not in said and time.monotonic() < until:
        said += capsys.readouterr().out
        time.sleep(0.01)

    shown.close()

    assert (said + capsys.readouterr().out).count("FINISHED") == 1
