from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.cli import values
from mlcore.cli.tables import Column, fields, fit, table
from mlcore.cli.terminal import Terminal, cells, cut, pad, visible

PIPE = Terminal()
WIDE = Terminal(is_tty=True, width=100)
NARROW = Terminal(is_tty=True, width=30)
COLOR = Terminal(is_tty=True, color=True, width=100)


def test_a_pipe_gets_whole_values_between_tabs() -> None:
    columns = [Column("run_id", "id"), Column("start_time", "time"), Column("metrics.f1", "number"), Column("note")]

    lines = list(table(columns, [["a" * 32, 1_700_000_000_123, 1 / 3, "x" * 300]], PIPE))

    assert lines[0] == "run_id\tstart_time\tmetrics.f1\tnote"
    assert lines[1].split("\t") == ["a" * 32, "2023-11-14T22:13:20.123Z", "0.3333333333333333", "x" * 300]


def test_a_terminal_gets_aligned_columns_with_numbers_at_the_right_edge() -> None:
    columns = [Column("name"), Column("metrics.f1", "number", "f1")]

    lines = list(table(columns, [["linear", 0.5], ["forest", 0.875]], WIDE))

    assert lines == ["name       f1", "linear    0.5", "forest  0.875"]


def test_a_terminal_shows_the_first_eight_characters_of_an_id() -> None:
    lines = list(table([Column("run", "id")], [["0123456789abcdef"]], WIDE))

    assert lines[1] == "01234567"


def test_long_texts_are_cut_to_the_terminal() -> None:
    lines = list(
        table([Column("key", whole=True), Column("about")], [["plugins", "only these plugins and no others"]], NARROW)
    )

    assert lines[1] == "plugins  only these plugins a…"
    assert all(cells(line) <= NARROW.width for line in lines)


def test_columns_that_do_not_fit_are_named_below_the_table() -> None:
    columns = [Column(f"metrics.m{i}", "number", f"metric{i}") for i in range(9)]

    lines = list(table(columns, [[float(i) for i in range(9)]], NARROW))

    assert lines[0] == "metric0  metric1  metric2"
    assert lines[-1].startswith("not shown: metrics.m3")


def test_wide_and_combining_characters_are_measured_in_terminal_cells() -> None:
    assert cells("模型") == 4
    assert cells("e\u0301") == 1
    assert pad("模型", 6) == "模型  "
    assert cut("模型选择", 5) == "模型…"


def test_stored_text_cannot_steer_the_terminal() -> None:
    hostile = "ok\x1b[2J\u202egpj.exe\nnext"

    lines = list(table([Column("name")], [[hostile]], COLOR))

    assert lines[1] == r"ok\x1b[2J\u202egpj.exe\nnext"
    assert visible("naïve 模型") == "naïve 模型"


def test_a_status_has_its_colour_in_a_colour_terminal_only() -> None:
    columns = [Column("status", "status")]

    assert list(table(columns, [["FAILED"]], COLOR))[1] == "\x1b[31mFAILED\x1b[0m"
    assert list(table(columns, [["FAILED"]], WIDE))[1] == "FAILED"


def test_fields_leave_out_what_is_empty() -> None:
    lines = list(fields([("name", "wine", "text"), ("user", "", "text"), ("end_time", None, "time")], WIDE))

    assert lines == ["name  wine"]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(20, 120))
def test_fitted_widths_never_exceed_the_terminal_unless_one_column_does(natural: list[int], width: int) -> None:
    least = [min(n, 8) for n in natural]

    widths = fit(natural, least, width)

    assert sum(widths) + 2 * (len(widths) - 1) <= max(width, least[0])
    assert all(low <= w <= high for low, w, high in zip(least, widths, natural, strict=False))


@given(st.text(max_size=40), st.integers(1, 30))
def test_cut_text_fits(text: str, width: int) -> None:
    assert cells(cut(text, width)) <= width


@pytest.mark.parametrize(
    ("environ", "no_color", "expected"),
    [
        ({}, False, True),
        ({"NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_follow_the_conventions_of_terminals(environ: dict[str, str], no_color: bool, expected: bool) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert Terminal.of(Tty(), no_color=no_color, environ=environ).color is expected
    assert Terminal.of(io.StringIO(), environ={}).color is False


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (0, "just now"),
        (5_000, "5 s ago"),
        (90_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (3 * 86_400_000, "3 days ago"),
    ],
)
def test_times_are_told_by_their_age(age: int, text: str) -> None:
    now = 1_800_000_000_000

    assert values.ago(now - age, now) == text


def test_times_over_a_month_ago_are_dates() -> None:
    assert values.ago(1_700_000_000_000, 1_800_000_000_000).startswith("2023-11-1")


@pytest.mark.parametrize(
    ("ms", "text"), [(45, "45 ms"), (3_210, "3.2 s"), (125_000, "2 min 05 s"), (3_720_000, "1 h 02 min"), (None, "")]
)
def test_durations_are_told_in_two_units(ms: int | None, text: str) -> None:
    assert values.span(ms) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1_400_000, "1.4 MB"), (2 * 10**15, "2000.0 TB")]
)
def test_sizes_are_told_in_the_unit_that_fits(count: int, text: str) -> None:
    assert values.size(count) == text
