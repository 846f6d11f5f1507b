"""Progress: a bar for people who wait, silence for everybody else."""

import io
import sys

import pytest

from mlcore.artifacts.progress import Bar, Silent, auto, shown_size


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn_by(*, quiet_s: float) -> str:
    terminal = Terminal()
    bar = Bar("uploading", terminal, quiet_s=quiet_s)
    bar.start(2000, 3)
    bar.advance(500)
    bar.advance(1500)
    bar.done()
    return terminal.getvalue()


def test_long_work_is_shown_with_share_size_and_files() -> None:
    line = drawn_by(quiet_s=0.0).rpartition("\r")[2]

    assert line.startswith("uploading 3 files [########################] 100%  2 kB of 2 kB")
    assert line.endswith("\n")


def test_quick_work_shows_nothing() -> None:
    assert drawn_by(quiet_s=0.5) == ""


def test_the_setting_silences_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_PROGRESS", "false")

    assert drawn_by(quiet_s=0.0) == ""


def test_a_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    assert {len(line) for line in drawn_by(quiet_s=0.0).strip("\r\n").split("\r")} <= {18, 19}


def test_an_unknown_total_counts_bytes() -> None:
    bar = Bar("downloading", Terminal())
    bar.start(None, 1)
    bar.advance(1_500_000)

    assert bar.line(2.0) == "downloading 1 file  1.5 MB  750 kB/s"


def test_nothing_to_send_is_no_division_by_zero() -> None:
    bar = Bar("uploading", Terminal(), quiet_s=0.0)
    bar.start(0, 1)

    bar.advance(0)

    assert bar.line(0.0).startswith("uploading 1 file  0 B")


def test_a_file_or_pipe_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(auto("uploading", io.StringIO()), Silent)
    assert isinstance(auto("uploading", Terminal()), Bar)
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(auto("uploading"), Silent)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1536, "1.54 kB"),
        (999_999, "1 MB"),
        (5 * 10**12, "5 TB"),
        (2 * 10**15, "2 PB"),
    ],
)
def test_sizes_are_short(size: int, text: str) -> None:
    assert shown_size(size) == text
