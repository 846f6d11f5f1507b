"""`mlcore sync`: what waits is shown and delivered, from outside of the processes that recorded it."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
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
    assert f"delivered to sqlite:///{Path.cwd()}/mlcore.db" in done.stdout
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
    assert "wait for sqlite:///" in done.stdout
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


def test_status_tells_what_was_refused_and_where_it_is_kept(left: str) -> None:
    sync()
    with mlcore.start_run(run_id=left):
        program("-c", f"import mlcore; mlcore.MlflowClient().log_param({left!r}, 'p', 1)")
        mlcore.log_param("p", 2)

    told = sync("--status").stderr

    assert f"run {left}: the store refused 1 record, the last one was param 'p': changing param values" in told
    kept = Path(told.partition("kept in ")[2].partition(":")[0])
    kept.unlink()
    assert sync("--status").stderr == "nothing waits in the spool\n"


@pytest.fixture
def hung() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def offline(hung: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three runs that were recorded without the server that hangs."""
    monkeypatch.setenv("MLCORE_TRACKING_URI", hung)
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.3")
    code = "import mlcore\nfor _ in range(3):\n  with mlcore.start_run() as run: print(run.run_id)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MLCORE_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return told.stdout.split()


def test_a_server_that_never_answers_is_given_up_and_told_once_for_all_runs(hung: str, offline: list[str]) -> None:
    done = sync()

    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("3 runs: ")
    assert f"wait for {hung}: {hung} did not answer in 0.3 s; set MLCORE_PATIENCE_S to wait longer" in line
    assert {json.loads(line)["run_id"] for line in sync("--json").stdout.splitlines()} == set(offline)


@pytest.mark.parametrize("command", [("runs", "list"), ("models", "list")])
def test_no_command_waits_for_ever_for_a_server_that_never_answers(
    hung: str, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", hung)
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.3")

    done = program("-m", "mlcore.cli", *command)

    assert done.returncode == 1
    assert f"{hung} did not answer in 0.3 s" in done.stdout + done.stderr


def test_what_waits_for_another_store_is_told_to_be_delivered_where_it_went(offline: list[str]) -> None:
    done = sync("--spool", os.environ["MLCORE_SPOOL_DIR"], "--tracking-uri", "sqlite:///other.db")

    assert (done.returncode, len(done.stdout.splitlines())) == (0, len(offline))
    assert all(line.endswith(f"delivered to sqlite:///{Path.cwd()}/other.db") for line in done.stdout.splitlines())


def test_a_run_that_waits_in_the_spool_is_shown(hung: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", hung)
    monkeypatch.setenv("MLCORE_OFFLINE", "1")
    code = """
import mlcore
with mlcore.start_run() as run:
    for step in (2, 0, 1):
        mlcore.log_metric("loss", 3 - step, step=step, timestamp=1_700_000_000_000 + step)
    mlcore.log_metric("gap", float("nan"))
print(run.run_id)
"""
    run_id = program("-c", code).stdout.strip()

    shown = program("-m", "mlcore.cli", "runs", "show", run_id)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "metric\tloss\t1.0\t1.0\t3.0\t3\n" in shown.stdout
    assert "metric\tgap\tNaN\t\t\t1\n" in shown.stdout
    assert [m.step for m in Client().get_metric_history(run_id, "loss")] == [0, 1, 2]
    assert Client().get_metric_history(run_id, "nothing") == []


def test_a_watcher_says_once_that_a_server_is_away_and_leaves_in_silence(offline: list[str]) -> None:
    watcher = subprocess.Popen(
        [sys.executable, "-m", "mlcore.cli", "sync", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert watcher.stdout is not None
    assert watcher.stdout.readline().startswith(f"{len(offline)} runs: ")
    code = "import mlcore\nwith mlcore.start_run(): pass"
    program("-c", "import os; os.environ['MLCORE_OFFLINE'] = '1'\n" + code)  # what is new is told
    assert watcher.stdout.readline().startswith("4 runs: ")

    watcher.send_signal(signal.SIGINT)
    rest, told = watcher.communicate(timeout=60)

    assert (rest, watcher.returncode) == ("", 130)
    assert told.strip() == f"watching {os.environ['MLCORE_SPOOL_DIR']}; Ctrl-C ends"


def test_a_file_that_its_repository_refused_once_is_offered_again() -> None:
    with mlcore.start_run() as run:
        pass
    spool = Spool(Path(os.environ["MLCORE_SPOOL_DIR"]), f"sqlite:///{Path.cwd()}/mlcore.db")
    spool.make()
    refused = SpoolRepo(spool.run(run.run_id).artifacts)
    refused.write("notes/a.txt", io.BytesIO(b"kept"), 4)

    done = sync()

    assert (done.returncode, f"run {run.run_id}: 4 B delivered" in done.stdout) == (0, True)
    assert Path(Client().download_artifacts(run.run_id, "notes/a.txt")).read_bytes() == b"kept"
    assert list(spool.path.rglob("a.txt")) == []
