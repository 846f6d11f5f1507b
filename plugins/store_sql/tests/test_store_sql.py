from __future__ import annotations

import multiprocessing
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_sql.plugin import tracking_store
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import Batch, Metric, NewRun, RunQuery
from mlcore.errors import CorruptStoreError, InvalidParameterError, NotFoundError, StoreUnavailableError
from mlcore.interfaces import TrackingStore
from mlcore.testing.tracking_store import TrackingStoreContract

RUN = "a" * 32


class TestSqliteFile(TrackingStoreContract):
    plugin_module = "mlcore_store_sql.plugin"

    @pytest.fixture
    def store_uri(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/mlcore.db"

    @pytest.fixture
    def store(self, store_uri: str) -> Iterator[TrackingStore]:
        store = SqlTrackingStore.open(store_uri)
        yield store
        store.close()


class TestSqliteMemory(TrackingStoreContract):
    @pytest.fixture
    def store(self) -> TrackingStore:
        return SqlTrackingStore.open("sqlite://")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlTrackingStore]:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    yield store
    store.close()


def record(store: TrackingStore, step: int) -> None:
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    store.log_batch(RUN, Batch(metrics=(Metric("m", 1.0, step, step),)))


def steps(store: TrackingStore) -> list[int]:
    return [point.step for point in store.get_metric_history(RUN, "m", max_results=1000, page_token=None).items]


def test_the_hook_opens_sqlite_and_leaves_other_schemes_to_others(tmp_path: Path) -> None:
    found = tracking_store(f"sqlite:///{tmp_path}/a.db", None)

    assert isinstance(found, TrackingStore)
    assert tracking_store("https://example.org", None) is None
    assert tracking_store("./mlruns", None) is None


def test_a_relative_uri_is_below_the_working_directory_at_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SqlTrackingStore.open("sqlite:///mlcore.db")
    monkeypatch.chdir("/")
    store.close()
    record(store, 1)
    store.close()

    assert (tmp_path / "mlcore.db").stat().st_size > 0
    assert store.get_experiment("0").artifact_location == f"file://{tmp_path}/mlartifacts/0"


@pytest.mark.parametrize("uri", ["sqlite:", "sqlite://host/x.db", "sqlite:x.db", "sqlite:///x.db?mode=ro"])
def test_a_uri_that_makes_no_sense_says_which_forms_do(uri: str) -> None:
    with pytest.raises(
        InvalidParameterError, match=re.escape(f"invalid SQLite URI {uri!r}") + r".*expected sqlite:///relative\.db"
    ):
        SqlTrackingStore.open(uri)


