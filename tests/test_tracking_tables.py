"""Tables of runs in the kernel: trees of any shape, groups, columns, and files for spreadsheets."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import (
    Batch,
    Field,
    Metric,
    NewRun,
    OrderBy,
    Param,
    RunChange,
    RunGroupQuery,
    RunQuery,
    RunTableQuery,
)
from mlcore.errors import FilterError, InvalidParameterError
from mlcore.testing.memory_tracking import MemoryTrackingStore
from mlcore.tracking.table_csv import csv_lines, every_column, safe
from mlcore.tracking.table_facets import key_facets
from mlcore.tracking.table_groups import group_filter, run_groups
from mlcore.tracking.table_tree import arranged
from mlcore.wire.table_columns import column_name, parse_column, parse_columns


def filled(*runs: tuple[str, dict[str, float], dict[str, str]]) -> MemoryTrackingStore:
    store = MemoryTrackingStore()
    for number, (name, metrics, params) in enumerate(runs):
        store.create_run(NewRun("0", name, name, "ada", number))
        points = tuple(Metric(key, value, 1) for key, value in metrics.items())
        store.log_batch(name, Batch(points, tuple(Param(key, value) for key, value in params.items())))
    return store


@given(st.lists(st.none() | st.integers(0, 12), max_size=10), st.sets(st.integers(0, 9)))
def test_every_run_stands_in_a_tree_once_below_its_parent(above: list[int | None], closed: set[int]) -> None:
    run_ids = [f"r{number}" for number in range(len(above))]
    parents = [None if parent is None else f"r{parent}" for parent in above]

    whole = arranged(run_ids, parents)
    some = arranged(run_ids, parents, {f"r{number}" for number in closed})

    assert sorted(place.run for place in whole) == list(range(len(above)))
    path: list[int] = []
    children = [0] * len(above)
    for place in whole:
        del path[place.depth :]
        assert len(path) == place.depth
        if path:
            assert above[place.run] == path[-1]
            children[path[-1]] += 1
        path.append(place.run)
    assert {place.run: place.children for place in whole} == dict(enumerate(children))
    assert [place.run for place in whole if place.depth == 0] == sorted(p.run for p in whole if p.depth == 0)
    hidden = 0
    shown = []
    for place in whole:  # below a closed run everything is deeper than the run
        if hidden and place.depth >= hidden:
            continue
        hidden = place.depth + 1 if place.run in closed else 0
        shown.append(place)
    assert list(some) == shown


def test_a_chain_of_ten_thousand_runs_is_as_deep_as_it_is() -> None:
    run_ids = [str(number) for number in range(10_000)]

    chain = arranged(run_ids, [None, *run_ids[:-1]])
    circle = arranged(run_ids, [run_ids[-1], *run_ids[:-1]])

    assert chain[-1].depth == circle[-1].depth == 9999


def test_groups_are_ordered_by_size_then_as_asked() -> None:
    store = filled(
        ("a", {"m": 1.0}, {"p": "x"}),
        ("b", {"m": 5.0}, {"p": "xy"}),
        ("c", {"m": 3.0}, {"p": "x"}),
        ("d", {"m": math.nan}, {"p": "w"}),
        ("e", {}, {}),
    )
    by, columns = (Field("param", "p"),), (Field("metric", "m"),)

    def values(*order: OrderBy) -> list[str | None]:
        found = run_groups(store, RunGroupQuery(("0",), by, order_by=order, columns=columns))
        return [group.values[0] for group in found.groups]

    assert values() == ["x", "w", "xy", None]
    assert values(OrderBy(by[0])) == ["w", "x", "xy", None]
    assert values(OrderBy(by[0], ascending=False)) == ["xy", "x", "w", None]
    assert values(OrderBy(columns[0])) == ["x", "xy", "w", None]
    assert values(OrderBy(columns[0], ascending=False)) == ["xy", "x", "w", None]


def test_a_mean_of_large_numbers_is_a_number() -> None:
    store = filled(*((str(number), {"m": 1.7e308}, {"p": "x"}) for number in range(3)))

    (group,) = run_groups(store, RunGroupQuery(("0",), (Field("param", "p"),), columns=(Field("metric", "m"),))).groups

    assert group.stats[Field("metric", "m")].mean == pytest.approx(1.7e308)


def test_a_value_that_no_filter_can_say_has_none() -> None:
    by = (Field("param", "p"),)

    assert group_filter(by, ("""it's "50%".""",)) is None
    assert (
        group_filter(by, ("""it's "x".""",)) == """params.p LIKE 'it_s "x".' AND params.p LIKE "it's _x_." """.strip()
    )


