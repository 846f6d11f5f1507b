from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlcore_store_sql.plugin import tracking_store
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import (
    Batch,
    Comparison,
    Experiment,
    ExperimentQuery,
    Field,
    Filter,
    Metric,
    NewRun,
    Not,
    OrderBy,
    Page,
    Param,
    Run,
    RunQuery,
    RunTag,
)
from mlcore.interfaces import TrackingStore
from mlcore.testing.filter_strategies import (
    RecordedRun,
    experiment_filters,
    experiment_lists,
    experiment_orders,
    run_filters,
    run_lists,
    run_orders,
)
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs

EXPERIMENT = "0"
SEARCH_SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def record(store: SqlTrackingStore, recorded: RecordedRun) -> Run:
    run_id = recorded.new.run_id
    store.create_run(recorded.new)
    store.log_batch(run_id, recorded.batch)
    store.log_inputs(run_id, recorded.inputs)
    store.update_run(run_id, recorded.change)
    return store.get_run(run_id)


def shown(value: object) -> str:
    # As text, since a NaN differs from itself; SQLite keeps whole numbers as integers, and so -0.0 as 0.0.
    return repr(value).replace("-0.0", "0.0")


def all_runs(store: TrackingStore, query: RunQuery) -> Iterator[Run]:
    while True:
        page: Page[Run] = store.search_runs(query)
        assert len(page.items) <= query.max_results
        yield from page.items
        if page.next_token is None:
            return
        query = RunQuery(
            query.experiment_ids, query.filter, query.order_by, query.view, query.max_results, page.next_token
        )


@SEARCH_SETTINGS
@given(
    recorded=run_lists(experiment_id=EXPERIMENT),
    tree=st.none() | run_filters(),
    order=run_orders(),
    page_size=st.integers(1, 7),
)
def test_the_store_finds_the_runs_that_the_oracle_finds_in_its_order(
    recorded: list[RecordedRun], tree: Filter | None, order: tuple[OrderBy, ...], page_size: int
) -> None:
    store = SqlTrackingStore.open("sqlite://")
    stored = [record(store, run) for run in recorded]
    summaries = {run.new.run_id: {s.key: s for s in store.metric_summaries(run.new.run_id)} for run in recorded}
    expected = [run for run in stored if run_matches(tree, run, summaries[run.info.run_id])]

    found = list(all_runs(store, RunQuery((EXPERIMENT,), tree, order, max_results=page_size)))

    assert list(map(shown, found)) == list(map(shown, sort_runs(expected, order, summaries)))


@settings(max_examples=100, deadline=None)
@given(recorded=run_lists(max_size=3, experiment_id=EXPERIMENT))
def test_the_store_reads_back_what_was_recorded_with_its_summaries(recorded: list[RecordedRun]) -> None:
    store = SqlTrackingStore.open("sqlite://")

    for run in recorded:
        stored = record(store, run)

        expected = run.run(stored.info.artifact_uri)
        assert (stored.info, stored.data.params) == (expected.info, expected.data.params)
        assert stored.data.tags == {**run.new.tags, **expected.data.tags}
        assert shown(stored.data.latest) == shown(expected.data.latest)
        assert stored.inputs == expected.inputs
        summaries = {summary.key: summary for summary in store.metric_summaries(run.new.run_id)}
        assert shown(summaries) == shown(run.summaries())


@settings(max_examples=100, deadline=None)
@given(
    described=experiment_lists(),
    tree=st.none() | experiment_filters(),
    order=experiment_orders(),
    page_size=st.integers(1, 4),
)
def test_the_store_finds_the_experiments_that_the_oracle_finds_in_its_order(
    described: list[Experiment], tree: Filter | None, order: tuple[OrderBy, ...], page_size: int
) -> None:
    store = SqlTrackingStore.open("sqlite://")
    stored = [store.get_experiment("0")]
    stored += [
        store.create_experiment(each.name, artifact_location=None, tags=dict(each.tags))
        for each in described
        if each.name != "Default"
    ]
    expected = sort_experiments([each for each in stored if experiment_matches(tree, each)], order)

    found: list[Experiment] = []
    token: str | None = None
    while True:
        page = store.search_experiments(ExperimentQuery(tree, order, max_results=page_size, page_token=token))
        found += page.items
        token = page.next_token
        if token is None:
            break

    assert found == expected


