from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mlcore.cli.plot import Curve, Frame, plot, spark
from mlcore.cli.terminal import Terminal, cells

PLAIN = Terminal()
COLOR = Terminal(is_tty=True, color=True, width=60)


def test_a_falling_curve_starts_at_the_top_left_and_ends_at_the_bottom_right() -> None:
    curve = Curve("loss", [0, 1, 2, 3], [3.0, 2.0, 1.0, 0.0])

    lines = list(plot([curve], Frame(width=40, height=10), PLAIN))

    assert lines[0] == "━━ loss  min 0  max 3  last 0"
    assert lines[1].startswith("3 ┤⠉⠒⠢⢄⣀")
    assert lines[-3].startswith("0 ┤ ")
    assert len(lines[-3]) == 40 - 1


def test_the_axes_name_the_least_and_greatest_values() -> None:
    curve = Curve("accuracy", [10, 20], [0.25, 0.75])

    lines = list(plot([curve], Frame(width=50, height=12), PLAIN))

    assert "0.75 ┤" in lines[1]
    assert "0.25 ┤" in lines[-3]
    assert lines[-1].split() == ["10", "step", "20"]


def test_a_value_that_is_no_number_leaves_a_gap() -> None:
    whole = "".join(plot([Curve("loss", [0, 1, 2], [1, 1, 1])], Frame(width=40, height=8), PLAIN))
    broken = "".join(plot([Curve("loss", [0, 1, 2], [1, math.nan, 1])], Frame(width=40, height=8), PLAIN))

    def dots(text: str) -> int:
        return sum(0x2800 < ord(c) <= 0x28FF for c in text)

    assert dots(broken) < dots(whole)
    assert dots(broken) >= 2


def test_a_curve_without_finite_values_says_so() -> None:
    lines = list(plot([Curve("loss", [0, 1], [math.nan, math.inf])], Frame(), PLAIN))

    assert lines == ["━━ loss  no finite values  last Infinity", "no finite values to draw"]


def test_several_curves_have_their_own_marks_where_there_is_no_colour() -> None:
    curves = [Curve("train", [0, 1], [0, 1]), Curve("valid", [0, 1], [1, 0])]

    text = "\n".join(plot(curves, Frame(width=40, height=10), PLAIN))

    assert "oo train" in text
    assert "++ valid" in text
    assert text.count("o") > 5


def test_several_curves_have_their_own_colours_in_a_terminal() -> None:
    curves = [Curve("train", [0, 1], [0, 1]), Curve("valid", [0, 1], [1, 0])]

    text = "\n".join(plot(curves, Frame(width=40, height=10), COLOR))

    assert "\x1b[36m" in text
    assert "\x1b[35m" in text


def test_a_logarithmic_axis_is_labelled_in_values() -> None:
    lines = list(plot([Curve("loss", [0, 1, 2], [100, 10, 1])], Frame(width=40, height=10, log=True), PLAIN))

    assert lines[1].startswith("100 ┤")
    assert lines[-3].startswith("  1 ┤")


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(numbers, numbers), max_size=30), st.integers(30, 100), st.integers(6, 30), st.booleans())
def test_any_data_is_drawn_within_the_frame(
    points: list[tuple[float, float]], width: int, height: int, log: bool
) -> None:
    curve = Curve("any", [x for x, _ in points], [y for _, y in points])

    lines = list(plot([curve], Frame(width=width, height=height, log=log), PLAIN))

    assert len(lines) <= height + 1
    assert all(cells(line) <= max(width, 60) for line in lines[1:])


def test_a_spark_shows_the_trend_in_one_line() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert spark([5, 5, 5]) == "▁▁▁"
    assert spark([1.0]) == ""


def test_a_spark_of_the_greatest_floats_does_not_overflow() -> None:
    assert spark([1.7e308, -1.7e308] * 50, 20) == "█▁" * 10
    assert spark([-1.7e308, 1.7e308]) == "▁█"


@given(st.lists(st.floats(), max_size=100), st.integers(1, 20))
def test_a_spark_is_never_wider_than_asked(values: list[float], width: int) -> None:
    assert len(spark(values, width)) <= width
