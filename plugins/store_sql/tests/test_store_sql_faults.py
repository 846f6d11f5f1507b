from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import SqliteDialect
from mlcore_store_sql.places import Places
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.store import SqlTrackingStore

from mlcore.entities import Batch, Metric, NewRun, RunQuery, RunTag
from mlcore.errors import CorruptStoreError, InvalidStateError, StoreUnavailableError

RUN = "a" * 32


def filled(path: Path, runs: int = 50) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{path}")
    for number in range(runs):
        store.create_run(NewRun("0", f"r{number}", "n", "u", number, {"note": "x" * 500}))
    store.close()


def impatient(path: Path, timeout_s: float = 0.1) -> SqlTrackingStore:
    return SqlTrackingStore(Database(SqliteDialect(SqliteFile(path), timeout_s)), Places("file:///a", None))


def test_a_file_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "place" / "notes.db"
    path.parent.mkdir()
    path.write_bytes(b"my notes, not a database\n" * 100)

    with pytest.raises(CorruptStoreError, match=rf"'{re.escape(str(path))}' is not an SQLite database.*left as it is"):
        SqlTrackingStore.open(f"sqlite:///{path}")

    assert path.read_bytes() == b"my notes, not a database\n" * 100
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("damage", ["truncated", "scribbled", "header"])
def test_a_damaged_database_is_named_with_what_to_do_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "mlcore.db"
    filled(path)
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    elif damage == "scribbled":
        content[4096:] = b"\xa5" * (len(content) - 4096)
    else:
        content[16:100] = b"\xff" * 84
    path.write_bytes(content)

    def use() -> None:
        store = SqlTrackingStore.open(f"sqlite:///{path}")
        try:
            store.search_runs(RunQuery(("0",)))
        finally:
            store.close()

    with pytest.raises(
        CorruptStoreError, match=rf"'{re.escape(str(path))}' cannot be read: .*restore it from a backup"
    ):
        use()

    assert path.read_bytes() == content


def test_a_write_to_a_damaged_database_fails_and_leaves_it_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mlcore.db"
    filled(path)
    content = bytearray(path.read_bytes())
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'mlcore_runs'").fetchone()
    connection.close()
    content[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    path.write_bytes(content)

    store = SqlTrackingStore.open(f"sqlite:///{path}")
    with pytest.raises(CorruptStoreError, match="cannot be read"):
        store.create_run(NewRun("0", RUN, "n", "u", 1))
    store.close()

    assert path.read_bytes() == content


def test_a_directory_in_place_of_the_file_is_named_with_a_better_uri(tmp_path: Path) -> None:
    with pytest.raises(
        StoreUnavailableError, match=rf"is a directory; name a file in it, such as sqlite:///{tmp_path}/"
    ):
        SqlTrackingStore.open(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailableError, match=r"file/mlcore\.db' cannot be opened: .*must be writable"):
        SqlTrackingStore.open(f"sqlite:///{tmp_path}/file/mlcore.db")


AS_NOBODY = """
import os, sys
from mlcore_store_sql.store import SqlTrackingStore
from mlcore_store_sql import queries, texts_sqlite
from mlcore.entities import NewRun
if os.getuid() == 0:
    os.setuid(65534)
store = SqlTrackingStore.open(sys.argv[1])
store.create_run(NewRun("0", "new", "n", "u", 1))
"""


@pytest.mark.parametrize("exists", [False, True])
def test_a_read_only_directory_is_named(tmp_path: Path, exists: bool) -> None:
    place = tmp_path / "place"
    place.mkdir()
    if exists:
        filled(place / "mlcore.db", 1)
        (place / "mlcore.db").chmod(0o444)
    place.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)

    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, f"sqlite:///{place}/mlcore.db"], capture_output=True, text=True, check=False
    )
    place.chmod(0o755)

    assert "StoreUnavailableError: the SQLite database" in done.stderr
    assert re.search(r"place/mlcore\.db' cannot be (opened|used): .*writable by this user", done.stderr)


def test_a_directory_that_this_user_may_not_enter_is_named(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir(mode=0o700)
    tmp_path.chmod(0o700)

    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, f"sqlite:///{place}/mlcore.db"], capture_output=True, text=True, check=False
    )

    if os.getuid() == 0:
        assert re.search(r"place/mlcore\.db' cannot be opened: Permission denied.*writable by this user", done.stderr)
    else:
        assert done.returncode == 0  # whoever made the directory may enter it


