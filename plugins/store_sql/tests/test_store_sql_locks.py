"""Several stores of one process on one file, beside programs of other people."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mlcore_store_sql.registry import SqlRegistryStore
from mlcore_store_sql.store import SqlTrackingStore

_LOOK = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as opened:
    print([name for (name,) in opened.execute("SELECT name FROM mlcore_experiments ORDER BY 1")])
opened.close()
"""


def look(database: Path) -> str:
    """Open the database in another process, which closes it again."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _LOOK, str(database)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_second_store_on_the_file_does_not_cost_the_first_its_locks(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    tracking = SqlTrackingStore.open(uri, None)
    tracking.create_experiment("first", artifact_location=None, tags={})
    registry = SqlRegistryStore.open(uri)

    seen = [look(tmp_path / "mlcore.db")]
    tracking.create_experiment("second", artifact_location=None, tags={})
    seen.append(look(tmp_path / "mlcore.db"))

    assert seen == ["['Default', 'first']", "['Default', 'first', 'second']"]
    registry.close()
    tracking.close()
