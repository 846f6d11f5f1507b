"""What only this store's searches have to show; the suite compares them with the reference on random filters."""

from __future__ import annotations

import math

import pytest
from mlcore_store_sql.plugin import tracking_store
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import (
    Batch,
    Comparison,
    Field,
    Filter,
    Metric,
    NewRun,
    Not,
    OrderBy,
    Param,
    RunQuery,
    RunTag,
)

EXPERIMENT = "0"


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
