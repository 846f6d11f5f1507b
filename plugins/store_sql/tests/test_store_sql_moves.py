from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, SqliteDialect
from mlcore_store_sql.migrations import REGISTRY_COMPONENT, REGISTRY_MIGRATIONS, migrate
from mlcore_store_sql.registry import SqlRegistryStore
from mlcore_store_sql.sqlite_file import SqliteFile
from mlcore_store_sql.texts_sqlite import TEXTS

from mlcore.entities import MoveNote
from mlcore.testing.registry_moves import check_history, moves_of

FOUND = "found when the history began"


def nothing_first(cursor: Cursor) -> None:
    pass


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A registry of the first schema version: `iris` with versions 1 to 3, one deleted, stages and aliases, and `empty`."""
    path = tmp_path / "mlcore.db"
    database = Database(SqliteDialect(SqliteFile(path)))
    database.set_up_with(lambda: migrate(database, nothing_first, REGISTRY_MIGRATIONS[:1], REGISTRY_COMPONENT))
    with database.write() as cursor:
        for name in ("iris", "empty"):
            cursor.execute(TEXTS.insert_model, (name, "", 1000, 1000))
        for number, stage, user, came in ((1, "Production", "ada", 3000), (3, "None", "", 2000)):
            state = ("READY", "", "", user, came, 9000)
            cursor.execute(TEXTS.insert_version, (1, number, f"s3://b/{number}", None, None, stage, *state))
        cursor.execute(TEXTS.count_version, (9000, 3, 1))
        cursor.execute(TEXTS.set_alias, (1, "best", 1))
    database.close()
    return path


def test_a_registry_of_the_first_version_gets_the_beginnings_of_its_histories(old: Path) -> None:
    before = int(time.time() * 1000)

    registry = SqlRegistryStore.open(f"sqlite:///{old}")

    lines = [(each.subject, each.before, each.after, each.at, each.user) for each in moves_of(registry)]
    assert lines[:3] == [
        ("iris", "", "iris", 1000, ""),
        ("3", "", "s3://b/3", 2000, ""),
        ("1", "", "s3://b/1", 3000, "ada"),
    ]
    assert [(each[:3], each[4]) for each in lines[3:]] == [(("1", "None", "Production"), ""), (("best", "", "1"), "")]
    assert {each.comment for each in moves_of(registry)} == {FOUND}
    assert before <= lines[-1][3] <= time.time() * 1000
    assert [each.subject for each in moves_of(registry, "empty")] == ["empty"]
    check_history(registry)
    registry.close()


def test_a_time_before_the_history_began_has_no_answer_instead_of_a_wrong_one(old: Path) -> None:
    registry = SqlRegistryStore.open(f"sqlite:///{old}")
    began = moves_of(registry)[-1].at

    assert [registry.alias_at("iris", "best", at) for at in (began - 1, began)] == [None, "1"]
    registry.close()


def test_a_registry_that_was_brought_up_to_date_goes_on_from_there(old: Path) -> None:
    SqlRegistryStore.open(f"sqlite:///{old}").close()
    registry = SqlRegistryStore.open(f"sqlite:///{old}")

    registry.move_alias("iris", "best", "3", note=MoveNote("bob"), expected="1")
    registry.create_version("iris", "s", run_id=None, run_link=None, description="", tags={})
    registry.delete_model("empty")

    assert [each.number for each in moves_of(registry)] == list(range(1, 8))
    check_history(registry)
    registry.close()


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        (TEXTS.move_of_subject_at, (1, "alias", "best", 10**15)),
        (TEXTS.last_move_of_subject, (1, "alias", "best")),
        (TEXTS.moves_of_line, (1, 100, 0)),
        (TEXTS.lines_of_name, ("iris",)),
        (TEXTS.line_of_model, (1,)),
        (TEXTS.request, ("r",)),
    ],
)
def test_questions_of_the_history_are_answered_by_an_index(
    tmp_path: Path, text: str, parameters: tuple[object, ...]
) -> None:
    SqlRegistryStore.open(f"sqlite:///{tmp_path}/mlcore.db").close()
    connection = sqlite3.connect(tmp_path / "mlcore.db")

    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", parameters))

    connection.close()
    assert "SCAN" not in plan
    assert "SEARCH mlcore_" in plan
    assert "TEMP B-TREE" not in plan or text == TEXTS.lines_of_name


def test_the_database_keeps_the_history_when_the_row_of_its_model_goes(tmp_path: Path) -> None:
    registry = SqlRegistryStore.open(f"sqlite:///{tmp_path}/mlcore.db")
    for name in ("a", "b", "a"):
        registry.create_model(name, description="", tags={})
        registry.delete_model(name)

    # Rows of deleted models leave their numbers to others; lines do not.
    assert [each.after for each in moves_of(registry, "a")] == ["a", "", "a", ""]
    assert [each.after for each in moves_of(registry, "b")] == ["b", ""]
    registry.close()
