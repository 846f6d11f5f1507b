"""Numbers, infinities and patterns, as every store has to take them."""

from __future__ import annotations

import math
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.wire.filter_values import clamped, like, param_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1.0), ("01", 1.0), ("+1", 1.0), ("-1", -1.0), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("1E-3", 0.001)],
)
def test_a_param_that_is_a_number_has_its_value(text: str, number: float) -> None:
    assert param_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "-1e400",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "0x10",
        "\u0661",
        "1,5",
        ".",
        "e1",
        "--1",
    ],
)
def test_any_other_param_is_no_number(text: str) -> None:
    assert param_number(text) is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_that_python_prints_is_a_number(value: float) -> None:
    assert param_number(repr(value)) == value


def test_a_long_param_is_read_in_no_time() -> None:
    started = time.process_time()

    found = param_number("1" * 6000), param_number("1" * 6000 + "x")

    assert found == (None, None)
    assert time.process_time() - started < 0.1


def test_infinities_become_the_largest_floats_and_all_else_stays() -> None:
    assert clamped(math.inf) == sys.float_info.max
    assert clamped(-math.inf) == -sys.float_info.max
    assert clamped(sys.float_info.max) == sys.float_info.max
    assert clamped(-0.5) == -0.5
    assert math.isnan(clamped(math.nan))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("tree", "tree"),
        ("tree", "t%"),
        ("tree", "%e"),
        ("tree", "%"),
        ("tree", "%%"),
        ("tree", "____"),
        ("tree", "t%r%e"),
        ("", ""),
        ("", "%"),
        ("a\nb", "a_b"),
        ("a\nb\n", "a%"),
        ("a.b", "a.b"),
        ("a\\%", "a\\%"),
        ("😀", "_"),
        ("abab", "%ab"),
        ("aXab", "a%ab"),
    ],
)
def test_patterns_that_fit(text: str, pattern: str) -> None:
    assert like(text, pattern)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("tree", "Tree"),
        ("tree", "tre"),
        ("tree", "tree\n"),
        ("tree\n", "tree"),
        ("tree", "___"),
        ("axb", "a.b"),
        ("", "_"),
        ("ab", "ab%ab"),
    ],
)
def test_patterns_that_do_not_fit(text: str, pattern: str) -> None:
    assert not like(text, pattern)


@pytest.mark.parametrize(
    ("text", "pattern"), [("Tree", "tREE"), ("ÉTÉ", "été"), ("STRASSE", "%ss_"), ("Привет", "ПРИ%")]
)
def test_the_case_is_ignored_in_every_script(text: str, pattern: str) -> None:
    assert like(text, pattern, ignore_case=True)
    assert not like(text, pattern)


@given(st.text("ab\n.", max_size=8), st.text("ab%_.", max_size=7))
def test_patterns_mean_what_the_definition_says(text: str, pattern: str) -> None:
    assert like(text, pattern) == by_definition(text, pattern)


def by_definition(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(by_definition(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and by_definition(text[1:], pattern[1:])


def test_a_hostile_pattern_costs_no_more_than_a_walk_over_the_text() -> None:
    text = "a" * 5000
    started = time.process_time()

    found = like(text, "%a" * 40 + "%b"), like(text, "%a_" * 40 + "b%")

    assert found == (False, False)
    assert time.process_time() - started < 0.5