@pytest.fixture
def store() -> SqlTrackingStore:
    opened = tracking_store("sqlite://", None)
    assert isinstance(opened, SqlTrackingStore)
    for run_id, value in (("one", 1.0), ("nan", math.nan), ("inf", math.inf), ("none", None)):
        opened.create_run(NewRun(EXPERIMENT, run_id, run_id, "u", 1))
        metrics = () if value is None else (Metric("m", value, 1),)
        opened.log_batch(run_id, Batch(metrics, (Param("lr", "0.10"), Param("name", "Größe\0X"))))
    return opened


def found(store: SqlTrackingStore, tree: Filter | None, *order: OrderBy) -> list[str]:
    return [run.info.run_id for run in store.search_runs(RunQuery((EXPERIMENT,), tree, order)).items]


METRIC = Field("metric", "m")


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("=", 1.0, ["one"]),
        ("!=", 1.0, ["inf", "nan"]),
        (">", 0.0, ["inf", "one"]),
        ("<=", math.inf, ["inf", "one"]),
        ("<", 5.0, ["one"]),
    ],
)
def test_nan_matches_unequal_only_and_infinity_compares_as_the_largest_number(
    store: SqlTrackingStore, op: str, value: float, expected: list[str]
) -> None:
    assert sorted(found(store, Comparison(METRIC, op, value))) == expected


def test_not_turns_a_comparison_around_for_runs_that_lack_the_metric(store: SqlTrackingStore) -> None:
    assert found(store, Not(Comparison(METRIC, ">", 0.0))) == ["nan", "none"]


@pytest.mark.parametrize(("ascending", "expected"), [(True, ["one", "inf"]), (False, ["inf", "one"])])
def test_nan_comes_after_all_numbers_and_before_missing_in_both_directions(
    store: SqlTrackingStore, ascending: bool, expected: list[str]
) -> None:
    assert found(store, None, OrderBy(METRIC, ascending)) == [*expected, "nan", "none"]


def test_a_param_compares_as_a_number_when_asked_with_a_number(store: SqlTrackingStore) -> None:
    assert len(found(store, Comparison(Field("param", "lr"), "=", 0.1))) == 4
    assert len(found(store, Comparison(Field("param", "lr"), "=", "0.1"))) == 0
    assert len(found(store, Comparison(Field("param", "name"), "!=", 0.1))) == 0


@pytest.mark.parametrize(
    ("op", "pattern", "hits"),
    [("LIKE", "Gr%X", 4), ("LIKE", "gr%x", 0), ("ILIKE", "gRÖ__%x", 4), ("ILIKE", "GRÖSSE%", 0), ("LIKE", "Gr_ß%", 4)],
)
def test_patterns_match_as_the_kernel_defines_them_in_any_script_and_past_a_nul(
    store: SqlTrackingStore, op: str, pattern: str, hits: int
) -> None:
    assert len(found(store, Comparison(Field("param", "name"), op, pattern))) == hits


def test_a_search_takes_the_same_few_statements_for_any_number_of_runs(store: SqlTrackingStore) -> None:
    for number in range(50):
        store.create_run(NewRun(EXPERIMENT, f"r{number}", "n", "u", 2))
        store.log_batch(f"r{number}", Batch(tags=(RunTag("t", "1"),)))
    statements: list[str] = []
    with store._db.read() as cursor:
        cursor.connection.set_trace_callback(statements.append)  # type: ignore[attr-defined]  # sqlite3's own

    assert len(found(store, None)) == 54

    assert len([text for text in statements if text.startswith("SELECT")]) == 7


def test_columns_that_are_not_wanted_are_not_read(store: SqlTrackingStore) -> None:
    store.log_batch("one", Batch((Metric("n", 2.0, 1),), (Param("p", "1"),), (RunTag("t", "1"), RunTag("u", "1"))))
    statements: list[str] = []
    with store._db.read() as cursor:
        cursor.connection.set_trace_callback(statements.append)  # type: ignore[attr-defined]  # sqlite3's own
    wanted = (Field("metric", "n"), Field("metric", "absent"), Field("tag", "t"))

    runs = store.search_runs(RunQuery((EXPERIMENT,), columns=wanted)).items

    one = next(run for run in runs if run.info.run_id == "one")
    assert (one.data.metrics, one.data.params, one.data.tags) == ({"n": 2.0}, {}, {"t": "1"})
    assert len([text for text in statements if text.startswith("SELECT")]) == 3
