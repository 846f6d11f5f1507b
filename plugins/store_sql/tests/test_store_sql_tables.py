"""Tables of runs in an SQL database, beyond the contract."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import Batch, Field, Metric, NewRun, Param, RunQuery


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlTrackingStore]:
    made = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    yield made
    made.close()


def new_run(store: SqlTrackingStore, run_id: str) -> str:
    return store.create_run(NewRun("0", run_id, run_id, "ada", 1)).info.run_id


def test_the_largest_floats_are_told_from_infinities(store: SqlTrackingStore) -> None:
    largest = sys.float_info.max
    curves = {
        "up": (1.0, math.inf),
        "top": (1.0, largest),
        "down": (-math.inf, -1.0),
        "least": (-largest, -1.0),
        "all": (math.inf, math.inf),
        "gap": (math.nan, math.nan),
    }
    run_id = new_run(store, "a")
    points = [Metric(key, value, 1, step) for key, values in curves.items() for step, value in enumerate(values)]
    store.log_batch(run_id, Batch(tuple(points)))
    columns = [Field("metric", key, stat) for key in curves for stat in ("min", "max", "count")]

    values = store.run_cells([run_id], columns)[run_id].values
    facets = {facet.field.key: facet for facet in store.key_facets(RunQuery(("0",)), 1).keys}

    assert [str(value) for value in values] == [
        *("1.0", "inf", "2", "1.0", str(largest), "2", "-inf", "-1.0", "2"),
        *(str(-largest), "-1.0", "2", "inf", "inf", "2", "nan", "nan", "2"),
    ]
    assert (facets["up"].min, facets["up"].max) == (math.inf, math.inf)
    assert (facets["top"].min, facets["top"].max) == (largest, largest)
    assert (facets["gap"].min, facets["gap"].max, facets["gap"].distinct) == (None, None, 1)


def test_more_runs_than_fit_into_one_statement_have_their_cells(
    store: SqlTrackingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcore_store_sql.compiling._CHUNK", 3)
    run_ids = [new_run(store, f"r{number}") for number in range(8)]
    for number, run_id in enumerate(run_ids):
        store.log_batch(run_id, Batch((Metric("m", float(number), 1),), (Param("p", str(number)),)))
    columns = (Field("metric", "m"), Field("param", "p"), Field("attribute", "duration"))

    found = store.run_cells([*run_ids, "nope"], columns)

    assert {run_id: cells.values for run_id, cells in found.items()} == {
        f"r{number}": (float(number), str(number), None) for number in range(8)
    }
    assert len(store.summaries_of_runs(run_ids, None)) == 8
