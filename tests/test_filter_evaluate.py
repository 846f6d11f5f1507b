"""The reference evaluator: what filters and orders mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mlcore.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    Filter,
    InputTag,
    Metric,
    Not,
    OrderBy,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from mlcore.errors import InvalidParameterError
from mlcore.testing import filter_strategies as strategies
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.summaries import summarize, summarize_all
from mlcore.wire.filter_parser import (
    parse_experiment_filter,
    parse_experiment_order,
    parse_run_filter,
    parse_run_order,
)

INFO = RunInfo(
    run_id="0a",
    experiment_id="1",
    run_name="brave-ant",
    user_id="ada",
    status=RunStatus.FINISHED,
    start_time=1000,
    end_time=None,
    artifact_uri="file:///store/1/0a/artifacts",
)
CURVE = [Metric("loss", value, timestamp=step, step=step) for step, value in enumerate([3.0, math.nan, 0.5, 1.0])]


def run(
    metrics: dict[str, float] | None = None,
    *,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    inputs: tuple[DatasetInput, ...] = (),
    **info: object,
) -> Run:
    latest = tuple(Metric(key, value, timestamp=0) for key, value in (metrics or {}).items())
    changed: Callable[..., RunInfo] = evolve
    return Run(changed(INFO, **info), RunData(latest, params or {}, tags or {}), RunInputs(inputs))


def fits(text: str, one: Run) -> bool:
    return run_matches(parse_run_filter(text), one)


def ids(order: list[str], runs: list[Run]) -> list[str]:
    return [each.info.run_id for each in sort_runs(runs, parse_run_order(order))]


def test_no_filter_fits_every_run() -> None:
    assert run_matches(None, run())


@pytest.mark.parametrize(
    "text",
    [
        "metrics.m = 1",
        "metrics.m != 2",
        "metrics.m < 1.5",
        "metrics.m <= 1",
        "metrics.m > 0.5",
        "metrics.m >= 1",
        "params.p = 'tree'",
        "params.p != 'Tree'",
        "params.p LIKE 't%'",
        "params.p ILIKE 'T%'",
        "params.p IS NOT NULL",
        "params.absent IS NULL",
        "tags.t = 'x'",
        "tags.absent IS NULL",
        "run_id = '0a'",
        "run_id IN ('0a', '0b')",
        "run_id NOT IN ('0b')",
        "params.p IN ('gbm', 'tree')",
        "params.p NOT IN ('gbm', 'Tree')",
        "tags.t IN ('x')",
        "tags.t NOT IN ('X', 'y')",
        "status IN ('FINISHED', 'KILLED')",
        "metrics.m IN (2, 1)",
        "metrics.m NOT IN (2, 3)",
        "start_time NOT IN (0)",
        "run_name LIKE 'brave%'",
        "status = 'FINISHED'",
        "status ILIKE 'fin%'",
        "user_id != 'bob'",
        "artifact_uri LIKE '%/0a/%'",
        "start_time > 999.5",
        "created = 1000",
        "metrics.m = 1 AND params.p = 'tree'",
        "metrics.m = 2 OR params.p = 'tree'",
        "NOT metrics.m = 2",
    ],
)
def test_filters_that_fit_a_run(text: str) -> None:
    one = run({"m": 1.0}, params={"p": "tree"}, tags={"t": "x"})

    assert fits(text, one)
    assert not fits(f"NOT ({text})", one)


@pytest.mark.parametrize(
    "text",
    [
        "metrics.absent = 1",
        "metrics.absent != 1",
        "params.absent != 'x'",
        "params.absent LIKE '%'",
        "params.absent != 1",
        "tags.absent != 'x'",
        "tags.absent IS NOT NULL",
        "tags.absent NOT IN ('x')",
        "params.absent NOT IN ('x')",
        "params.absent NOT IN (1, 2)",
        "metrics.absent NOT IN (1, 2)",
        "end_time NOT IN (1, 2)",
        "end_time != 9000",
        "dataset.name != 'x'",
        "dataset.name NOT IN ('x')",
    ],
)
def test_a_run_that_lacks_the_key_fits_no_comparison_but_its_negation(text: str) -> None:
    assert not fits(text, run())
    assert fits(f"NOT {text}", run())


def test_texts_are_compared_with_their_case() -> None:
    assert not fits("status = 'finished'", run())
    assert not fits("params.P = 'tree'", run(params={"p": "tree"}))


@pytest.mark.parametrize("op", ["=", "<", "<=", ">", ">="])
def test_nan_fits_nothing_but_not_equal(op: str) -> None:
    one = run({"m": math.nan})

    assert not fits(f"metrics.m {op} 0", one)
    assert fits("metrics.m != 0", one)


def test_infinities_compare_as_the_largest_floats() -> None:
    one = run({"up": math.inf, "down": -math.inf})

    assert fits("metrics.up = 1.7976931348623157e308 AND metrics.up = 1e400 AND metrics.up <= 1e400", one)
    assert fits("metrics.down = -1e400 AND metrics.down >= -1.7976931348623157e308", one)
    assert not fits("metrics.up > 1.7976931348623157e308", one)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("params.lr = 0.1", "0.10", True),
        ("params.lr = '0.1'", "0.10", False),
        ("params.lr < 1e-2", "1e-3", True),
        ("params.lr > 9", "10", True),
        ("params.lr != 1", "2", True),
        ("params.lr != 1", "tree", False),
        ("params.lr != 1", "nan", False),
        ("params.lr >= 1e400", "1e400", False),
        ("params.lr = 1", " 1", False),
        ("params.lr = 16", "0x10", False),
    ],
)
def test_a_param_compares_as_a_number_only_when_it_is_one(text: str, value: str, expected: bool) -> None:
    assert fits(text, run(params={"lr": value})) is expected


def test_a_dataset_comparison_holds_when_it_holds_for_any_input() -> None:
    train = DatasetInput(Dataset("iris", "d1"), (InputTag("mlflow.data.context", "train"), InputTag("other", "x")))
    plain = DatasetInput(Dataset("wine", "d2"))
    one = run(inputs=(train, plain))

    assert fits("dataset.name = 'iris' AND dataset.name != 'iris' AND dataset.digest = 'd2'", one)
    assert fits("dataset.context = 'train' AND dataset.name NOT IN ('iris', 'x') AND dataset.name ILIKE 'W%'", one)
    assert not fits("dataset.context != 'train'", one)
    assert not fits("dataset.context = 'x'", one)
    assert not fits("dataset.name NOT IN ('iris', 'wine')", one)


def test_aggregates_look_at_the_whole_curve() -> None:
    summaries = summarize_all([*CURVE, Metric("gap", math.nan, timestamp=0)])
    one = run({"loss": 1.0, "gap": math.nan})

    def holds(text: str) -> bool:
        return run_matches(parse_run_filter(text), one, summaries)

    assert holds("metrics.loss.min = 0.5 AND metrics.loss.max = 3 AND metrics.loss.last = 1")
    assert holds("metrics.gap.min != 0")
    assert not holds("metrics.gap.max >= 0 OR metrics.gap.max < 0")
    assert not holds("metrics.absent.min != 0")


def test_aggregates_without_summaries_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"metrics.loss.min needs the metric summaries of the run"):
        fits("metrics.loss.min > 0", run({"loss": 1.0}))
    with pytest.raises(InvalidParameterError, match=r"metrics.loss.max needs the metric summaries of the run"):
        sort_runs([run({"loss": 1.0})], parse_run_order(["metrics.loss.max"]))


def test_a_summary_has_the_last_point_by_step_then_time_then_value() -> None:
    points = [Metric("m", 9.0, 5, 1), Metric("m", 1.0, 9, 2), Metric("m", math.nan, 9, 2), Metric("m", 0.0, 8, 2)]

    found = summarize("m", points)

    assert (found.last, found.min, found.max, found.count) == (points[1], 0.0, 9.0, 4)


def test_the_default_order_is_the_newest_first_then_by_id() -> None:
    runs = [run(run_id="b", start_time=1), run(run_id="a", start_time=1), run(run_id="c", start_time=2)]

    assert ids([], runs) == ["c", "a", "b"]


def test_missing_keys_come_last_and_nan_before_them_in_both_directions() -> None:
    runs = [
        run(run_id="missing"),
        run({"m": math.nan}, run_id="nan"),
        run({"m": math.inf}, run_id="inf"),
        run({"m": 1.0}, run_id="one"),
        run({"m": -math.inf}, run_id="down"),
    ]

    assert ids(["metrics.m"], runs) == ["down", "one", "inf", "nan", "missing"]
    assert ids(["metrics.m DESC"], runs) == ["inf", "one", "down", "nan", "missing"]


def test_params_and_tags_sort_as_texts_by_code_point() -> None:
    values = ["9", "10", "a", "B", "é", "z", "\U0001f600", "\uffee"]
    runs = [run(params={"p": value}, tags={"t": value}, run_id=value) for value in values]

    assert ids(["params.p"], runs) == ["10", "9", "B", "a", "z", "é", "\uffee", "\U0001f600"]
    assert ids(["tags.t DESC"], runs) == ids(["params.p"], runs)[::-1]


def test_equal_runs_are_ordered_by_the_next_criterion() -> None:
    runs = [
        run({"m": 0.0}, run_id="a", start_time=1, user_id="x"),
        run({"m": -0.0}, run_id="b", start_time=2, user_id="x"),
        run({"m": 0.0}, run_id="c", start_time=1, user_id="y"),
    ]

    assert ids(["metrics.m"], runs) == ["b", "a", "c"]
    assert ids(["metrics.m DESC", "user_id DESC"], runs) == ["c", "b", "a"]
    assert ids(["end_time", "run_id DESC"], runs) == ["c", "b", "a"]


def experiment(experiment_id: str, name: str = "e", created: int | None = 5, **tags: str) -> Experiment:
    return Experiment(experiment_id, name, "file:///x", creation_time=created, last_update_time=created, tags=tags)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'e'", True),
        ("name ILIKE 'E'", True),
        ("experiment_id IN ('10', '1')", True),
        ("experiment_id = '010'", False),
        ("creation_time >= 5", True),
        ("last_update_time != 5", False),
        ("tags.team = 'x'", True),
        ("tags.absent != 'x'", False),
        ("tags.absent IS NULL", True),
    ],
)
def test_filters_of_experiments(text: str, expected: bool) -> None:
    assert experiment_matches(parse_experiment_filter(text), experiment("10", team="x")) is expected


def test_an_experiment_without_times_fits_no_comparison_of_them() -> None:
    assert not experiment_matches(parse_experiment_filter("creation_time != 0"), experiment("1", created=None))


def test_experiments_are_ordered_newest_first_then_by_id_as_a_number() -> None:
    some = [
        experiment("x"),
        experiment("10"),
        experiment("9"),
        experiment("1", created=6),
        experiment("0", created=None),
    ]

    assert [each.experiment_id for each in sort_experiments(some)] == ["1", "9", "10", "x", "0"]


def test_experiments_are_ordered_by_the_given_criteria_first() -> None:
    some = [experiment("9", "b"), experiment("10", "a"), experiment("1", "b", created=9)]

    def found(*clauses: str) -> list[str]:
        return [each.experiment_id for each in sort_experiments(some, parse_experiment_order(clauses))]

    assert found("name") == ["10", "1", "9"]
    assert found("experiment_id DESC") == ["10", "9", "1"]
    assert found("creation_time", "name DESC") == ["9", "10", "1"]


@given(strategies.run_lists(), strategies.run_filters())
def test_a_filter_and_its_negation_part_the_runs(runs: list[strategies.RecordedRun], tree: Filter) -> None:
    for each in runs:
        one, summaries = each.run(), each.summaries()
        assert run_matches(tree, one, summaries) != run_matches(Not(tree), one, summaries)


@given(strategies.experiment_lists(), strategies.experiment_filters(), strategies.experiment_orders())
def test_experiments_of_any_kind_can_be_searched(
    some: list[Experiment], tree: Filter, order: tuple[OrderBy, ...]
) -> None:
    found = sort_experiments([each for each in some if experiment_matches(tree, each)], order)

    assert {each.experiment_id for each in found} <= {each.experiment_id for each in some}


@given(
    strategies.run_lists().flatmap(lambda recorded: st.tuples(st.just(recorded), st.permutations(recorded))),
    strategies.run_orders(),
)
def test_an_order_does_not_depend_on_where_the_runs_were_before(
    recorded: tuple[list[strategies.RecordedRun], list[strategies.RecordedRun]], order: tuple[OrderBy, ...]
) -> None:
    summaries = {each.new.run_id: each.summaries() for each in recorded[0]}

    one, other = (sort_runs([each.run() for each in some], order, summaries) for some in recorded)

    assert [each.info.run_id for each in one] == [each.info.run_id for each in other]


def test_random_filters_fit_a_good_part_of_random_runs() -> None:
    answers = []

    @settings(max_examples=300, derandomize=True, database=None)
    @given(strategies.recorded_runs(), strategies.run_filters(depth=0))
    def ask(recorded: strategies.RecordedRun, tree: Filter) -> None:
        answers.append(run_matches(tree, recorded.run(), recorded.summaries()))

    ask()

    assert 0.1 < sum(answers) / len(answers) < 0.9
