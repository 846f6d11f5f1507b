"""Trees back to text, and the text back to trees."""

from __future__ import annotations

import math

import pytest
from hypothesis import given

from mlcore.entities import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.errors import InvalidParameterError
from mlcore.testing import filter_strategies as strategies
from mlcore.wire.filter_parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)
from mlcore.wire.filter_text import filter_to_text, order_to_text


@given(strategies.run_filters())
def test_every_filter_of_runs_comes_back_from_its_text(tree: Filter) -> None:
    assert parse_run_filter(filter_to_text(tree)) == tree


@given(strategies.experiment_filters())
def test_every_filter_of_experiments_comes_back_from_its_text(tree: Filter) -> None:
    assert parse_experiment_filter(filter_to_text(tree)) == tree


@given(strategies.run_orders())
def test_every_order_of_runs_comes_back_from_its_text(order: tuple[OrderBy, ...]) -> None:
    assert parse_run_order([order_to_text(each) for each in order]) == order


@given(strategies.experiment_orders())
def test_every_order_of_experiments_comes_back_from_its_text(order: tuple[OrderBy, ...]) -> None:
    assert parse_experiment_order([order_to_text(each) for each in order]) == order


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("metric.m>1 and `run name` like 'x%'", "metrics.m > 1 AND attribute.run_name LIKE 'x%'"),
        ("param.`lr` = .5", "params.lr = 0.5"),
        ('tags."a b" = "it\'s"', 'tags.`a b` = "it\'s"'),
        ("tags.a-b IS not null", "tags.`a-b` IS NOT NULL"),
        ("metrics.`x.min` < 1e+300", "metrics.`x.min` < 1e300"),
        ("metrics.x.min > -0.0", "metrics.x.min > -0.0"),
        ("created > 1700000000000", "attribute.start_time > 1700000000000"),
        ("metrics.x < 1e-7", "metrics.x < 1e-07"),
        ("metrics.x < -1e400", "metrics.x < -1.7976931348623157e308"),
        ("dataset.name in ('a',\"b\")", "dataset.name IN ('a', 'b')"),
        ("not (tags.a='1' or not tags.b='2')", "NOT (tags.a = '1' OR NOT tags.b = '2')"),
        ("tags.a='1' or (tags.b='2' and tags.c='3')", "tags.a = '1' OR tags.b = '2' AND tags.c = '3'"),
        ("(tags.a='1' or tags.b='2') and tags.c='3'", "(tags.a = '1' OR tags.b = '2') AND tags.c = '3'"),
    ],
)
def test_the_text_is_canonical_and_has_no_needless_parentheses(text: str, canonical: str) -> None:
    tree = parse_run_filter(text)

    assert tree is not None
    assert filter_to_text(tree) == canonical


def test_an_order_is_written_with_its_direction() -> None:
    assert [order_to_text(each) for each in parse_run_order(["metric.`a b`.max desc", "created"])] == [
        "metrics.`a b`.max DESC",
        "attribute.start_time ASC",
    ]


def test_a_key_with_a_backtick_is_written_in_other_quotes() -> None:
    assert filter_to_text(Comparison(Field("tag", "a`b"), "IS NULL")) == 'tags."a`b" IS NULL'
    assert filter_to_text(Comparison(Field("tag", 'a`"b'), "IS NULL")) == "tags.'a`\"b' IS NULL"


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (Comparison(Field("tag", "t"), "=", "'\""), "cannot be written in a filter: it holds all of the quotes"),
        (Comparison(Field("tag", "`'\""), "IS NULL"), "cannot be written in a filter: it holds all of the quotes"),
        (Comparison(Field("metric", "m"), "=", math.nan), "NaN cannot be written in a filter: compare with a number"),
        (Not(And(())), r"And\(\) without parts cannot be written as a filter: give it two"),
        (Or(()), r"Or\(\) without parts cannot be written as a filter: give it two"),
    ],
)
def test_what_no_filter_can_say_is_refused(tree: Filter, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        filter_to_text(tree)