@pytest.fixture
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    wanted: int = request.param
    before = os.umask(wanted)
    yield wanted
    os.umask(before)


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX's")
@pytest.mark.parametrize("umask", [0o000, 0o022], indirect=True)
def test_a_new_database_and_its_directories_are_for_this_user_alone_whatever_the_umask(
    tmp_path: Path, umask: int
) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/new/deep/mlcore.db")
    record(store, 1)

    files = sorted((tmp_path / "new/deep").iterdir())
    assert [file.name for file in files] == ["mlcore.db", "mlcore.db-shm", "mlcore.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert [stat.S_IMODE((tmp_path / each).stat().st_mode) for each in ("new", "new/deep")] == [0o700, 0o700]
    store.close()


def test_a_moved_directory_keeps_its_artifacts(tmp_path: Path) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/old/mlcore.db")
    record(store, 1)
    before = store.get_run(RUN).info.artifact_uri
    store.close()

    (tmp_path / "old").rename(tmp_path / "new")
    moved = SqlTrackingStore.open(f"sqlite:///{tmp_path}/new/mlcore.db")

    assert before == f"file://{tmp_path}/old/mlartifacts/0/{RUN}/artifacts"
    assert moved.get_run(RUN).info.artifact_uri == f"file://{tmp_path}/new/mlartifacts/0/{RUN}/artifacts"
    assert moved.get_experiment("0").artifact_location == f"file://{tmp_path}/new/mlartifacts/0"


def test_a_chosen_artifact_root_stays_with_the_experiments_made_under_it(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    chosen = SqlTrackingStore.open(uri, "s3://bucket/root/")
    made = chosen.create_experiment("a", artifact_location=None, tags={})

    later = SqlTrackingStore.open(uri)

    assert later.get_experiment("0").artifact_location == "s3://bucket/root/0"
    assert later.get_experiment(made.experiment_id).artifact_location == f"s3://bucket/root/{made.experiment_id}"
    new = later.create_experiment("b", artifact_location=None, tags={})
    assert new.artifact_location == f"file://{tmp_path}/mlartifacts/{new.experiment_id}"


def test_what_was_recorded_is_there_for_another_store(tmp_path: Path, store: SqlTrackingStore) -> None:
    record(store, 1)

    other = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")

    assert other.get_run(RUN) == store.get_run(RUN)


def test_memory_is_shared_between_threads_and_separate_between_stores() -> None:
    one, two = SqlTrackingStore.open("sqlite://"), SqlTrackingStore.open("sqlite:///:memory:")

    thread = threading.Thread(target=record, args=(one, 1))
    thread.start()
    thread.join()

    assert steps(one) == [1]
    assert two.search_runs(RunQuery(("0",))).items == ()


def test_a_reader_sees_a_writers_past_and_does_not_wait(store: SqlTrackingStore) -> None:
    record(store, 1)

    with store._db.write() as cursor:
        cursor.execute("DELETE FROM mlcore_metrics")
        seen: list[list[int]] = []
        thread = threading.Thread(target=lambda: seen.append(steps(store)))
        thread.start()
        thread.join(5)

    assert seen == [[1]]
    assert steps(store) == []


def test_a_failed_call_leaves_nothing_behind_and_the_store_usable(store: SqlTrackingStore) -> None:
    record(store, 1)

    with pytest.raises(InvalidParameterError, match="cannot be stored"):
        store.log_batch(RUN, Batch(metrics=(Metric("new", 1.0, 1, 1), Metric("new", 1.0, 2**63, 1))))
    with pytest.raises(InvalidParameterError, match="cannot be stored"):
        store.log_batch(RUN, Batch(metrics=(Metric("\ud800", 1.0, 1, 1),)))
    store.log_batch(RUN, Batch(metrics=(Metric("new", 1.0, 1, 2),)))

    assert store.get_run(RUN).data.metrics == {"m": 1.0, "new": 1.0}


def test_a_database_that_was_removed_while_it_was_open_is_made_anew(tmp_path: Path, store: SqlTrackingStore) -> None:
    store.create_run(NewRun("0", "old", "n", "u", 1))
    store.log_batch("old", Batch(metrics=(Metric("first", 1.0, 1), Metric("m", 1.0, 1))))
    store.get_run("old")

    for file in tmp_path.glob("mlcore.db*"):
        file.unlink()
    record(store, 1)

    assert (tmp_path / "mlcore.db").exists()
    assert [run.info.run_id for run in store.search_runs(RunQuery(("0",))).items] == [RUN]
    assert SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db").get_run(RUN).data.metrics == {"m": 1.0}
    with pytest.raises(NotFoundError, match="run with id='old' not found"):
        store.log_batch("old", Batch(metrics=(Metric("m", 2.0, 2),)))


def test_a_database_that_was_removed_without_its_log_is_made_anew_once_the_log_is_gone(
    tmp_path: Path, store: SqlTrackingStore
) -> None:
    record(store, 1)

    (tmp_path / "mlcore.db").unlink()
    with pytest.raises(CorruptStoreError, match="or remove the log to begin anew"):
        store.log_batch(RUN, Batch(metrics=(Metric("m", 1.0, 2, 2),)))
    (tmp_path / "mlcore.db-wal").unlink()
    record(store, 3)

    assert steps(store) == [3]


def test_a_database_that_was_replaced_while_it_was_open_is_the_one_that_is_used(
    tmp_path: Path, store: SqlTrackingStore
) -> None:
    record(store, 1)
    other = SqlTrackingStore.open(f"sqlite:///{tmp_path}/other.db")
    other.create_run(NewRun("0", "other", "n", "u", 1))
    other.log_batch("other", Batch(metrics=(Metric("z", 1.0, 1),)))
    other.close()

    for file in tmp_path.glob("mlcore.db*"):
        file.unlink()
    (tmp_path / "other.db").rename(tmp_path / "mlcore.db")
    store.log_batch("other", Batch(metrics=(Metric("m", 5.0, 1),)))

    assert store.get_run("other").data.metrics == {"m": 5.0, "z": 1.0}


def child_logs(store: SqlTrackingStore, step: int) -> None:
    store.log_batch(RUN, Batch(metrics=(Metric("m", 1.0, step, step),)))
    assert step in steps(store)


def log_until(store: SqlTrackingStore, stop: threading.Event) -> None:
    step = 0
    while not stop.wait(0.0005):
        step += 1
        store.log_batch(RUN, Batch(metrics=(Metric("busy", 1.0, step, step),)))
        store.get_run(RUN)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_parent_and_forked_children_log_to_the_same_run(store: SqlTrackingStore) -> None:
    record(store, 0)
    steps(store)
    fork = multiprocessing.get_context("fork")

    stop = threading.Event()
    busy = threading.Thread(target=log_until, args=(store, stop))
    busy.start()
    children = [fork.Process(target=child_logs, args=(store, step)) for step in (1, 2)]
    for child in children:
        child.start()
    store.log_batch(RUN, Batch(metrics=(Metric("m", 1.0, 3, 3),)))
    for child in children:
        child.join(20)
    stop.set()
    busy.join()

    assert [child.exitcode for child in children] == [0, 0]
    assert steps(store) == [0, 1, 2, 3]
    with store._db.read() as cursor:
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchall() == [("ok",)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_that_was_forked_inside_of_a_transaction_says_so(
    store: SqlTrackingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcore_store_sql.database._FORK_PATIENCE_S", 0.05)
    record(store, 1)
    reading, writing = os.pipe()

    with store._db.write() as cursor:
        cursor.execute("DELETE FROM mlcore_metrics")
        child = os.fork()
        if child == 0:
            try:
                store.get_run(RUN)
            except StoreUnavailableError as error:
                os.write(writing, str(error).encode())
            os._exit(0)
    os.waitpid(child, 0)

    assert "forked while a transaction was open" in os.read(reading, 1000).decode()
    assert steps(store) == []


def test_sqlalchemy_is_imported_for_searches_only(tmp_path: Path) -> None:
    script = f"""
import sys
from mlcore.entities import *
from mlcore_store_sql.plugin import tracking_store
assert "mlcore_store_sql.store" not in sys.modules
store = tracking_store("sqlite:///{tmp_path}/x.db", None)
store.create_run(NewRun("0", "r", "n", "u", 1))
store.log_batch("r", Batch(metrics=(Metric("m", 1.0, 1),), params=(Param("p", "1"),)))
store.get_run("r")
assert "sqlalchemy" not in sys.modules
store.search_runs(RunQuery(("0",)))
assert "sqlalchemy" in sys.modules
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