def test_a_full_disk_is_said_and_nothing_of_the_call_is_kept(tmp_path: Path) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    with store._db.outside_transactions() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone() or (0,)
        cursor.execute(f"PRAGMA max_page_count={pages + 5}")  # SQLite's own "disk full"

    with pytest.raises(StoreUnavailableError, match=r"cannot grow: .*disk is full.*free some space and repeat"):
        store.log_batch(RUN, Batch((Metric("m", 1.0, 1),), tags=(RunTag("t", "x" * 100_000),)))

    assert store.get_run(RUN).data.latest == ()
    store.log_batch(RUN, Batch((Metric("small", 1.0, 1),)))
    assert store.get_run(RUN).data.metrics == {"small": 1.0}


def test_a_lock_that_is_held_for_too_long_is_said_and_a_later_call_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "mlcore.db"
    filled(path, 1)
    store = impatient(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailableError, match=r"was locked by another process for more than 0\.1 s"):
        store.log_batch("r0", Batch((Metric("m", 1.0, 1),)))
    read_meanwhile = store.get_run("r0").info.run_id
    other.execute("ROLLBACK")
    other.close()
    store.log_batch("r0", Batch((Metric("m", 1.0, 1),)))

    assert read_meanwhile == "r0"
    assert store.get_run("r0").data.metrics == {"m": 1.0}


def test_a_database_of_mlflow_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        for table in ("alembic_version", "experiments", "runs"):
            connection.execute(f"CREATE TABLE {table} (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(InvalidStateError, match=r"belongs to MLflow.*left as it is: name another file"):
        SqlTrackingStore.open(f"sqlite:///{path}")

    assert path.read_bytes() == before


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(InvalidStateError, match=r"belongs to another program: it has the tables 'bookmarks'"):
        SqlTrackingStore.open(f"sqlite:///{path}")

    assert path.read_bytes() == before


def test_the_log_of_a_removed_database_is_not_played_into_a_new_one(tmp_path: Path) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    log = (tmp_path / "mlcore.db-wal").read_bytes()
    store.close()
    (tmp_path / "mlcore.db").unlink()
    (tmp_path / "mlcore.db-wal").write_bytes(log)

    with pytest.raises(CorruptStoreError, match=r"mlcore\.db-wal' is left of a database that was removed.*or remove"):
        SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")

    assert (tmp_path / "mlcore.db-wal").read_bytes() == log
    assert not (tmp_path / "mlcore.db").exists()


LOGGER = """
import sys
from mlcore_store_sql.store import SqlTrackingStore
from mlcore.entities import Batch, Metric, NewRun
store = SqlTrackingStore.open(sys.argv[1])
store.create_run(NewRun("0", "r", "n", "u", 1))
for step in range(1, 10**9):
    store.log_batch("r", Batch(metrics=(Metric("m", 1.0, step, step), Metric("n", 1.0, step, step))))
    print(step, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_writer_leaves_everything_that_was_acknowledged(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    child = subprocess.Popen([sys.executable, "-c", LOGGER, uri], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = [int(child.stdout.readline()) for _ in range(200)]

    child.kill()
    acknowledged = [*first, *(int(line) for line in child.stdout.read().splitlines())]
    child.wait()
    child.stdout.close()
    store = SqlTrackingStore.open(uri)

    for key in ("m", "n"):
        page = store.get_metric_history("r", key, max_results=25_000, page_token=None)
        assert len(page.items) - len(acknowledged) in (0, 1)
    with store._db.read() as cursor:
        cursor.execute("PRAGMA integrity_check")
        assert cursor.fetchall() == [("ok",)]


def test_a_copy_of_database_and_log_taken_at_any_moment_opens(tmp_path: Path) -> None:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    copied = tmp_path / "copy"
    copied.mkdir()

    for name in ("mlcore.db", "mlcore.db-wal"):
        shutil.copy(tmp_path / name, copied / name)

    assert SqlTrackingStore.open(f"sqlite:///{copied}/mlcore.db").get_run(RUN).info.run_id == RUN
