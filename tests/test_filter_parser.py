"""The parser: texts to trees."""

from __future__ import annotations

import sys

import pytest

from mlcore.entities import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.wire import limits
from mlcore.wire.filter_parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)


def metric(key: str, op: str = ">", value: float = 1.0, stat: str = "last") -> Comparison:
    return Comparison(Field("metric", key, stat), op, value)


def attribute(key: str, op: str, value: float | str | tuple[str, ...]) -> Comparison:
    return Comparison(Field("attribute", key), op, value)


A, B, C = metric("a"), metric("b"), metric("c")


@pytest.mark.parametrize("text", [None, ""])
def test_no_text_is_no_filter(text: str | None) -> None:
    assert parse_run_filter(text) is None
    assert parse_experiment_filter(text) is None


@pytest.mark.parametrize(
    ("prefix", "entity"),
    [
        *[(prefix, "metric") for prefix in ("metrics", "metric")],
        *[(prefix, "param") for prefix in ("params", "param", "parameters", "parameter")],
        *[(prefix, "tag") for prefix in ("tags", "tag")],
    ],
)
def test_every_prefix_of_an_entity_means_the_same(prefix: str, entity: str) -> None:
    value = "1" if entity == "metric" else "'1'"

    tree = parse_run_filter(f"{prefix}.x = {value}")

    assert tree == Comparison(Field(entity, "x"), "=", 1.0 if entity == "metric" else "1")


@pytest.mark.parametrize(
    "name",
    [
        "run_name",
        "attributes.run_name",
        "attribute.run_name",
        "attr.run_name",
        "run.run_name",
        "`run name`",
        "`Run name`",
        "`Run Name`",
        '"run name"',
        "run name",
        "Run name",
        "attributes.`run name`",
        'attribute."Run Name"',
        "attributes.run name",
    ],
)
def test_the_run_name_has_many_names(name: str) -> None:
    assert parse_run_filter(f"{name} = 'x'") == attribute("run_name", "=", "x")


@pytest.mark.parametrize("name", ["start_time", "created", "Created", "attr.created", "run.start_time", "`Created`"])
def test_the_start_time_is_also_called_created(name: str) -> None:
    assert parse_run_filter(f"{name} >= 1.5") == attribute("start_time", ">=", 1.5)


@pytest.mark.parametrize("key", ["name", "digest", "context"])
def test_datasets_have_three_keys(key: str) -> None:
    assert parse_run_filter(f"dataset.{key} = 'x'") == Comparison(Field("dataset", key), "=", "x")
    assert parse_run_filter(f"datasets.{key} NOT IN ('x')") == Comparison(Field("dataset", key), "NOT IN", ("x",))


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("tags.mlflow.runName", "mlflow.runName"),
        ("tags.`a b`", "a b"),
        ('tags."a b"', "a b"),
        ("tags.'a b'", "a b"),
        ('tags."it\'s"', "it's"),
        ("tags.a-b/c:d", "a-b/c:d"),
        ("tags.0", "0"),
        ("tags.größe", "größe"),
        ("tags.and", "and"),
        ("tags.x.min", "x.min"),
    ],
)
def test_keys_are_taken_as_they_are(written: str, key: str) -> None:
    assert parse_run_filter(f"{written} = 'x'") == Comparison(Field("tag", key), "=", "x")


@pytest.mark.parametrize(
    ("written", "key", "stat"),
    [
        ("metrics.loss", "loss", "last"),
        ("metrics.loss.min", "loss", "min"),
        ("metrics.loss.max", "loss", "max"),
        ("metrics.loss.last", "loss", "last"),
        ("metrics.val.loss.min", "val.loss", "min"),
        ("metrics.loss.min.max", "loss.min", "max"),
        ("metrics.loss.mean", "loss.mean", "last"),
        ("metrics.min", "min", "last"),
        ("metrics.`loss.min`", "loss.min", "last"),
        ('metrics."loss.min"', "loss.min", "last"),
        ("metrics.`loss.min`.max", "loss.min", "max"),
        ("metrics.`a b`.min", "a b", "min"),
    ],
)
def test_an_unquoted_suffix_of_a_metric_is_its_aggregate(written: str, key: str, stat: str) -> None:
    assert parse_run_filter(f"{written} > 1") == metric(key, stat=stat)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1.0),
        ("-1", -1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e0", 1.0),
        ("1E3", 1000.0),
        ("1e+20", 1e20),
        ("1e-07", 1e-7),
        ("1e400", sys.float_info.max),
        ("-1e400", -sys.float_info.max),
    ],
)
def test_numbers_are_read_as_floats_and_never_infinite(written: str, value: float) -> None:
    assert parse_run_filter(f"metrics.a>{written}") == metric("a", value=value)


