"""`mlcore sync`: what waits is shown and delivered, from outside of the processes that recorded it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlcore
from mlcore.delivery import Spool
from mlcore.delivery.spool_repo import SpoolRepo
from mlcore.tracking.client import Client

KILLED = """
import os, sqlite3, mlcore
run = mlcore.start_run()
print(run.run_id, flush=True)
other = sqlite3.connect("mlcore.db", isolation_level=None)
other.execute("BEGIN IMMEDIATE")  # nothing is delivered while this is held
for step in range(100):
    mlcore.log_metric("m", step, step=step)
os._exit(0)
"""


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ)
    )


def sync(*options: str) -> subprocess.CompletedProcess[str]:
    return program("-m", "mlcore.cli", "sync", *options)


@pytest.fixture
def left() -> str:
    """A run of which a process left everything in the spool."""
    Path("killed.py").write_text(KILLED)
    return program("killed.py").stdout.strip()


def test_nothing_waits_in_an_empty_spool() -> None:
    done = sync("--status")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "nothing waits in the spool\n")
    assert sync().returncode == 0


def test_what_waits_is_shown_and_stays(left: str) -> None:
    (before,) = [json.loads(line) for line in sync("--status", "--json").stdout.splitlines()]
    table = sync("--status")

    assert (before["run_id"], before["refused"], before["is_live"], before["is_pending"]) == (left, 0, False, False)
    assert before["journal_bytes"] > 100 * 30
    assert before["store"].startswith("sqlite:///")
    assert left in table.stdout
    assert [json.loads(line) for line in sync("--status", "--json").stdout.splitlines()] == [before]


def test_what_waits_is_delivered_once_and_then_gone(left: str) -> None:
    (told,) = [json.loads(line) for line in sync("--json").stdout.splitlines()]

    assert (told["run_id"], told["waiting_bytes"], told["refused"], told["error"]) == (left, 0, 0, None)
    assert [m.step for m in Client().get_metric_history(left, "m")] == list(range(100))
    assert sync().stdout == ""
    assert list(Path(os.environ["MLCORE_SPOOL_DIR"]).rglob("*.journal")) == []


def test_another_spool_and_another_store_are_chosen_by_options(left: str, tmp_path: Path) -> None:
    moved = tmp_path / "from the cluster"
    Path(os.environ["MLCORE_SPOOL_DIR"]).rename(moved)

    assert sync().stdout == ""
    done = sync("--spool", str(moved), "--tracking-uri", "sqlite:///mlcore.db")

    assert left in done.stdout
    assert len(Client().get_metric_history(left, "m")) == 100


def test_what_belongs_to_a_run_that_the_other_store_lacks_stays_in_the_spool(left: str) -> None:
    spool = os.environ["MLCORE_SPOOL_DIR"]

    done = sync("--spool", spool, "--tracking-uri", "sqlite:///another.db")

    assert done.returncode == 1
    assert f"run '{left}' was begun in " in done.stdout
    assert "is not in this store: copy it there first (mlcore import)" in done.stdout
    assert sync().returncode == 0
    assert len(Client().get_metric_history(left, "m")) == 100


def test_what_cannot_be_delivered_stays_and_is_an_error(left: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.1")
    Path("mlcore.db").rename("elsewhere.db")
    for rest in Path().glob("mlcore.db-*"):
        rest.unlink()
    Path("mlcore.db").mkdir()

    done = sync()

    assert done.returncode == 1
    assert f"run {left}" in done.stdout
    assert "bytes wait" in done.stdout
    assert "Traceback" not in done.stderr


def test_what_was_refused_is_shown_with_the_run(left: str) -> None:
    sync()
    with mlcore.start_run(run_id=left):
        program("-c", f"import mlcore; mlcore.MlflowClient().log_param({left!r}, 'p', 1)")
        mlcore.log_param("p", 2)
    assert mlcore.get_run(left).data.params == {"p": "1"}

    shown = program("-m", "mlcore.cli", "runs", "show", left).stdout

    assert "mlcore.refused" in shown
    assert "param 'p'" in shown
    (status,) = [json.loads(line) for line in sync("--status", "--json").stdout.splitlines()]
    assert status["refused"] == 1


def test_a_file_that_its_repository_refused_once_is_offered_again() -> None:
    with mlcore.start_run() as run:
        pass
    spool = Spool(Path(os.environ["MLCORE_SPOOL_DIR"]), f"sqlite:///{Path.cwd()}/mlcore.db")
    spool.make()
    refused = SpoolRepo(spool.run(run.run_id).artifacts)
    refused.write("notes/a.txt", io.BytesIO(b"kept"), 4)

    done = sync()

    assert (done.returncode, f"run {run.run_id}: 4 bytes delivered" in done.stdout) == (0, True)
    assert Path(Client().download_artifacts(run.run_id, "notes/a.txt")).read_bytes() == b"kept"
    assert list(spool.path.rglob("a.txt")) == []
