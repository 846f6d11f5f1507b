from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import SqliteDialect
from mlcore_store_sql.places import Places
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import Batch, Metric, NewRun, Param, RunTag
from mlcore.errors import InvalidParameterError, NotFoundError, StoreUnavailableError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlTrackingStore]:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    for run_id in "ab":
        store.create_run(NewRun("0", run_id, "n", "u", 1))
    yield store
    store.close()


def point(step: int, key: str = "m") -> Batch:
    return Batch((Metric(key, 1.0, 1, step),), (Param(f"p{step}", "1"),), (RunTag("t", str(step)),))


@pytest.mark.parametrize("bad", [point(2**63, "new"), Batch(tags=(RunTag("u", "\ud800"),))])
def test_a_value_that_cannot_be_stored_is_refused_and_the_other_batches_are_kept(
    store: SqlTrackingStore, bad: Batch
) -> None:
    found = store.log_batches(
        [("a", point(1)), ("a", bad), ("nope", point(1)), ("b", point(2, "new")), ("a", point(3))]
    )

    assert [type(each) for each in found] == [type(None), InvalidParameterError, NotFoundError, type(None), type(None)]
    assert "a value cannot be stored" in str(found[1])
    a, b = store.get_run("a").data, store.get_run("b").data
    assert (a.params, a.tags["t"], [each.step for each in a.latest]) == ({"p1": "1", "p3": "1"}, "3", [3])
    assert b.metrics == {"new": 1.0}


def test_a_group_that_finds_the_database_locked_stores_nothing(tmp_path: Path, store: SqlTrackingStore) -> None:
    dialect = SqliteDialect(SqliteFile(tmp_path / "mlcore.db"), timeout_s=0.1)
    impatient = SqlTrackingStore(Database(dialect), Places("file:///a", None))

    with store._db.write(), pytest.raises(StoreUnavailableError, match="locked by another process"):
        impatient.log_batches([("a", point(1)), ("b", point(2))])
    impatient.close()

    assert store.get_run("a").data.latest == ()
    assert store.get_run("b").data.latest == ()


def test_a_group_takes_one_transaction(store: SqlTrackingStore) -> None:
    statements: list[str] = []
    store.log_batches([("a", point(1))])
    with store._db.outside_transactions() as cursor:
        cursor.connection.set_trace_callback(statements.append)  # type: ignore[attr-defined]  # sqlite3's own

    store.log_batches([(run_id, point(step)) for step in range(2, 20) for run_id in "ab"])

    assert statements.count("BEGIN IMMEDIATE") == statements.count("COMMIT") == 1
    assert not [text for text in statements if "SAVEPOINT" in text]
    assert len([text for text in statements if text.startswith("SELECT")]) == 2 * 3