@pytest.mark.parametrize("op", ["=", "!=", "<", "<=", ">", ">="])
def test_a_param_is_compared_with_a_bare_number_as_a_number(op: str) -> None:
    assert parse_run_filter(f"params.lr {op} 0.1") == Comparison(Field("param", "lr"), op, 0.1)


@pytest.mark.parametrize("op", ["=", "!=", "LIKE", "ILIKE"])
def test_a_param_is_compared_with_a_quoted_number_as_text(op: str) -> None:
    assert parse_run_filter(f"params.lr {op} '0.1'") == Comparison(Field("param", "lr"), op, "0.1")


@pytest.mark.parametrize("entity", ["param", "tag"])
@pytest.mark.parametrize("op", ["is null", "Is Not NULL"])
def test_params_and_tags_can_be_asked_for_their_absence(entity: str, op: str) -> None:
    assert parse_run_filter(f"{entity}s.x {op}") == Comparison(Field(entity, "x"), op.upper())


@pytest.mark.parametrize("written", ["('a','b')", "( 'a' , \"b\" )", "('a', 'b',)"])
def test_a_list_has_texts_in_either_quotes(written: str) -> None:
    assert parse_run_filter(f"run_id IN {written}") == attribute("run_id", "IN", ("a", "b"))
    assert parse_run_filter(f"run_id not in {written}") == attribute("run_id", "NOT IN", ("a", "b"))


@pytest.mark.parametrize("field", [Field("param", "x"), Field("tag", "x"), Field("attribute", "status")])
def test_params_tags_and_attributes_are_compared_with_lists_of_texts(field: Field) -> None:
    name = field.key if field.entity == "attribute" else f"{field.entity}s.{field.key}"

    assert parse_run_filter(f"{name} in ('1', \"b\")") == Comparison(field, "IN", ("1", "b"))
    assert parse_run_filter(f"{name} NOT IN ('1')") == Comparison(field, "NOT IN", ("1",))


@pytest.mark.parametrize("name", ["params.x", "metrics.x.min", "duration"])
def test_a_list_of_numbers_stands_for_its_comparisons(name: str) -> None:
    assert parse_run_filter(f"{name} IN (1, -2.5,)") == parse_run_filter(f"{name} = 1 OR {name} = -2.5")
    assert parse_run_filter(f"{name} NOT IN (1, 2)") == parse_run_filter(f"{name} != 1 AND {name} != 2")
    assert parse_run_filter(f"{name} IN (1)") == parse_run_filter(f"{name} = 1")


def test_quotes_of_the_other_kind_and_keywords_belong_to_a_text() -> None:
    assert parse_run_filter("tags.x = \"it's AND 'that'\"") == Comparison(Field("tag", "x"), "=", "it's AND 'that'")
    assert parse_run_filter("tags.x = 'a \"b\" \\'") == Comparison(Field("tag", "x"), "=", 'a "b" \\')
    assert parse_run_filter("tags.x = ''") == Comparison(Field("tag", "x"), "=", "")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("metrics.a > 1 AND metrics.b > 1 AND metrics.c > 1", And((A, B, C))),
        ("metrics.a > 1 OR metrics.b > 1 AND metrics.c > 1", Or((A, And((B, C))))),
        ("metrics.a > 1 AND metrics.b > 1 OR metrics.c > 1", Or((And((A, B)), C))),
        ("(metrics.a > 1 OR metrics.b > 1) AND metrics.c > 1", And((Or((A, B)), C))),
        ("NOT metrics.a > 1 AND metrics.b > 1", And((Not(A), B))),
        ("NOT (metrics.a > 1 AND metrics.b > 1)", Not(And((A, B)))),
        ("NOT NOT metrics.a > 1", Not(Not(A))),
        ("((metrics.a > 1))", A),
        ("metrics.a > 1 AND (metrics.b > 1 AND metrics.c > 1)", And((A, And((B, C))))),
        ("metrics.a>1 and(metrics.b>1)or not(metrics.c>1)", Or((And((A, B)), Not(C)))),
    ],
)
def test_not_binds_before_and_and_and_before_or(text: str, tree: Filter) -> None:
    assert parse_run_filter(text) == tree