@pytest.mark.parametrize("by", [Field("metric", "m"), Field("attribute", "duration"), Field("dataset", "name")])
def test_runs_are_not_grouped_by_numbers(by: Field) -> None:
    with pytest.raises(InvalidParameterError, match="no counted values"):
        run_groups(filled(), RunGroupQuery(("0",), (by,)))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("metrics.loss.count", Field("metric", "loss", "count")),
        ("metrics.`loss.count`", Field("metric", "loss.count")),
        ("params.`batch size`", Field("param", "batch size")),
        ("tags.mlflow.user", Field("tag", "mlflow.user")),
        ("attributes.experiment_id", Field("attribute", "experiment_id")),
        ("attributes.duration", Field("attribute", "duration")),
    ],
)
def test_a_column_has_a_name_and_a_name_a_column(name: str, field: Field) -> None:
    assert parse_column(name) == field
    assert column_name(field) == name


def test_a_key_with_every_kind_of_quote_is_no_column() -> None:
    assert column_name(Field("param", "`'\"")) is None


@pytest.mark.parametrize(
    "name", ["", " ", "metrics", "metrics.a DESC", "metrics.a asc", "datasets.name", "nope", "a, b"]
)
def test_what_is_no_column_is_refused(name: str) -> None:
    with pytest.raises(FilterError):
        parse_columns([name])


def test_keys_that_vary_come_first_and_those_of_the_system_last() -> None:
    store = filled(("a", {}, {"same": "1", "lr": "0.1"}), ("b", {"m": 1.0}, {"same": "1", "lr": "1e-2", "text": "x"}))

    found = key_facets(store, RunQuery(("0",)))
    names = [facet.field.key for facet in found.keys][:7]

    assert names == ["lr", "run_name", "start_time", "experiment_id", "lifecycle_stage", "same", "status"]
    assert found.more == 0
    lr = found.keys[0]
    assert (lr.is_numeric, lr.min, lr.max, lr.count, lr.distinct) == (True, 0.01, 0.1, 2, 2)
    assert [facet.field.key for facet in key_facets(store, RunQuery(("0",))).keys][-1] == "mlflow.runName"


def test_a_kind_of_key_with_many_keys_hides_no_other() -> None:
    store = filled(("a", {f"m{at}": 1.0 for at in range(40)}, {"p": "1"}), ("b", {}, {"q": "1", "q r": "2"}))

    found = key_facets(store, RunQuery(("0",)), most=20)
    kinds = Counter(facet.field.entity for facet in found.keys)

    assert kinds["param"] == 3
    assert kinds["attribute"] >= 5
    assert len(found.keys) == 20
    assert found.more == len(key_facets(store, RunQuery(("0",))).keys) - 20


def test_keys_are_found_by_words_of_the_names_of_their_columns() -> None:
    store = filled(("a", {"Val/Loss": 1.0, "acc": 1.0}, {"loss": "mse", "batch size": "1"}))

    def keys(search: str) -> set[str]:
        return {facet.field.key for facet in key_facets(store, RunQuery(("0",)), search=search).keys}

    assert keys("loss") == {"Val/Loss", "loss"}
    assert keys("METRICS. loss") == {"Val/Loss"}
    assert keys("params.`batch") == {"batch size"}
    assert keys("nothing") == set()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("+49123456", "'+49123456"),
        ("-1.5e3", "-1.5e3"),
        ("-a", "'-a"),
        ("@x", "'@x"),
        ("\t=x", "'\t=x"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_text_is_a_formula(text: str, cell: str) -> None:
    assert safe(text) == cell


def test_a_file_has_every_column_that_occurs_and_odd_values() -> None:
    store = filled(("b", {"m,1": math.inf, "n": math.nan}, {"p": 'a "b"\r\nc'}), ("a", {"n": -0.5}, {"=q": "1"}))
    store.update_run("a", RunChange(end_time=2**60))
    query = RunTableQuery(("0",))
    columns = every_column(store, query)

    text = "".join(csv_lines(store, RunTableQuery(("0",), columns=columns), [field.key for field in columns]))
    head, *rows = csv.reader(io.StringIO(text, newline=""))

    assert head[7:] == ["'=q", "p", "m,1", "n"]
    assert [row[7:] for row in rows] == [["1", "", "", "-0.5"], ["", 'a "b"\r\nc', "Infinity", "NaN"]]
    assert (rows[0][4], rows[0][5]) == ("1970-01-01T00:00:00.001+00:00", str(2**60))
