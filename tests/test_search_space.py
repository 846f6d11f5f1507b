"""Spaces of a search are read with errors that point, and the kernel's samplers cover them."""

from __future__ import annotations

import pytest

from mlcore.errors import ProjectError
from mlcore.interfaces.sampler import Choices, Domain, Integers, Reals, SearchTask
from mlcore.projects.search.points import GridSampler, RandomSampler
from mlcore.projects.search.space import Space, parse, parsed


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("0.1,0.01", Choices(("0.1", "0.01"))),
        (" a , b ", Choices(("a", "b"))),
        ("'a,b',c", Choices(("a,b", "c"))),
        ('"", x', Choices(("", "x"))),
        ("a b", Choices(("a b",))),
        ("it's", Choices(("it's",))),
        ("'range(1,2)'", Choices(("range(1,2)",))),
        ("choice(a, 'b,c')", Choices(("a", "b,c"))),
        ("choice(a)", Choices(("a",))),
        ("range(2,6)", Integers(2, 5)),
        ("range(3)", Integers(0, 2)),
        ("range(0, 10, 4)", Integers(0, 8, 4)),
        ("range(5,0,-2)", Integers(1, 5, 2)),
        ("range(3,4)", Choices(("3",))),
        ("uniform(0,1)", Reals(0.0, 1.0)),
        ("loguniform(1e-5, .1)", Reals(1e-5, 0.1, log=True)),
        ("", Choices(("",))),
        ("f(x", Choices(("f(x",))),
    ],
)
def test_a_text_means_a_domain(text: str, domain: Domain) -> None:
    assert parse(text) == domain


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("unifrom(0,1)", 1, "unknown function 'unifrom', did you mean 'uniform'?"),
        ("f(x)", 1, "unknown function 'f', known are range, uniform, loguniform, choice"),
        ("range(2,x)", 9, "expected a whole number, not 'x'"),
        ("range(0.5,2)", 7, "expected a whole number, not '0.5'"),
        ("range(6,2)", 7, "empty"),
        ("range(1,9,0)", 11, "the step must not be 0"),
        ("range(10000000)", 7, "at most 100000"),
        ("range()", 1, "not 0 values"),
        ("uniform(1,0)", 11, "greater than the lower one"),
        ("uniform(1)", 1, "two numbers, the ends of the interval, not 1 value"),
        ("uniform(0,inf)", 11, "expected a finite number, not 'inf'"),
        ("loguniform(0,1)", 12, "greater than 0 for a logarithm"),
        ("1,,2", 3, "a value is missing"),
        ("1,2,", 5, "a value is missing"),
        ("a,b,a", 5, "'a' is there twice"),
        ("'a,b", 1, "the quote ' is not closed"),
        ("'a'b,c", 4, "expected a comma after the closing quote"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_column(text: str, column: int, what: str) -> None:
    with pytest.raises(ProjectError) as refused:
        parse(text, "lr")

    assert str(refused.value).startswith(f"parameter 'lr', column {column} of {text!r}: ")
    assert what in str(refused.value)


def test_all_parameters_are_read_before_the_error() -> None:
    with pytest.raises(ProjectError) as refused:
        parsed({"a": "range(x)", "b": "1,2", "c": "uniform(2,1)"})

    assert [line.partition(",")[0] for line in str(refused.value).splitlines()] == ["parameter 'a'", "parameter 'c'"]


def test_what_has_one_value_is_fixed() -> None:
    space = parsed({"lr": "0.1,0.01", "depth": "range(3,4)", "data": "'a,b'"})

    assert space == Space({"lr": Choices(("0.1", "0.01"))}, {"depth": "3", "data": "a,b"})


def test_a_grid_has_every_combination_in_order_and_then_ends() -> None:
    grid = GridSampler()
    grid.begin(SearchTask({"lr": Choices(("0.1", "0.01")), "depth": Integers(2, 4)}))

    points = [grid.ask(number) for number in range(7)]

    assert [tuple(point.values()) for point in points if point] == [
        ("0.1", 2), ("0.1", 3), ("0.1", 4), ("0.01", 2), ("0.01", 3), ("0.01", 4),
    ]  # fmt: skip
    assert points[6] is None


def test_a_grid_of_an_interval_is_refused_with_the_parameter() -> None:
    with pytest.raises(ProjectError, match=r"parameter 'lr' is an interval.*--search random"):
        GridSampler().begin(SearchTask({"lr": Reals(0, 1)}))


def test_random_points_are_the_same_for_a_seed_and_lie_in_the_space() -> None:
    task = SearchTask({"lr": Reals(1e-6, 1, log=True), "n": Integers(1, 9, 4), "k": Choices(("a", "b"))}, seed=3)
    sampler = RandomSampler()

    sampler.begin(task)
    first = [sampler.ask(number) for number in range(50)]
    sampler.begin(task)
    again = [sampler.ask(number) for number in range(50)]

    assert first == again
    rates = [point["lr"] for point in first if point]
    assert all(isinstance(rate, float) and 1e-6 <= rate <= 1 for rate in rates)
    assert sum(isinstance(rate, float) and rate < 1e-3 for rate in rates) > 10
    assert {point["n"] for point in first if point} == {1, 5, 9}


def test_random_points_of_a_finite_space_are_all_there_once() -> None:
    sampler = RandomSampler()
    sampler.begin(SearchTask({"n": Integers(1, 4), "k": Choices(("a", "b"))}, seed=1))

    points = [sampler.ask(number) for number in range(9)]

    assert len({str(point) for point in points[:8]}) == 8
    assert points[8] is None