def test_keywords_are_taken_in_any_letter_case() -> None:
    upper = "run_id IN ('a') AND tags.x LIKE 'y' OR NOT tags.z IS NOT NULL"

    assert parse_run_filter(upper.lower()) == parse_run_filter(upper)


@pytest.mark.parametrize("text", ["metrics.a > 1 AND", "metrics.a > 1 and  ", "(metrics.a > 1) AND"])
def test_a_last_and_is_tolerated(text: str) -> None:
    assert parse_run_filter(text) == A


def test_a_last_and_is_tolerated_after_an_or() -> None:
    assert parse_run_filter("metrics.a > 1 OR metrics.b > 1 AND") == Or((A, B))


def test_white_space_of_any_kind_separates() -> None:
    assert parse_run_filter("\n\tmetrics.a\u00a0>\r\n1\n AND\nmetrics.b>1\n") == And((A, B))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name = 'x'", attribute("name", "=", "x")),
        ("attribute.name LIKE 'x%'", attribute("name", "LIKE", "x%")),
        ("attributes.name ilike 'x%'", attribute("name", "ILIKE", "x%")),
        ("experiment_id != '1'", attribute("experiment_id", "!=", "1")),
        ("experiment_id in ('1', '2')", attribute("experiment_id", "IN", ("1", "2"))),
        ("creation_time > 5", attribute("creation_time", ">", 5.0)),
        ("attr.last_update_time <= 5", attribute("last_update_time", "<=", 5.0)),
        ("tags.x = 'y'", Comparison(Field("tag", "x"), "=", "y")),
        ("tag.`x y` IS NULL", Comparison(Field("tag", "x y"), "IS NULL")),
    ],
)
def test_experiments_are_searched_by_attributes_and_tags(text: str, tree: Filter) -> None:
    assert parse_experiment_filter(text) == tree


def test_the_largest_allowed_filters_parse() -> None:
    deep = "(" * limits.FILTER_DEPTH + "metrics.a > 1" + ")" * limits.FILTER_DEPTH
    wide = " OR ".join(["metrics.a > 1"] * limits.FILTER_COMPARISONS)
    values = ", ".join(f"'{number:032x}'" for number in range(limits.FILTER_LIST_VALUES))

    assert parse_run_filter(deep) == A
    assert parse_run_filter(wide) == Or((A,) * limits.FILTER_COMPARISONS)
    listed = parse_run_filter(f"run_id IN ({values})")
    assert isinstance(listed, Comparison)
    assert isinstance(listed.value, tuple)
    assert len(listed.value) == limits.FILTER_LIST_VALUES


def test_the_deepest_allowed_filter_needs_little_of_the_recursion_limit() -> None:
    deep = "(" * limits.FILTER_DEPTH + "metrics.a > 1" + ")" * limits.FILTER_DEPTH
    frame, used = sys._getframe(), 0
    while frame.f_back is not None:
        frame, used = frame.f_back, used + 1
    limit = sys.getrecursionlimit()

    sys.setrecursionlimit(used + 400)
    try:
        tree = parse_run_filter(deep)
    finally:
        sys.setrecursionlimit(limit)

    assert tree == A


def test_an_order_has_fields_and_directions() -> None:
    found = parse_run_order(
        ["metrics.m DESC", "params.`a b` asc", "created", "metrics.m.min Desc", "tags.x", "run name"]
    )

    assert found == (
        OrderBy(Field("metric", "m"), ascending=False),
        OrderBy(Field("param", "a b")),
        OrderBy(Field("attribute", "start_time")),
        OrderBy(Field("metric", "m", "min"), ascending=False),
        OrderBy(Field("tag", "x")),
        OrderBy(Field("attribute", "run_name")),
    )


def test_no_clauses_are_the_default_order() -> None:
    assert parse_run_order([]) == ()
    assert parse_experiment_order(()) == ()


def test_experiments_are_ordered_by_their_attributes() -> None:
    found = parse_experiment_order(["name ASC", "attribute.creation_time DESC", "experiment_id", "last_update_time"])

    assert [(each.field.key, each.ascending) for each in found] == [
        ("name", True),
        ("creation_time", False),
        ("experiment_id", True),
        ("last_update_time", True),
    ]
