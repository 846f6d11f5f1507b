from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, SqliteDialect, SqliteGrammar
from mlcore_store_sql.migrations import COMPONENT, MIGRATIONS, migrate
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.statements import compile_texts
from mlcore_store_sql.store import SqlTrackingStore
from mlcore_store_sql.texts import Texts
from mlcore_store_sql.texts_sqlite import TEXTS

from mlcore.entities import Batch, Entry, Metric, NewRun
from mlcore.errors import MlcoreError, StoreUnavailableError

NEWEST = len(MIGRATIONS)


def add_colour(cursor: Cursor, texts: Texts) -> None:
    cursor.execute("ALTER TABLE mlcore_runs ADD COLUMN colour TEXT")
    cursor.execute("UPDATE mlcore_runs SET colour = 'red'")


def fail_halfway(cursor: Cursor, texts: Texts) -> None:
    cursor.execute("ALTER TABLE mlcore_runs ADD COLUMN size TEXT")
    cursor.execute("ALTER TABLE nowhere ADD COLUMN size TEXT")


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT version FROM mlcore_versions WHERE component = ?", (COMPONENT,)).fetchone()
    connection.close()
    return int(found)


def columns(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [row[1] for row in connection.execute("PRAGMA table_info(mlcore_runs)")]
    connection.close()
    return found


def database(path: Path) -> Database:
    opened = Database(SqliteDialect(SqliteFile(path)))
    opened.set_up_with(lambda: None)
    return opened


def nothing_first(cursor: Cursor) -> None:
    pass


@pytest.fixture
def old(tmp_path: Path) -> Path:
    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    store.create_run(NewRun("0", "r", "n", "u", 1))
    store.close()
    return tmp_path / "mlcore.db"


def test_the_kept_texts_are_what_the_statements_compile_to() -> None:
    assert compile_texts(SqliteGrammar()) == TEXTS, "run python -m mlcore_store_sql.statements"


def test_a_new_store_has_the_newest_version(old: Path) -> None:
    assert version(old) == NEWEST


def test_a_store_of_the_first_version_gets_logged_models_and_keeps_its_runs(tmp_path: Path) -> None:
    opened = database(tmp_path / "mlcore.db")
    migrate(opened, nothing_first, MIGRATIONS[:1])
    with opened.write() as cursor:
        cursor.execute(
            "INSERT INTO mlcore_experiments (name, lifecycle_stage, creation_time, last_update_time) "
            "VALUES ('e', 'active', 1, 1)"
        )
    opened.close()

    store = SqlTrackingStore.open(f"sqlite:///{tmp_path}/mlcore.db")

    assert version(tmp_path / "mlcore.db") == NEWEST
    assert store.get_experiment("1").name == "e"


_KILLED = """
import os, signal, sys
from pathlib import Path
from mlcore_store_sql import migrations, store
from mlcore_store_sql.migrations import MIGRATIONS, migrate

def killed_halfway(cursor, texts):
    cursor.execute(texts.ddl_delivery[0])
    os.kill(os.getpid(), signal.SIGKILL)

store.migrate = lambda database, first: migrate(database, first, [*MIGRATIONS[:2], killed_halfway])
store.SqlTrackingStore.open(sys.argv[1])
"""


def test_a_store_of_the_second_version_takes_journals_also_after_a_migration_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "mlcore.db"
    opened = database(path)
    migrate(opened, nothing_first, MIGRATIONS[:2])
    with opened.write() as cursor:
        cursor.execute(TEXTS.insert_default_experiment, ("Default", None, 1, 1))
        cursor.execute(TEXTS.insert_run, ("r", 0, "n", "u", 1, None))
    opened.close()

    ended = subprocess.run([sys.executable, "-c", _KILLED, f"sqlite:///{path}"], check=False)
    between = version(path)
    store = SqlTrackingStore.open(f"sqlite:///{path}")

    assert (ended.returncode, between, version(path)) == (-signal.SIGKILL, 2, NEWEST)
    assert store.replay("r", "w", [Entry(0, 1, Batch((Metric("m", 1.0, 1),)))]) == []
    assert store.get_run("r").data.metrics == {"m": 1.0}
    store.close()


def test_an_older_store_is_brought_up_to_date_and_keeps_its_runs(old: Path) -> None:
    opened = database(old)

    migrate(opened, nothing_first, [*MIGRATIONS, add_colour])
    opened.close()

    assert version(old) == NEWEST + 1
    with sqlite3.connect(old) as connection:
        assert connection.execute("SELECT run_id, colour FROM mlcore_runs").fetchall() == [("r", "red")]
    connection.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(old: Path) -> None:
    opened = database(old)

    with pytest.raises(MlcoreError, match="no such table: nowhere"):
        migrate(opened, nothing_first, [*MIGRATIONS, add_colour, fail_halfway])
    opened.close()

    assert version(old) == NEWEST
    assert not {"colour", "size"} & set(columns(old))
    assert SqlTrackingStore.open(f"sqlite:///{old}").get_run("r").info.run_id == "r"


def test_of_many_that_migrate_at_once_one_does_it_and_all_go_on(old: Path) -> None:
    done: list[str] = []

    def slowly(cursor: Cursor, texts: Texts) -> None:
        add_colour(cursor, texts)
        done.append("migrated")

    def work() -> None:
        migrate(database(old), nothing_first, [*MIGRATIONS, slowly])
        done.append("opened")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == ["migrated"] + ["opened"] * 6
    assert version(old) == NEWEST + 1


def test_a_store_of_a_newer_release_says_what_to_upgrade_and_is_left_as_it_is(old: Path) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE mlcore_versions SET version = 7")
    connection.close()
    before = old.read_bytes()

    with pytest.raises(
        StoreUnavailableError,
        match=rf"has schema version 7 of tracking, this release .* up to {NEWEST}\..*pip install -U mlcore-store-sql",
    ):
        SqlTrackingStore.open(f"sqlite:///{old}")

    assert old.read_bytes() == before


def test_opening_a_store_that_is_up_to_date_writes_nothing(old: Path) -> None:
    before = old.read_bytes()

    SqlTrackingStore.open(f"sqlite:///{old}").close()

    assert old.read_bytes() == before
