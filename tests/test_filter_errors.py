"""What the parser says of texts that are no filters or orders, and where it points."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.errors import FilterError, InvalidParameterError
from mlcore.wire import limits
from mlcore.wire.filter_parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)


def refused(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse_run_filter(text)
    return caught.value


def test_the_error_shows_the_text_with_a_caret_under_the_place() -> None:
    error = refused("metrics.a > 1 AND status = FINISHED")

    assert str(error) == (
        "attribute 'status' = needs a text in quotes, found 'FINISHED'; the value is not quoted, write 'FINISHED', "
        "at column 28\n"
        "  metrics.a > 1 AND status = FINISHED\n"
        "                             ^"
    )
    assert (error.text, error.column, error.code, error.status) == (
        "metrics.a > 1 AND status = FINISHED",
        27,
        "INVALID_PARAMETER_VALUE",
        400,
    )


def test_the_caret_is_right_in_long_texts_and_in_texts_of_several_lines() -> None:
    error = refused("metrics.a > 1 AND\n" * 30 + "metrics.b == 1\n" + "AND metrics.c > 1\n" * 30)

    _, line, caret = str(error).split("\n")
    assert line[caret.index("^") :].startswith("== 1 AND metrics.c")
    assert len(line) < 130


# Each filter, the place that the error points at, and what it says.
CASES = [
    # comparators
    (
        "metrics.m == 1",
        "==",
        "invalid comparator '==' for metric 'm' not one of '=', '!=', '<', '<=', '>', '>=', 'IN', 'NOT IN', did you mean '='?",
    ),
    ("tags.t <> 'x'", "<>", "did you mean '!='?"),
    ("metrics.m =< 1", "=<", "did you mean '<='?"),
    ("metrics.m => 1", "=>", "did you mean '>='?"),
    ("tags.t ~ 'x'", "~", "did you mean 'LIKE'?"),
    ("metrics.m LIKE 'x'", "LIKE", "invalid comparator 'LIKE' for metric 'm' not one of '=', '!='"),
    (
        "tags.t > 'x'",
        ">",
        "invalid comparator '>' for tag 't' not one of '=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'",
    ),
    ("metrics.m IS NULL", "IS", "invalid comparator 'IS NULL' for metric 'm'"),
    ("start_time ILIKE 'x'", "ILIKE", "invalid comparator 'ILIKE' for attribute 'start_time'"),
    ("tags.t NOT LIKE 'x'", "NOT", "there is no NOT LIKE; put NOT before the whole comparison"),
    ("tags.t NOT 'x'", "'x'", "expected IN after NOT, found the quoted text 'x'"),
    ("tags.t IS 'x'", "'x'", "expected NULL or NOT NULL after IS, found the quoted text 'x'"),
    ("tags.t IS NOT 'x'", "'x'", "expected NULL after IS, found the quoted text 'x'"),
    ("metrics.m BETWEEN 1 AND 2", "BETWEEN", "there is no BETWEEN; write x >= 1 AND x <= 2"),
    ("metrics.m 1", "1", "expected a comparator such as =, !=, < or LIKE, found the number 1"),
    ("metrics.my loss > 1", "loss", "a key with spaces needs backticks: metrics.`my loss`"),
    # values
    ("metrics.m > '1'", "'1'", "metric 'm' > needs a number, found the quoted text '1'; write 1 without quotes"),
    ("metrics.m > metrics.n", "metrics.n", "two fields cannot be compared with each other"),
    ("metrics.m = nan", "nan", "a metric that is NaN matches != and nothing else"),
    ("metrics.m < inf", "inf", "infinity is written 1e400"),
    ("metrics.m > 0x10", "0x10", "metric 'm' > needs a number, found '0x10'"),
    ("metrics.m > 1.2.3", "1.2.3", "metric 'm' > needs a number, found '1.2.3'"),
    ("metrics.m > +1", "+", "unexpected character '+': numbers are written without a plus sign"),
    ("start_time > '2024-05-01'", "'2024-05-01'", "times are milliseconds since the epoch"),
    (
        "params.p = alpha",
        "alpha",
        "param 'p' = needs a number or a text in quotes, found 'alpha'; the value is not quoted, write 'alpha'",
    ),
    ("params.p < '3'", "'3'", "param 'p' < needs a number, found the quoted text '3'; write 3 without quotes"),
    ("params.p LIKE 3", "3", "param 'p' LIKE needs a text in quotes, found the number 3; write '3'"),
    ("tags.t = 1", "1", "tag 't' = needs a text in quotes, found the number 1; write '1'"),
    ("tags.t = `x`", "`x`", "backticks are for keys, texts have single or double quotes"),
    ("tags.t = = 'x'", "= 'x'", "tag 't' = needs a text in quotes, found '='"),
    ("tags.t = \u2018x\u2019", "\u2018", "use the straight quotes ' or \""),
    ("tags.t = 'it''s'", "'s'", "quotes cannot be escaped, put a text that holds ' into double quotes"),
    # lists
    ("run_id IN 'x'", "'x'", "expected a list of texts such as ('a', 'b') after IN, found the quoted text 'x'"),
    ("run_id IN ()", ")", "the list for attribute 'run_id' needs texts in quotes, found ')'"),
    ("run_id IN (1)", "1", "the list for attribute 'run_id' needs texts in quotes, found the number 1; write '1'"),
    ("metrics.m IN 1", "1", "expected a list of numbers such as (1, 2) after IN, found the number 1"),
    ("metrics.m IN ('1')", "'1'", "needs numbers, found the quoted text '1'; write 1 without quotes"),
    ("params.p IN (tree)", "tree", "needs numbers or texts in quotes, found 'tree'; write 'tree'"),
    ("params.p IN (1, 'tree')", "'tree'", "found the quoted text 'tree'; a list is all numbers or all texts"),
    ("params.p NOT IN ('tree', 1)", "1", "found the number 1; a list is all numbers or all texts"),
    ("run_id IN ('a' 'b')", "'b'", "expected ',' or ')' in the list, found the quoted text 'b'"),
    ("run_id IN ('a'", "(", "this '(' is never closed"),
    ("run_id IN ['a']", "[", "lists are written in parentheses: IN ('a', 'b')"),
    # names
    (
        "1 < metrics.m",
        "1",
        "expected the name of a field, found the number 1; the field stands on the left: metrics.m > 1",
    ),
    ("'x' = params.p", "'x'", "the field stands on the left: params.p = 'x'"),
    (
        "foo.m > 1",
        "foo",
        "invalid entity type 'foo', valid entity types of runs are 'metric', 'param', 'tag', 'attribute', 'dataset'",
    ),
    ("metrix.m > 1", "metrix", "invalid entity type 'metrix', did you mean 'metric'?"),
    ("Metrics.m > 1", "Metrics", "did you mean 'metrics'? Entity types are written in lower case"),
    ("mlflow.user = 'x'", "mlflow", "did you mean tags.mlflow.user?"),
    ("metrics.a.`b c` > 1", "metrics.a", "put the whole key into quotes, metrics.`a.b c`"),
    (
        "strt_time > 1",
        "strt",
        "invalid attribute key 'strt_time', did you mean 'start_time'? valid attributes of runs are 'run_id',",
    ),
    ("attr.qqq = 'x'", "qqq", "invalid attribute key 'qqq', valid attributes of runs are 'run_id', 'run_name'"),
    ("accuracy > 1", "accuracy", "keys of your own are written metrics.accuracy or params.accuracy or tags.accuracy"),
    ("`my loss` > 1", "`my", "keys of your own are written metrics.`my loss`"),
    ("metrics > 1", "metrics", "invalid attribute key 'metrics': write metrics.KEY with a key of your own"),
    (
        "experiment_id = '1'",
        "exp",
        "invalid attribute key 'experiment_id': give the experiment ids to the search itself",
    ),
    ("attributes.lifecycle_stage = 'active'", "lifecycle", "choose active or deleted runs by the view of the search"),
    ("run_uuid = 'x'", "run_uuid", "it is called run_id"),
    (
        "dataset.nam = 'x'",
        "nam",
        "invalid dataset key 'nam', did you mean 'name'? valid keys are 'name', 'digest', 'context'",
    ),
    (
        "metrics.`m`.mim > 1",
        "`m`",
        "invalid aggregate 'mim' of metric 'm', did you mean 'min'? valid aggregates are 'last', 'min', 'max'",
    ),
    ("params.`p`.max > 1", "`p`", "unexpected '.max' after the quoted key 'p'"),
    ("metrics.`m`x > 1", "x", "unexpected 'x' right after the quoted key `m`"),
    ("metrics. > 1", " > 1", "the key of metrics. is missing"),
    ("metrics.`` > 1", "`", "the key of metrics. is missing"),
    # structure
    ("metrics.m > 1 && tags.t = 'x'", "&&", "unexpected '&&', did you mean AND?"),
    ("metrics.m > 1 || tags.t = 'x'", "||", "unexpected '||', did you mean OR?"),
    ("! metrics.m > 1", "!", "unexpected '!', did you mean NOT?"),
    ("metrics.m > 1 xor tags.t = 'x'", "xor", "invalid clause in filter: expected AND or OR, found 'xor'"),
    ("metrics.m > 1 metrics.n > 1", "metrics.n", "invalid clause in filter: expected AND or OR, found 'metrics.n'"),
    ("(metrics.m > 1 metrics.n > 1)", "metrics.n", "invalid clause in filter: expected AND or OR, found 'metrics.n'"),
    ("metrics.m > 1; metrics.n > 1", ";", "a filter is one expression; join comparisons with AND"),
    ("(metrics.m > 1", "(", "this '(' is never closed"),
    ("metrics.m > 1)", ")", "this ')' closes nothing"),
    ("()", ")", "expected the name of a field, found ')'"),
    ("(metrics.m > 1 AND)", ")", "expected the name of a field, found ')'"),
    ("AND metrics.m > 1", "AND", "expected the name of a field, found 'AND'"),
    ("metrics.m > 1 AND AND", "AND", "expected the name of a field, found 'AND'"),
    ("tags.t = 'x", "'", "the quote ' is never closed"),
    ('tags.t = "x', '"', 'the quote " is never closed'),
    ("tags.`t = 'x'", "`", "the quote ` is never closed"),
    ("metrics.m > 1 $", "$", "unexpected character '$'"),
]


@pytest.mark.parametrize(("text", "place", "message"), CASES, ids=[case[0] for case in CASES])
def test_what_is_no_filter_is_explained_at_its_place(text: str, place: str, message: str) -> None:
    error = refused(text)

    assert message in str(error)
    assert text[error.column :].startswith(place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics.m >", "metric 'm' > needs a number, found the end"),
        ("metrics.m", "expected a comparator such as =, !=, < or LIKE, found the end"),
        ("metrics.m > 1 OR", "expected the name of a field, found the end"),
        ("NOT", "expected the name of a field, found the end"),
        ("tags.t IS NOT", "expected NULL after IS, found the end"),
    ],
)
def test_what_ends_too_early_is_explained_at_the_end(text: str, message: str) -> None:
    error = refused(text + "  ")

    assert message in str(error)
    assert error.column == len(text)


@pytest.mark.parametrize("text", [" ", "   \n\t"])
def test_a_blank_filter_is_refused(text: str) -> None:
    assert "could not be parsed; for no filter give an empty text" in str(refused(text))


def test_a_filter_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"invalid filter \['a'\]: expected a text, got list"):
        parse_run_filter(["a"])  # type: ignore[arg-type]  # the mistake under test


def test_a_filter_over_a_limit_is_refused() -> None:
    comparison = "metrics.a > 1"

    long = refused(comparison + " " * limits.FILTER_LENGTH)
    deep = refused("(" * (limits.FILTER_DEPTH + 1) + comparison + ")" * (limits.FILTER_DEPTH + 1))
    negated = refused("NOT " * (limits.FILTER_DEPTH + 1) + comparison)
    endless = refused("(" * (limits.FILTER_LENGTH - 1))
    wide = refused(" OR ".join([comparison] * (limits.FILTER_COMPARISONS + 1)))
    values = ["'a'"] * (limits.FILTER_LIST_VALUES + 1)
    listed = refused(f"run_id IN ({', '.join(values)})")

    assert str(long) == "the filter has 100013 characters, at most 100000 are allowed"
    for error in (deep, negated, endless):
        assert "parentheses and NOTs are nested more than 50 deep" in str(error)
    assert deep.column == limits.FILTER_DEPTH
    assert "the filter has more than 200 comparisons" in str(wide)
    assert "the list has more than 2000 values" in str(listed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metrics.m > 1", "invalid entity type 'metrics', valid entity types of experiments are 'tag', 'attribute'"),
        ("lifecycle_stage = 'active'", "choose active or deleted experiments by the view of the search"),
        (
            "nam = 'x'",
            "did you mean 'name'? valid attributes of experiments are 'name', 'experiment_id', 'creation_time'",
        ),
        (
            "experiment_id LIKE '1%'",
            "invalid comparator 'LIKE' for attribute 'experiment_id' not one of '=', '!=', 'IN', 'NOT IN'",
        ),
        ("experiment_id = 1", "needs a text in quotes, found the number 1; write '1'"),
        ("name IN (1)", "the list for attribute 'name' needs texts in quotes, found the number 1; write '1'"),
        ("creation_time > '5'", "write 5 without quotes"),
        ("owner = 'x'", "keys of your own are written tags.owner"),
    ],
)
def test_what_is_no_filter_of_experiments_is_explained(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_experiment_filter(text)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("clauses", "message"),
    [
        ([""], "invalid order_by clause '': could not be parsed, expected a field such as 'start_time DESC'"),
        (["  "], "invalid order_by clause '  ': could not be parsed"),
        ([5], "invalid order_by clause 5: could not be parsed"),
        (["metrics.m foo"], "invalid ordering key in order_by clause: expected ASC, DESC or nothing, found 'foo'"),
        (["metrics.m ASC DESC"], "expected ASC, DESC or nothing, found 'DESC'"),
        (["metrics.a, metrics.b"], "one field per clause, give a list of clauses, found ','"),
        (["dataset.name"], "runs cannot be ordered by dataset 'name', order by attribute or metric or param or tag"),
        (["experiment_id"], "invalid attribute key 'experiment_id'"),
        (["start_time", "created DESC"], "order_by names this field twice; keep one of the clauses"),
        (["metrics.m", "metric.`m`.last DESC"], "order_by names this field twice"),
        (
            [f"metrics.m{number}" for number in range(limits.ORDER_CLAUSES + 1)],
            "order_by has 21 clauses, at most 20 are allowed",
        ),
    ],
)
def test_what_is_no_order_is_explained(clauses: list[str], message: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_run_order(clauses)

    assert message in str(caught.value)


def test_one_text_is_no_list_of_clauses() -> None:
    with pytest.raises(
        InvalidParameterError, match=r"invalid order_by 'start_time': expected a list of texts, such as"
    ):
        parse_run_order("start_time")


def test_experiments_are_not_ordered_by_tags() -> None:
    with pytest.raises(FilterError, match="experiments cannot be ordered by tag 'x', order by attribute"):
        parse_experiment_order(["tags.x"])


@given(
    st.text(st.sampled_from("ametrics.tgpor_udINLKEOTAD=<>!'\"`(),-1e. \n\\%&|"), max_size=40) | st.text(max_size=20)
)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    for parse in (parse_run_filter, parse_experiment_filter):
        try:
            parse(text)
        except FilterError as error:
            assert 0 <= error.column <= len(text)  # noqa: PT017 - either outcome is right


@given(
    st.lists(
        st.sampled_from(
            "metrics.m metrics.`a` status run_id tags.t params. = != < == LIKE IN NOT IS NULL AND OR ( ) , 1 -1 'x' \"y\" `z` run name".split()
        ),
        max_size=12,
    )
)
def test_any_sequence_of_tokens_is_a_filter_or_a_filter_error(tokens: list[str]) -> None:
    text = " ".join(tokens)
    for parse in (parse_run_filter, parse_experiment_filter, lambda clause: parse_run_order([clause])):
        try:
            parse(text)
        except FilterError as error:
            assert 0 <= error.column <= len(text)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("name", ["metrics.KEY", "metrics.`KEY`", "KEY", "KEY.x"])
def test_a_name_that_nothing_can_have_is_refused(name: str) -> None:
    error = refused(name.replace("KEY", "k" * 251) + " > 1")

    assert "the name has 251 characters, at most 250 are allowed" in str(error)


def test_a_long_text_of_digits_is_refused_in_no_time() -> None:
    started = time.process_time()

    error = refused("metrics.m > " + "1" * 90_000 + "x")
    refused("metrics.m > 1." + "1" * 90_000 + "x")

    assert len(str(error)) < 500
    assert time.process_time() - started < 0.5
